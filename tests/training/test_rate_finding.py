"""The learning-rate range test: its losses against a training by hand, and what it leaves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.tuned import arrays, classifier, dataset

import keras_bert as kb
from keras_bert.training.rate_finding import _smoothed
from keras_bert.training.state import read_state


def test_losses_are_those_of_a_training_with_a_rising_rate():
    model = classifier(dropout=0.1)
    optimizer = kb.optimizers.adamw(1e-3, warmup_steps=2, total_steps=40, weight_decay=0.1)
    model.compile(optimizer, **kb.losses.classification())
    data = dataset(rows=20, batch=8)  # the last batch of three is smaller
    model.fit(data, epochs=2, verbose=0)  # moments and seeds are no longer new
    before = read_state(model)
    found = kb.find_learning_rate(model, data, lowest=1e-5, highest=0.1, steps=10)
    after = read_state(model)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert model.optimizer is optimizer and before.keys() == after.keys()
    np.testing.assert_allclose(found.rates, np.geomspace(1e-5, 0.1, 10), rtol=1e-6)
    best = int(np.argmin(found.smoothed))
    assert found.suggestion == pytest.approx(found.rates[best] / 10)
    # By hand: a step at a time with the rate set, by a new optimizer.
    model.compile(kb.optimizers.adamw(1.0, weight_decay=0.1), **kb.losses.classification())
    losses = []
    batches = list(data) * 4
    for rate, (x, y, w) in zip(found.rates, batches, strict=False):
        model.optimizer.learning_rate = rate
        history = model.fit(x, y, sample_weight=w, batch_size=8, shuffle=False, verbose=0)
        losses.append(history.history["loss"][0])
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4)
    assert np.ptp(losses) > 0.1


def test_it_finds_rates_that_learn():
    model = classifier()
    x, _, w = arrays(64)
    y = {"classification": x["token_ids"][:, 0] % 3}
    data = tf.data.Dataset.from_tensor_slices((x, y, w)).shuffle(64, seed=1).batch(16)
    data.set_epoch = (epochs := []).append
    model.compile(kb.optimizers.adamw(1e-9), **kb.losses.classification())
    found = kb.find_learning_rate(model, data, steps=60, highest=10.0)
    assert epochs == [0]
    assert len(found.losses) < 60  # it ended where the loss rose
    assert found.smoothed[-1] > 2 * min(found.smoothed) and 1e-5 < found.suggestion < 1e-1

    def loss_after(rate):
        keras.utils.set_random_seed(2)
        model = classifier()
        model.compile(kb.optimizers.adamw(rate), **kb.losses.classification())
        return model.fit(data, epochs=6, verbose=0).history["loss"][-1]

    good = loss_after(found.suggestion)
    assert good < 0.8 * loss_after(found.suggestion / 1000)
    assert good < loss_after(found.suggestion * 300)


def test_smoothing():
    assert _smoothed([4.0, 1.0, 1.0, 7.0], 1) == [2.5, 2.0, 3.0, 4.0]


def test_errors_and_a_loss_that_is_not_finite():
    model = classifier()
    data = dataset()
    with pytest.raises(ValueError, match="expected a compiled model"):
        kb.find_learning_rate(model, data)
    model.compile(keras.optimizers.SGD(0.1), **kb.losses.classification())
    for options in ({"lowest": 0.0}, {"lowest": 1.0}, {"steps": 9}):
        with pytest.raises(ValueError, match="0 < lowest < highest and 10 steps"):
            kb.find_learning_rate(model, data, **options)
    weights = model.get_weights()
    with pytest.raises(ValueError, match="not finite at the first step, of rate 1e-07"):
        kb.find_learning_rate(
            model,
            data.map(lambda x, y, w: (x, y, {"classification": np.nan * w["classification"]})),
        )
    found = kb.find_learning_rate(model, data, highest=1e30, steps=12)
    assert len(found.losses) < 12 and np.isfinite(found.losses).all()
    assert all(map(np.array_equal, weights, model.get_weights()))
