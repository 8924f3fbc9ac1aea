"""Rows for tests of `BertSeq2SeqLM`: sources and targets of different lengths, packed by hand.

Used in processes on TensorFlow and on JAX.
"""

import numpy as np

import keras_bert as kb

CONFIG = kb.BertConfig(
    vocabulary_size=23, num_layers=2, hidden_dim=12, num_heads=3, max_sequence_length=20
)
CLS, SEP, PAD = 1, 2, 0


def rows(seed=0, source_lengths=(2, 5, 3), target_lengths=(6, 1, 3)):
    """Lists of source tokens and of target tokens, without special ones."""
    rng = np.random.default_rng(seed)
    draw = [
        [rng.integers(3, 23, n).tolist() for n in lengths]
        for lengths in (source_lengths, target_lengths)
    ]
    return tuple(draw)


def packed(sources, targets, more=0):
    """The inputs of training, and the next tokens `(rows, targets)`, 0 where there is none."""
    whole = [[CLS, *a, SEP, *b, SEP] for a, b in zip(sources, targets, strict=True)]
    width, slots = max(map(len, whole)) + more, max(map(len, targets)) + 1
    inputs = {
        name: np.zeros((len(whole), width), "int32")
        for name in ("token_ids", "segment_ids", "padding_mask")
    }
    inputs["target_positions"] = np.zeros((len(whole), slots), "int32")
    labels = np.zeros((len(whole), slots), "int32")
    for row, (tokens, source) in enumerate(zip(whole, sources, strict=True)):
        first, count = len(source) + 2, len(tokens) - len(source) - 2
        inputs["token_ids"][row, : len(tokens)] = tokens
        inputs["padding_mask"][row, : len(tokens)] = 1
        inputs["segment_ids"][row, first : len(tokens)] = 1
        inputs["target_positions"][row, :count] = np.arange(first - 1, first - 1 + count)
        labels[row, :count] = tokens[first:]
    return inputs, labels


def packed_sources(sources, more=0):
    """The inputs to write from."""
    inputs, _ = packed(sources, [[]] * len(sources), more)
    del inputs["target_positions"]
    real = np.arange(inputs["token_ids"].shape[1]) < np.array([[len(a) + 2] for a in sources])
    width = max(len(a) for a in sources) + 2 + more
    return {
        "token_ids": np.where(real, inputs["token_ids"], PAD)[:, :width],
        "segment_ids": np.zeros_like(inputs["token_ids"])[:, :width],
        "padding_mask": real.astype("int32")[:, :width],
    }
