"""A batch with no label: losses are 0, gradients and metrics finite, for every kind of head."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

CASES = {  # compile arguments, output, labels, shape of the outputs
    "classification": (kb.losses.classification, {}, np.zeros(3, "int32"), (3, 4)),
    "focal": (kb.losses.classification, {"focal": 2.0}, np.zeros(3, "int32"), (3, 4)),
    "smoothed": (kb.losses.classification, {"label_smoothing": 0.1}, np.zeros(3, "int32"), (3, 4)),
    "multi_label": (kb.losses.multi_label_classification, {}, np.zeros((3, 4), "float32"), (3, 4)),
    "regression": (kb.losses.regression, {}, np.zeros((3, 2), "float32"), (3, 2)),
    "tokens": (kb.losses.token_classification, {}, np.zeros((3, 5), "int32"), (3, 5, 4)),
    "masked_lm": (kb.losses.masked_lm, {}, np.zeros((3, 2), "int32"), (3, 2, 9)),
    "next_sentence": (kb.losses.next_sentence, {}, np.zeros(3, "int32"), (3, 2)),
    "relation": (kb.losses.relation_classification, {}, np.zeros(3, "int32"), (3, 4)),
    "choice": (kb.losses.multiple_choice, {}, np.zeros(3, "int32"), (3, 4)),
    "span": (kb.losses.span, {}, np.zeros(3, "int32"), (3, 6)),
    "cosines": (kb.losses.cosine_regression, {}, np.zeros(3, "float32"), (3, 2, 4)),
    "in_batch": (kb.losses.in_batch_negatives, {}, np.arange(6).reshape(3, 2), (3, 2, 4)),
    "triplet": (kb.losses.triplet, {}, np.arange(9).reshape(3, 3), (3, 3, 4)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_batch_whose_weights_are_all_zero(name):
    make, options, labels, shape = CASES[name]
    arguments = make(**options)
    outputs = tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)
    nothing = np.zeros(labels.shape if name in ("tokens", "masked_lm") else 3, "float32")
    for loss in arguments["loss"].values():
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            value = loss(labels, outputs, sample_weight=nothing)
        assert float(value) == 0
        gradient = tape.gradient(value, outputs)
        assert gradient is None or not np.any(np.asarray(tf.convert_to_tensor(gradient)))
    for metrics in arguments.get("weighted_metrics", {}).values():
        for metric in metrics if isinstance(metrics, list) else [metrics]:
            metric.update_state(labels, outputs, sample_weight=nothing)
            assert np.isfinite(float(metric.result())), metric.name


def test_training_goes_on_over_a_text_without_a_word(tiny_vocabulary):
    """A batch of empty texts labels no token: the step changes nothing, the next one learns."""
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    size = {"num_layers": 1, "hidden_dim": 8, "num_heads": 2, "max_sequence_length": 16}
    keras.utils.set_random_seed(0)
    config = kb.BertConfig(vocabulary_size=tokenizer.vocabulary_size, dropout=0.0, **size)
    model = kb.BertTokenClassifier(kb.BertBackbone(config), labels=["O", "B-X", "I-X"])
    model.compile(keras.optimizers.SGD(0.1), **kb.losses.token_classification())
    rows = [{"text": "", "spans": []}, {"text": "a cat", "spans": [[2, 5, "X"]]}]
    preprocess = kb.TokenClassifierPreprocessor(tokenizer)
    data = kb.data.token_classification(rows, preprocess, batch_size=1, shuffle=False)
    empty, full = data
    assert float(tf.reduce_sum(empty[2]["token_classification"])) == 0
    before = [weight.numpy() for weight in model.trainable_weights]
    logs = model.train_on_batch(*empty, return_dict=True)
    assert logs["loss"] == 0 and all(np.isfinite(value) for value in logs.values())
    for one, other in zip(before, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    assert model.train_on_batch(*full, return_dict=True)["loss"] > 0
