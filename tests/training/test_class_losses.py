"""Label smoothing and the focal loss against NumPy; several labels and their report."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.training.evaluation import multi_label_report

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (9, 4))
LABELS = RNG.integers(0, 4, 9)
WEIGHTS = RNG.random(9) * (np.arange(9) != 2)


def log_probabilities():
    return LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing(smoothing):
    target = np.full((9, 4), smoothing / 4)
    target[np.arange(9), LABELS] += 1 - smoothing
    expected = -(target * log_probabilities()).sum(1) @ WEIGHTS / WEIGHTS.sum()
    loss = kb.losses.classification(label_smoothing=smoothing)["loss"]["classification"]
    assert float(loss(LABELS, LOGITS, WEIGHTS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("focal", [0.0, 0.5, 2.0])
def test_focal_loss(focal):
    logs = log_probabilities()[np.arange(9), LABELS]
    values = -((1 - np.exp(logs)) ** focal) * logs
    expected = values @ WEIGHTS / WEIGHTS.sum()
    loss = kb.losses.relation_classification(focal=focal)["loss"]["relation"]
    assert float(loss(LABELS, LOGITS, WEIGHTS)) == pytest.approx(expected, rel=1e-5)


def test_certain_logits_and_a_batch_without_a_label_have_gradients():
    for arguments in ({"focal": 0.5}, {"focal": 2.0}, {"label_smoothing": 0.1}, {}):
        loss = kb.losses.classification(**arguments)["loss"]["classification"]
        logits = tf.Variable([[200.0, -200.0], [-200.0, 200.0]])
        for weights in ([1.0, 1.0], [0.0, 0.0]):
            with tf.GradientTape() as tape:
                value = loss([0, 0], logits, weights)
            assert np.isfinite(value) and np.isfinite(tape.gradient(value, logits)).all()
            assert sum(weights) or float(value) == 0


def test_what_they_are_is_kept():
    loss = kb.losses.MeanCrossentropy(focal=2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))
    assert float(again(LABELS, LOGITS)) != float(kb.losses.MeanCrossentropy()(LABELS, LOGITS))
    for wrong in ({"focal": -1}, {"label_smoothing": 1.0}, {"focal": 1, "label_smoothing": 0.1}):
        with pytest.raises(ValueError, match="and not both; received"):
            kb.losses.classification(**wrong)


def test_report_of_several_labels():
    true = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]]
    told = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]
    report = multi_label_report(true, told, ["a", "b", "c"])
    # a: 1 hit of 1 told and 2 right; b: 2 of 3 and 2; c never.
    assert report["micro_f1"] == pytest.approx(2 * 3 / (4 + 4))
    assert report["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert report["subset_accuracy"] == 0.5
    row = {"precision": 2 / 3, "recall": 1, "f1": 4 / 5, "examples": 2}
    assert report["labels"]["b"] == pytest.approx(row)
    none = multi_label_report([[0]], [[0]], ["a"])
    assert (none["micro_f1"], none["macro_f1"], none["subset_accuracy"]) == (0, 0, 1)
    with pytest.raises(ValueError, match="received shapes"):
        multi_label_report([[0]], [[0, 1]], ["a"])
