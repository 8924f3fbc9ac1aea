"""What two replicas make of the training step, once for all tests that ask for it."""

import json
import pathlib
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def two_replicas(tmp_path_factory):
    """The report of two_replicas.py: a dict by the name of its function."""
    path = tmp_path_factory.mktemp("two_replicas") / "report.json"
    script = pathlib.Path(__file__).parent / "two_replicas.py"
    done = subprocess.run(
        [sys.executable, str(script), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(path.read_text())
