"""R-Drop: the loss of two passes against NumPy, and what it does to the answers."""

import keras
import numpy as np
import pytest
from models.head_models import arrays as head_arrays
from models.head_models import make
from training.tuned import arrays, classifier, dataset

import keras_bert as kb
from keras_bert.training.r_drop import Divergence, divergence
from keras_bert.training.state import read_state, write_state


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def test_the_loss_of_a_step():
    model = classifier(dropout=0.3, attention_dropout=0.2)
    model.compile(keras.optimizers.SGD(0.0), **kb.losses.classification())
    x, y, w = arrays(8)
    state = read_state(model, ("model",))
    loss = model.fit(
        x, y, sample_weight=w, batch_size=8, shuffle=False, r_drop=0.7, verbose=0
    ).history["loss"][0]
    write_state(model, state)  # the weights never moved; the seeds draw again what they drew
    one, other = (np.asarray(model(x, training=True)["classification"], "f8") for _ in range(2))
    p, q, weights = softmax(one), softmax(other), w["classification"]
    right = np.arange(8), y["classification"]
    crossentropy = -(np.log(p[right]) + np.log(q[right])) / 2
    both = (p * np.log(p / q)).sum(-1) + (q * np.log(q / p)).sum(-1)
    expected = ((crossentropy + 0.7 * both / 2) * weights).sum() / weights.sum()
    assert (both * weights).sum() / weights.sum() > 0.05
    assert loss == pytest.approx(expected, rel=1e-5)
    # Evaluation is as ever: one pass, no dropout.
    p = softmax(np.asarray(model(x)["classification"], "f8"))
    expected = (-np.log(p[right]) * weights).sum() / weights.sum()
    logs = model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_labels_that_are_each_right_or_not():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 5, 3)) * 2
    p, q = 1 / (1 + np.exp(-one)), 1 / (1 + np.exp(-other))
    both = (
        p * np.log(p / q)
        + (1 - p) * np.log((1 - p) / (1 - q))
        + q * np.log(q / p)
        + (1 - q) * np.log((1 - q) / (1 - p))
    )
    weights = rng.random(5)
    expected = (both.mean(-1) * weights).sum() / weights.sum() / 2
    found = Divergence(of_labels=True)(np.zeros((5, 3)), (one, other), weights)
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("micro_batches", [1, 2])
def test_answers_differ_less(micro_batches):
    spreads = []
    for weight in (0.0, 5.0):
        model = classifier(dropout=0.3)
        model.compile(kb.optimizers.adamw(5e-3), **kb.losses.classification())
        data = dataset(16).repeat(8)
        model.fit(data, r_drop=weight, micro_batches=micro_batches, verbose=0)
        x = arrays(16)[0]
        draws = [softmax(np.asarray(model(x, training=True)["classification"])) for _ in range(20)]
        spreads.append(np.std(draws, axis=0).mean())
    assert spreads[1] < 0.7 * spreads[0]


def test_two_outputs_by_their_weights():
    """A span's two losses weigh 0.5 each, and so do the divergences."""
    model = make("span")
    rng = np.random.default_rng(0)
    x, y, w = head_arrays("span", 4)
    model.compile(**kb.losses.span())
    outputs = [
        {name: rng.normal(size=np.shape(value)) for name, value in model(x).items()}
        for _ in range(2)
    ]
    expected = 0.0
    for name in ("span_start", "span_end"):
        p, q = (softmax(each[name]) for each in outputs)
        both = (p * np.log(p / q) + q * np.log(q / p)).sum(-1) / 2
        expected += 0.5 * (both * w[name]).sum() / w[name].sum()
    assert float(divergence(model, y, *outputs, w)) == pytest.approx(expected, rel=1e-5)


def test_errors():
    model = classifier()
    model.compile(kb.optimizers.adamw(1e-3), **kb.losses.classification())
    with pytest.raises(ValueError, match="has none: give its BertConfig a dropout above 0"):
        model.fit(dataset(8), r_drop=1.0, verbose=0)
    with pytest.raises(ValueError, match="a weight from 0 on; received -1"):
        model.fit(dataset(8), r_drop=-1, verbose=0)
    model = make("score")
    model.compile(kb.optimizers.adamw(1e-3), **kb.losses.regression())
    with pytest.raises(ValueError, match="received regression: MeanSquaredError"):
        model.fit(*head_arrays("score", 4), r_drop=1.0, verbose=0)
