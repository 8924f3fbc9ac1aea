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


def named_in(room):
    """The public functions and classes of a room: what it lists, or else what it defines."""
    module = importlib.import_module(kb._ROOMS[room])
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return [(f"kb.{room}.{name}", getattr(module, name)) for name in names]


@pytest.mark.parametrize("room", kb._ROOMS)
def test_every_name_in_a_room_says_how_it_is_used(room):
    values = [(name, value) for name, value in named_in(room) if callable(value)]
    assert values
    for name, value in values:
        assert value.__doc__, f"{name} has no docstring"
        parts = ("Args:", "Call arguments", "Returns", "Example:")
        assert any(part in value.__doc__ for part in parts), f"{name}: its docstring is too short"


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'BertBackbonne'"):
        _ = kb.BertBackbonne
    assert set(dir(kb)) == set(kb.__all__)
