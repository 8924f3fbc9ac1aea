"""A tiny pretrainer and batches on which masks fall unevenly, for tests of the training step."""

import keras
import numpy as np
import tensorflow as tf

import keras_bert as kb

LENGTH, MASKS, VOCABULARY = 10, 4, 40


def arrays(rows, batch=8):
    """Inputs, labels and weights: the second half of each batch has few masks, or none."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(4, LENGTH + 1, (rows, 1))
    inputs = {
        "token_ids": rng.integers(0, VOCABULARY, (rows, LENGTH)),
        "segment_ids": rng.integers(0, 2, (rows, LENGTH)),
        "padding_mask": np.arange(LENGTH) < lengths,
        "mask_positions": rng.integers(0, lengths, (rows, MASKS)),
    }
    labels = {
        "masked_lm": rng.integers(0, VOCABULARY, (rows, MASKS)),
        "next_sentence": rng.integers(0, 2, rows),
    }
    rate = np.where(np.arange(rows) % batch < batch // 2, 0.9, 0.1)[:, None]
    weights = {"masked_lm": rng.random((rows, MASKS)) < rate, "next_sentence": np.ones(rows)}
    return (
        {name: value.astype("int32") for name, value in inputs.items()},
        labels,
        {name: value.astype("float32") for name, value in weights.items()},
    )


def dataset(rows, batch=8):
    """The same as `tf.data`; the last batch is partial."""
    return tf.data.Dataset.from_tensor_slices(arrays(rows, batch)).batch(batch)


def pretrainer(optimizer=None, dropout=0.0, strategy=None, loss=None, dtype=None, **options):
    """A pretrainer, always the same, far from its start, so that its gradients are large."""
    keras.utils.set_random_seed(11)
    with (strategy or tf.distribute.get_strategy()).scope():
        config = kb.BertConfig(
            vocabulary_size=VOCABULARY,
            num_layers=1,
            hidden_dim=16,
            num_heads=2,
            max_sequence_length=12,
            dropout=dropout,
            attention_dropout=dropout,
        )
        model = kb.BertPretrainer(kb.BertBackbone(config, dtype=dtype, **options))
        for weight in model.weights:
            if len(weight.shape) > 1:
                weight.assign(weight * 10)
        if optimizer is None:
            optimizer = kb.optimizers.adamw(1e-2, clip_norm=0.3)
        model.compile(optimizer, **(loss or kb.losses.pretraining()))
    return model


def difference(model, other):
    """The largest difference of two models' weights (or of lists of arrays)."""
    pairs = zip(*(getattr(m, "get_weights", lambda m=m: m)() for m in (model, other)), strict=True)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)
