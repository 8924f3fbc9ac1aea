"""The same models on Keras's JAX backend: equal outputs, equal training, no TensorFlow."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from models import reference_bert as reference

import keras_bert as kb

pytest.importorskip("jax")

SCRIPT = pathlib.Path(__file__).parent / "on_jax.py"
CONFIG = kb.BertConfig(
    vocabulary_size=30,
    num_layers=1,
    hidden_dim=12,
    num_heads=3,
    max_sequence_length=9,
    dropout=0.0,
    attention_dropout=0.0,
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What TensorFlow and JAX make of one saved model and one set of data."""
    folder = tmp_path_factory.mktemp("jax")
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = kb.BertPretrainer(kb.BertBackbone(CONFIG))
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 8)
    model.save(folder / "model.keras")
    inputs = reference.example_inputs(CONFIG, rows=8, masks=3)
    labels = {"masked_lm": rng.integers(0, 30, (8, 3)), "next_sentence": rng.integers(0, 2, 8)}
    weights = {
        "masked_lm": rng.choice([0.0, 1.0], (8, 3)).astype("float32"),
        "next_sentence": np.ones(8, "float32"),
    }
    data = {**inputs}
    data |= {f"label/{name}": value for name, value in labels.items()}
    data |= {f"weight/{name}": value for name, value in weights.items()}
    np.savez(folder / "data.npz", **data)
    outputs = model.predict(inputs, verbose=0)
    model.compile(
        optimizer=kb.optimizers.adamw(1e-2, warmup_steps=2, total_steps=40, clip_norm=0.5),
        **kb.losses.pretraining(),
    )
    history = model.fit(
        inputs,
        labels,
        sample_weight=weights,
        epochs=5,
        shuffle=False,
        verbose=0,
        batch_size=4,
    ).history
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    logs = json.loads((folder / "logs.json").read_text())
    return model, outputs, history, np.load(folder / "outputs.npz"), logs


def test_outputs_are_equal(both):
    _, outputs, _, jax, _ = both
    for name, value in outputs.items():
        assert np.std(value) > 0.02
        np.testing.assert_allclose(jax[name], value, atol=1e-5)


def test_ten_training_steps_are_equal(both):
    model, _, history, jax, logs = both
    for weight in model.weights:
        # The keys' biases have no gradient but rounding errors.
        tolerance = 1e-3 if weight.path.endswith("key/bias") else 2e-5
        name = f"trained/{weight.path}"
        np.testing.assert_allclose(jax[name], weight.numpy(), atol=tolerance, err_msg=name)
    first = logs["first"]
    assert first.pop("tokens_per_second")[-1] > 0
    assert 0 < first.pop("share_of_peak")[-1] < 1
    assert first.pop("minutes_left")[-1] == 0
    assert history.pop("real_tokens") and history.pop("masked_tokens")
    assert set(first) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(first[name], values, rtol=1e-4)


def test_the_loss_falls(both):
    losses = both[-1]["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_no_tensorflow_was_needed(both):
    logs = both[-1]
    assert logs["backend"] == "jax"
    assert not logs["text"]
    assert not logs["tensorflow"]


def test_errors_are_clear_there_too(both):
    assert "Keras runs on jax. Use kb.distribution" in both[-1]["strategy"]
    assert "expected ids in [0, 30)" in both[-1]["bad_ids"]
