"""Losses and metrics of the task heads against NumPy, on one device, on two and in parts."""

import chain_by_hand
import keras
import numpy as np
import pytest
import tensorflow as tf
from models.head_models import HEADS, TRAINED, arrays, make

import keras_bert as kb
from keras_bert.training import metrics


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, "float64")))


def crossentropy(labels, logits):
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(-1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return -np.log(np.take_along_axis(probabilities, np.asarray(labels)[..., None], -1)[..., 0])


def binary(labels, logits):
    return -np.where(labels == 1, np.log(sigmoid(logits)), np.log(1 - sigmoid(logits)))


def weigh(values, weights):
    weights = np.asarray(weights, "float64")
    while weights.ndim < values.ndim:
        weights = weights[..., None]
    weights = np.broadcast_to(weights, values.shape)
    return (values * weights).sum() / weights.sum()


def expected_loss(name, y, outputs, w):
    """The loss of a batch by plain NumPy."""
    if name == "multi_label":
        return weigh(binary(y["classification"], outputs["classification"]), w["classification"])
    if name in ("regression", "score"):
        wanted, given = y["regression"], np.asarray(outputs["regression"], "float64")
        return weigh((given.reshape(wanted.shape) - wanted) ** 2, w["regression"])
    if name == "chain":
        y, outputs, w = (x["token_classification"] for x in (y, outputs, w))
        rows = zip(np.asarray(outputs, "float64"), y, w, strict=True)
        values = [
            chain_by_hand.likelihood(*row) * row[2].mean(where=row[2] > 0)
            for row in rows
            if row[2].any()
        ]
        return -np.sum(values) / w.sum()
    losses = [weigh(crossentropy(y[key], outputs[key]), w[key]) for key in y]
    return np.mean(losses)


@pytest.mark.parametrize("name", HEADS)
def test_loss_and_metrics_of_uneven_batches(name):
    """The loss is that of the batch; metrics are over all rows, whatever the batches."""
    model = make(name, seed=1)
    x, y, w = arrays(name, 7)
    model.compile(**HEADS[name][1]())
    logs = model.evaluate(x, y, sample_weight=w, batch_size=7, verbose=0, return_dict=True)
    outputs = {key: np.asarray(value) for key, value in model(x).items()}
    expected = expected_loss(name, y, outputs, w)
    even = expected_loss(name, y, outputs, {key: np.ones_like(v) for key, v in w.items()})
    assert abs(expected - even) > 1e-3  # weights matter
    assert logs["loss"] == pytest.approx(expected, rel=2e-5)
    assert logs["real_tokens"] == x["padding_mask"].sum()

    parts = model.evaluate(x, y, sample_weight=w, batch_size=3, verbose=0, return_dict=True)
    names = {
        "multi_label": {"label_accuracy", "micro_f1"},
        "regression": {"mean_absolute_error"},
        "score": {"mean_absolute_error"},
        "span": {"span_start_accuracy", "span_end_accuracy"},
    }.get(name, {"accuracy"})
    losses = {"span_start_loss", "span_end_loss"} if name == "span" else set()
    assert set(logs) == {*names, *losses, "loss", "real_tokens"}
    for each in names:
        assert parts[each] == pytest.approx(logs[each], rel=1e-5)
    if name == "span":
        for key in y:
            right = outputs[key].argmax(-1) == y[key]
            assert logs[f"{key}_accuracy"] == pytest.approx(weigh(right, w[key]), rel=1e-5)
    elif names == {"accuracy"}:
        (key,) = y
        right = outputs[key].argmax(-1) == y[key] if name != "chain" else None
        if right is None:
            rows = zip(outputs[key], w[key], strict=True)
            right = np.array([chain_by_hand.best(*row) for row in rows]) == y[key]
        assert logs["accuracy"] == pytest.approx(weigh(right, w[key]), rel=1e-5)
    elif names == {"mean_absolute_error"}:
        difference = np.abs(outputs["regression"].reshape(y["regression"].shape) - y["regression"])
        expected = weigh(difference, w["regression"])
        assert logs["mean_absolute_error"] == pytest.approx(expected, rel=1e-5)
    else:
        told, right = outputs["classification"] > 0, y["classification"] == 1
        weights = w["classification"]
        expected = weigh(told == right, weights)
        assert logs["label_accuracy"] == pytest.approx(expected, rel=1e-5)
        hits = (weights * (told & right)).sum()
        precision, recall = hits / (weights * told).sum(), hits / (weights * right).sum()
        f1 = 2 * precision * recall / (precision + recall)
        assert 0 < f1 < 1 and logs["micro_f1"] == pytest.approx(f1, rel=1e-5)


@pytest.mark.parametrize("name", ["multi_label", "regression"])
def test_gradients_are_finite_differences(name):
    rng = np.random.default_rng(2)
    loss = next(iter(HEADS[name][1]()["loss"].values()))
    labels = rng.integers(0, 2, (4, 3)).astype("float64")
    outputs = rng.normal(0, 2, (4, 3))
    weights = rng.choice([0.0, 1.0, 0.5], (4, 3))
    variable = tf.Variable(outputs.astype("float32"))
    with tf.GradientTape() as tape:
        value = loss(labels, variable, weights)
    gradient = tape.gradient(value, variable).numpy()
    key = "classification" if name == "multi_label" else "regression"

    def reference(outputs):
        return expected_loss(name, {key: labels}, {key: outputs}, {key: weights})

    assert float(value) == pytest.approx(reference(outputs), rel=1e-5)
    for place in np.ndindex(*outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        slope = (reference(outputs + step) - reference(outputs - step)) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-6)


def test_large_logits_overflow_nothing():
    loss = kb.losses.MeanBinaryCrossentropy()
    logits = tf.Variable([[200.0, -200.0, 200.0, -200.0]])
    with tf.GradientTape() as tape:
        value = loss([[1, 0, 0, 1]], logits)
    assert float(value) == pytest.approx(100.0)
    np.testing.assert_allclose(tape.gradient(value, logits), [[0, 0, 0.25, -0.25]], atol=1e-7)


@pytest.mark.parametrize("name", TRAINED)
def test_a_batch_without_any_label(name):
    model = make(name)
    x, y, w = arrays(name, 4)
    model.compile(optimizer=kb.optimizers.adamw(1e-2, weight_decay=0.0), **HEADS[name][1]())
    before = model.get_weights()
    nothing = {key: 0 * value for key, value in w.items()}
    logs = model.fit(x, y, sample_weight=nothing, verbose=0).history
    assert logs.pop("real_tokens") != [0]
    assert set(map(tuple, logs.values())) == {(0.0,)}
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_tokens_without_a_label_may_hold_any_class():
    loss = kb.losses.token_classification()["loss"]["token_classification"]
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2, 5, 3)).astype("float32")
    labels = rng.integers(0, 3, (2, 5))
    weights = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 0, 0]], "float32")
    expected = crossentropy(labels, logits)[weights == 1].mean()
    for other in (labels, np.where(weights == 1, labels, 0)):
        assert float(loss(other, logits, weights)) == pytest.approx(expected, rel=1e-6)


