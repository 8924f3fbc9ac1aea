"""A tiny classifier of three layers and its data, for tests of ways to fine-tune."""

import keras
import numpy as np

import keras_bert as kb

VOCABULARY, LENGTH, CLASSES = 30, 7, ["a", "b", "c"]


def classifier(dtype=None, seed=3, **changes):
    """A classifier far from its start, so that its gradients are large; not compiled."""
    keras.utils.set_random_seed(seed)
    values = {
        "vocabulary_size": VOCABULARY,
        "num_layers": 3,
        "hidden_dim": 12,
        "num_heads": 3,
        "max_sequence_length": 9,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        **changes,
    }
    model = kb.BertTextClassifier(kb.BertBackbone(kb.BertConfig(**values), dtype=dtype), CLASSES)
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 8)
    return model


def arrays(rows, seed=0):
    """Inputs, labels and weights; every third row weighs 0.5, the last one 0."""
    rng = np.random.default_rng(seed)
    weights = np.where(np.arange(rows) % 3 == 1, 0.5, 1.0).astype("float32")
    weights[-1] = 0.0
    inputs = {
        "token_ids": rng.integers(0, VOCABULARY, (rows, LENGTH)).astype("int32"),
        "segment_ids": rng.integers(0, 2, (rows, LENGTH)).astype("int32"),
        "padding_mask": (np.arange(LENGTH) < rng.integers(3, LENGTH + 1, (rows, 1))).astype(
            "int32"
        ),
    }
    labels = {"classification": rng.integers(0, len(CLASSES), rows).astype("int32")}
    return inputs, labels, {"classification": weights}


def dataset(rows=16, batch=8, seed=0):
    """The same as batches."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays(rows, seed)).batch(batch)


def weights_of(model):
    """Path of each weight, from the backbone on, to its value."""
    return {weight.path: weight.numpy() for weight in model.weights}


def moved(model, before):
    """The paths of the weights that differ from `weights_of` before."""
    return {p for p, value in weights_of(model).items() if not np.array_equal(value, before[p])}
