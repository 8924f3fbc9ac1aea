"""Batches of rows of about equal length, in an order of their own each epoch."""

import tensorflow as tf

# Rows are sorted by length within this many batches: enough for next to no padding, few enough
# for the batches of an epoch to differ from those of the last.
_CHUNK = 100


def length_batches(lengths, element, batch_size, shuffle, seed):
    """Makes the batches of a labelled set, from the lengths of its rows.

    Each epoch draws a new order from (seed, epoch), sorts rows by length within chunks of 100
    batches, and shuffles the batches: rows of a batch are about equally long. Every row comes once
    an epoch; the last batch may be smaller.

    Args:
        lengths: int `(rows,)`, the number of tokens of each row.
        element: function of the places of a batch's rows, int64 `(batch,)`, that returns the
            dataset's element; it runs in the graph.
        batch_size: int.
        shuffle: bool; False keeps the order of the rows.
        seed: int.

    Returns:
        `tf.data.Dataset` of known length with the method `set_epoch(epoch)`: which epoch, from 0,
        comes next; and the attribute `lengths`, int64 `(rows,)`.
    """
    lengths = tf.cast(lengths, tf.int64)
    count = int(tf.size(lengths))
    passes = Passes()
    if shuffle:
        epoch = tf.data.Dataset.from_generator(
            passes.begin, output_signature=tf.TensorSpec((), tf.int64)
        )
        order = epoch.flat_map(lambda epoch: _epoch(tf.stack([seed, epoch]), lengths, batch_size))
    else:
        order = tf.data.Dataset.range(count).batch(batch_size)
    dataset = order.map(element, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))
    dataset.set_epoch, dataset.lengths = passes.set_epoch, lengths.numpy()
    return dataset


def check_batch_size(batch_size):
    """Raises `ValueError` unless `batch_size` is a positive int."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive int; received {batch_size!r}")


class Passes:
    """Numbers the passes over the data: the only thing here that is not stateless."""

    def __init__(self):
        self._epoch = 0

    def set_epoch(self, epoch):
        self._epoch = epoch

    def begin(self):
        epoch, self._epoch = self._epoch, self._epoch + 1
        return [epoch]


def _epoch(seed, lengths, batch_size):
    """The places of the rows, a dataset of int64 `(batch,)`, in the order of one epoch."""
    order = tf.random.experimental.stateless_shuffle(tf.range(tf.size(lengths, tf.int64)), seed)
    # Chunk by chunk, short rows first: the sort key is (chunk, length).
    chunks = tf.range(tf.size(order, tf.int64)) // (_CHUNK * batch_size)
    keys = chunks * (tf.reduce_max(lengths) + 1) + tf.gather(lengths, order)
    order = tf.gather(order, tf.argsort(keys, stable=True))
    starts = tf.range(0, tf.size(order, tf.int64), batch_size)
    starts = tf.random.experimental.stateless_shuffle(starts, seed)
    return tf.data.Dataset.from_tensor_slices(starts).map(
        lambda start: order[start : start + batch_size]
    )
