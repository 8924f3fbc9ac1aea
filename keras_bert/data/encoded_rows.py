"""Texts that were tokenized once, kept without padding, given out padded batch by batch."""

import hashlib

import numpy as np
import tensorflow as tf

_AT_ONCE = 1024


class EncodedRows:
    """What a preprocessor makes of all rows of a set.

    Args:
        texts: tensors with a row an example: a tensor, or a tuple of tensors, as `preprocess`
            takes it.
        preprocess: a preprocessor, with `uncut_lengths`.

    Attributes:
        lengths: int64 `(rows,)`, tokens of each row.
        truncated: int, rows that were cut.
    """

    def __init__(self, texts, preprocess):
        self._pad_id = preprocess.tokenizer.pad_id
        self._width = preprocess.sequence_length if preprocess.pad_to_sequence_length else None
        # A tuple of datasets' elements would reach `map` as two arguments.
        batches = (
            tf.data.Dataset.from_tensor_slices({"texts": texts})
            .batch(_AT_ONCE)
            .map(lambda batch: preprocess(batch["texts"]), num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(2)
        )
        parts = {}
        for inputs in batches.as_numpy_iterator():
            real = inputs.pop("padding_mask") == 1
            parts.setdefault("lengths", []).append(real.sum(axis=1))
            for name in ("token_ids", "segment_ids"):
                parts.setdefault(name, []).append(inputs.pop(name)[real])
            for name, value in inputs.items():  # as many values in every row
                parts.setdefault(name, []).append(value)
        joined = {name: np.concatenate(values) for name, values in parts.items()}
        self.lengths = joined.pop("lengths").astype("int64")
        self._tokens, self._segments = (
            tf.RaggedTensor.from_row_lengths(joined.pop(name), self.lengths)
            for name in ("token_ids", "segment_ids")
        )
        self._others = {name: tf.constant(value) for name, value in joined.items()}
        full = np.flatnonzero(self.lengths == preprocess.sequence_length)
        self.truncated = sum(
            _count_longer(texts, preprocess, full[start : start + _AT_ONCE])
            for start in range(0, len(full), _AT_ONCE)
        )

    def inputs(self, places):
        """The model's inputs for the rows at `places`, int64 `(batch,)`; runs in a graph."""
        ids = tf.gather(self._tokens, places)
        token_ids = ids.to_tensor(self._pad_id, shape=[None, self._width])
        segments = tf.gather(self._segments, places)
        return {
            "token_ids": token_ids,
            "segment_ids": segments.to_tensor(0, shape=[None, self._width]),
            "padding_mask": tf.sequence_mask(ids.row_lengths(), tf.shape(token_ids)[1], tf.int32),
            **{name: tf.gather(value, places) for name, value in self._others.items()},
        }


def _count_longer(texts, preprocess, places):
    """How many of the rows at `places` were cut."""
    rows = tf.nest.map_structure(lambda tensor: tf.gather(tensor, places), texts)
    is_longer = preprocess.uncut_lengths(rows) > preprocess.sequence_length
    return int(tf.math.count_nonzero(is_longer))


def digests(*columns):
    """A number for the texts of each row, uint64 `(rows,)`: equal texts, equal numbers.

    Args:
        *columns: lists of str, or of lists of str, with a row an example each.
    """
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")
            for row in zip(*columns, strict=True)
        ],
        "uint64",
    )
