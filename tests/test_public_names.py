"""`import keras_bert` is light, and every public name is there."""

import importlib
import json
import subprocess
import sys

import pytest

import keras_bert as kb

# What each step of a fresh interpreter has loaded of these.
WATCHED = (
    "keras",
    "tensorflow",
    "tensorflow_text",
    "keras_hub",
    "tensorflow_datasets",
    "tokenizers",
)
FRESH = f"""
import json, sys
loaded = lambda: [name for name in {WATCHED!r} if name in sys.modules]
steps = {{}}
import keras_bert as kb
steps["package"] = loaded()
kb.BertConfig.named("tiny")
steps["config"] = loaded()
kb.text
steps["text"] = loaded()
names = dir(kb)
kb.BertBackbone, kb.BertPretrainer, kb.BertMaskedLM, kb.BertTextClassifier
kb.losses, kb.metrics, kb.optimizers, kb.strategy, kb.Throughput
steps["models"] = loaded()
print(json.dumps(steps))
"""


@pytest.fixture(scope="module")
def steps():
    done = subprocess.run(
        [sys.executable, "-c", FRESH], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_loads_nothing_heavy(steps):
    assert steps["package"] == steps["config"] == steps["text"] == []


def test_models_and_losses_need_neither_text_nor_hub(steps):
    # Keras's default backend is TensorFlow; JAX alone is test_jax.py's.
    assert set(steps["models"]) <= {"keras", "tensorflow"}


@pytest.mark.parametrize("name", kb.__all__)
def test_every_public_name_resolves(name):
    value = getattr(kb, name)
    if isinstance(value, type):
        assert value.__name__ == name
    if name in kb._PUBLIC:
        assert value.__doc__, f"{name} has no docstring"
        assert value.__module__.startswith("keras_bert.")
    if name in kb._ROOMS:
        assert value is importlib.import_module(kb._ROOMS[name])
        for inner in getattr(value, "__all__", ()):
            assert getattr(value, inner).__doc__


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'BertBackbonne'"):
        _ = kb.BertBackbonne
    assert set(dir(kb)) == set(kb.__all__)
