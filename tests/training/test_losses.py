"""Losses and metrics against NumPy, alone and inside fit and evaluate."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import reference_bert as reference

import keras_bert as kb
from keras_bert.training.metrics import Perplexity

CONFIG = kb.BertConfig(
    vocabulary_size=13,
    num_layers=1,
    hidden_dim=8,
    num_heads=2,
    max_sequence_length=8,
    dropout=0.0,
    attention_dropout=0.0,
)


def crossentropy(labels, logits):
    """Minus the logarithm of the softmax at the label, in float64."""
    probabilities = reference.softmax(np.asarray(logits, "float64"))
    return -np.log(np.take_along_axis(probabilities, np.asarray(labels)[..., None], -1)[..., 0])


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (4, 3))
    logits = rng.normal(0, 4, (4, 3, 5)).astype("float32")
    weights = rng.choice([0.0, 1.0, 0.25, 2.0], (4, 3)).astype("float32")
    weights[1] = 0.0
    return labels, logits, weights


def test_mean_over_the_weights(values):
    labels, logits, weights = values
    losses = crossentropy(labels, logits)
    loss = kb.losses.MeanCrossentropy()
    expected = (losses * weights).sum() / weights.sum()
    assert abs(expected - losses.mean()) > 0.1  # weights matter
    assert float(loss(labels, logits, weights)) == pytest.approx(expected, rel=1e-6)
    assert float(loss(labels, logits)) == pytest.approx(losses.mean(), rel=1e-6)


def test_weights_of_rows_count_for_each_value_of_the_row(values):
    labels, logits, _ = values
    rows = np.array([0.5, 0.0, 2.0, 1.0], "float32")
    expected = (crossentropy(labels, logits) * rows[:, None]).sum() / (3 * rows.sum())
    for shape in ((4,), (4, 1), (4, 1, 1)):
        actual = kb.losses.MeanCrossentropy()(labels, logits, rows.reshape(shape))
        assert float(actual) == pytest.approx(expected, rel=1e-6)
    # A column of weights for single labels, as Keras users write it.
    single = kb.losses.MeanCrossentropy()(labels[:, 0], logits[:, 0], rows[:, None])
    expected = np.average(crossentropy(labels[:, 0], logits[:, 0]), weights=rows)
    assert float(single) == pytest.approx(expected, rel=1e-6)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        kb.losses.MeanCrossentropy()(labels, logits, np.ones(3, "float32"))


def test_no_weight_no_loss_and_no_nan(values):
    labels, logits, weights = values
    logits = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = kb.losses.MeanCrossentropy()(labels, logits, 0 * weights)
    assert float(loss) == 0.0
    np.testing.assert_array_equal(tape.gradient(loss, logits), np.zeros(logits.shape))


def test_gradient_is_softmax_minus_label(values):
    labels, logits, weights = values
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = kb.losses.MeanCrossentropy()(labels, variable, weights)
    difference = reference.softmax(logits.astype("float64")) - np.eye(5)[labels]
    expected = difference * weights[..., None] / weights.sum()
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, atol=1e-6)


def test_bfloat16_logits_are_summed_in_float32():
    logits = tf.zeros((1, 300, 2), "bfloat16")  # bfloat16 counts to 256 only
    loss = kb.losses.MeanCrossentropy()(np.zeros((1, 300)), logits, np.ones((1, 300)))
    assert float(loss) == pytest.approx(np.log(2), rel=1e-6)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError):
        kb.losses.MeanCrossentropy(reduction="sum")


def test_perplexity_over_batches_of_unequal_counts(values):
    labels, logits, weights = values
    metric = Perplexity()
    total = count = 0.0
    for rows in (slice(0, 1), slice(1, 2), slice(2, 4)):  # the second has no weight at all
        metric.update_state(labels[rows], logits[rows], weights[rows])
        total += (crossentropy(labels[rows], logits[rows]) * weights[rows]).sum()
        count += weights[rows].sum()
        assert float(metric.result()) == pytest.approx(np.exp(total / count), rel=1e-5)
    metric.reset_state()
    metric.update_state(labels, logits)
    expected = np.exp(crossentropy(labels, logits).mean())
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_saved_and_read_back():
    loss = kb.losses.MeanCrossentropy(name="mine")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(copy) is kb.losses.MeanCrossentropy and copy.name == "mine"
    metric = Perplexity(name="ours")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(copy) is Perplexity and copy.name == "ours"


@pytest.fixture(scope="module")
def trained():
    """A pretrainer, its data, and what fit, evaluate and predict say of it."""
    rng = np.random.default_rng(5)
    model = reference.randomize(kb.BertPretrainer(kb.BertBackbone(CONFIG)))
    model.compile(optimizer=keras.optimizers.SGD(0.0), **kb.losses.pretraining())
    x = reference.example_inputs(CONFIG, rows=7, masks=4)
    logits = model.predict(x, verbose=0)
    y = {"masked_lm": rng.integers(0, 13, (7, 4)), "next_sentence": rng.integers(0, 2, 7)}
    # Some labels are what the model says, so that accuracy is neither 0 nor 1.
    y["masked_lm"][:, ::2] = logits["masked_lm"].argmax(-1)[:, ::2]
    # Slots of weight 0 are all right: counted, they would lift the accuracy.
    w = {
        "masked_lm": (rng.random((7, 4)) < np.linspace(0.2, 1, 7)[:, None]).astype("float32"),
        "next_sentence": np.array([1, 0, 1, 2, 1, 1, 0.5], "float32"),
    }
    y["masked_lm"] = np.where(w["masked_lm"] == 0, logits["masked_lm"].argmax(-1), y["masked_lm"])
    fit = model.fit(x, y, sample_weight=w, batch_size=7, verbose=0).history
    evaluate = model.evaluate(x, y, sample_weight=w, batch_size=3, verbose=0, return_dict=True)
    return x, y, w, logits, {name: value[0] for name, value in fit.items()}, evaluate


def test_fit_reports_the_mean_over_real_masks(trained):
    _, y, w, logits, history, _ = trained
    expected = {}
    for name in ("masked_lm", "next_sentence"):
        losses = crossentropy(y[name], logits[name])
        expected[name] = np.average(losses, weights=w[name])
        assert history[f"{name}_loss"] == pytest.approx(expected[name], rel=1e-4)
    assert history["loss"] == pytest.approx(sum(expected.values()), rel=1e-4)


def test_metrics_leave_out_slots_of_weight_zero(trained):
    x, y, w, logits, history, evaluate = trained
    for name in ("masked_lm", "next_sentence"):
        right = logits[name].argmax(-1) == y[name]
        expected = np.average(right, weights=w[name])
        assert 0.05 < expected < 0.95
        assert abs(expected - right.mean()) > 0.02
        # evaluate saw batches of 3, 3 and 1, with more and more masks.
        for logs in (history, evaluate):
            assert logs[f"{name}_accuracy"] == pytest.approx(expected, rel=1e-5)
    losses = crossentropy(y["masked_lm"], logits["masked_lm"])
    perplexity = np.exp(np.average(losses, weights=w["masked_lm"]))
    for logs in (history, evaluate):
        assert logs["masked_lm_perplexity"] == pytest.approx(perplexity, rel=1e-4)
        assert logs["real_tokens"] == x["padding_mask"].sum()


def test_classification_alone():
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b", "c"])
    reference.randomize(model)
    model.compile(**kb.losses.classification())
    x = reference.without_positions(reference.example_inputs(CONFIG, rows=5))
    labels = np.array([0, 1, 2, 1, 1])
    logits = model.predict(x, verbose=0)["classification"]
    logs = model.evaluate(x, {"classification": labels}, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(crossentropy(labels, logits).mean(), rel=1e-5)
    assert logs["accuracy"] == pytest.approx((logits.argmax(-1) == labels).mean())


def test_masked_lm_alone():
    model = reference.randomize(kb.BertMaskedLM(kb.BertBackbone(CONFIG)))
    model.compile(**kb.losses.masked_lm())
    x = reference.example_inputs(CONFIG, rows=3, masks=2)
    y, w = np.array([[1, 2], [3, 0], [4, 0]]), np.array([[1, 1], [1, 0], [1, 0]], "float32")
    logits = model.predict(x, verbose=0)["masked_lm"]
    logs = model.evaluate(
        x, {"masked_lm": y}, sample_weight={"masked_lm": w}, verbose=0, return_dict=True
    )
    expected = np.average(crossentropy(y, logits), weights=w)
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    assert logs["perplexity"] == pytest.approx(np.exp(expected), rel=1e-4)
