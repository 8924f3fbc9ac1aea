"""Documents that were tokenized once, given out in windows batch by batch."""

import numpy as np
import tensorflow as tf

_AT_ONCE = 256


class EncodedDocuments:
    """What a `TextClassifierPreprocessor` with `windows` makes of all rows of a set.

    Args:
        texts: string tensor `(rows,)`.
        preprocess: the preprocessor.

    Attributes:
        lengths: int64 `(rows,)`, tokens of each document that its windows hold, two special ones
            included.
        truncated: int, documents that were cut.
    """

    def __init__(self, texts, preprocess):
        self._preprocess = preprocess

        def encode(texts):
            ids = preprocess.tokenizer(texts)
            kept = ids[:, : preprocess.most_tokens]
            lengths = kept.row_lengths()
            return {"ids": kept.flat_values, "lengths": lengths, "cut": ids.row_lengths() > lengths}

        batches = (
            tf.data.Dataset.from_tensor_slices(texts)
            .batch(_AT_ONCE)
            .map(encode, num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(2)
        )
        parts = list(batches.as_numpy_iterator())
        found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._ids = tf.RaggedTensor.from_row_lengths(found["ids"], found["lengths"])
        self.lengths = found["lengths"].astype("int64") + 2
        self.truncated = int(found["cut"].sum())

    def inputs(self, places):
        """The model's inputs for the rows at `places`, int64 `(batch,)`; runs in a graph."""
        return self._preprocess.in_windows(tf.gather(self._ids, places))
