"""Elements of the stream: arrays of examples as `(inputs, labels, sample_weights)`."""

import itertools

import numpy as np
import tensorflow as tf


def join(pieces):
    """One dict of arrays from a list of them."""
    if len(pieces) == 1:
        return dict(pieces[0])
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def element(examples):
    """`(inputs, labels, sample_weights)` from a dict of arrays."""
    inputs = dict(examples)
    labels = {"masked_lm": inputs.pop("mask_ids")}
    weights = {"masked_lm": inputs.pop("mask_weights")}
    if "next_sentence_labels" in inputs:
        labels["next_sentence"] = inputs.pop("next_sentence_labels")
        weights["next_sentence"] = np.ones(len(labels["next_sentence"]), np.float32)
    return inputs, labels, weights


def split(batch, parts):
    """Yields an element as so many, in order, whose rows differ by one at most."""
    rows = len(batch[0]["token_ids"])
    borders = [rows * part // parts for part in range(parts + 1)]
    for begin, end in itertools.pairwise(borders):
        yield tuple({name: array[begin:end] for name, array in part.items()} for part in batch)


def signature(rows, sequence_length, masks, has_pairs):
    """The `tf.TensorSpec` of an element; `rows` is None where batches differ in size."""
    row, masks = [rows, sequence_length], [rows, masks]
    inputs = dict.fromkeys(("token_ids", "segment_ids", "padding_mask"), row)
    inputs["mask_positions"] = masks
    labels = {"masked_lm": masks}
    if has_pairs:
        labels["next_sentence"] = [rows]
    return (
        {name: tf.TensorSpec(shape, tf.int32) for name, shape in inputs.items()},
        {name: tf.TensorSpec(shape, tf.int32) for name, shape in labels.items()},
        {name: tf.TensorSpec(shape, tf.float32) for name, shape in labels.items()},
    )