def test_shapes_that_do_not_fit_are_refused():
    wrong = [
        ((4,), (4, 2)),
        ((4, 3), (4, 2)),
        ((4, 1), (4, 2)),
        ((4, 2, 1), (4, 2)),
        ((3,), (4, 1)),
    ]
    for loss in (kb.losses.MeanSquaredError(), kb.losses.MeanBinaryCrossentropy()):
        for labels, outputs in wrong:
            with pytest.raises(ValueError, match=r"Received labels of shape .* expected one label"):
                loss(np.ones(labels), np.ones(outputs, "float32"))
        right = [loss(np.ones(s), np.zeros((4, 1), "float32")) for s in ((4,), (4, 1))]
        assert float(right[0]) == float(right[1]) > 0


def test_saved_and_read_back():
    for each in (
        kb.losses.MeanBinaryCrossentropy(name="mine"),
        kb.losses.MeanSquaredError(name="mine"),
        metrics.LabelAccuracy(name="mine"),
        metrics.MeanAbsoluteError(name="mine"),
        metrics.MicroF1(name="mine"),
    ):
        copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(each))
        assert type(copy) is type(each) and copy.name == "mine"


@pytest.mark.parametrize("name", TRAINED)
def test_two_replicas_and_parts_make_the_step_of_the_whole_batch(two_replicas, name):
    """Batches of 8 and 3 rows, most of the weight on the first replica."""
    report = two_replicas["heads"][name]
    assert report["moved"] > 0.01
    assert report["difference"] < 2e-6
    expected, logs = report["logs"]
    assert set(logs) == set(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(logs[key], values, rtol=1e-5, err_msg=key)
