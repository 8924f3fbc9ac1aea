"""What the workers of a run tell each other outside of a step: small arrays and plain values."""

import json

import numpy as np

from keras_bert.training.distribution import (
    is_chief,
    joined_strategy,
    num_workers,
    worker_index,
)


def gather_over_workers(array):
    """Gathers a small array of the same shape from every worker; all must call it together.

    Args:
        array: array of any shape and dtype.

    Returns:
        NumPy array `(workers, ...)`, the same on every worker.
    """
    array = np.asarray(array)
    if num_workers() == 1:
        return array[None]
    rows = np.zeros((num_workers(), *array.shape), array.dtype)
    rows[worker_index()] = array
    return _sum_of_bits(rows)


def from_chief(array):
    """The chief's array, on every worker; all must call it together.

    Args:
        array: on the chief a NumPy array; elsewhere any array of that shape and dtype.

    Returns:
        NumPy array, equal to the chief's bit for bit.
    """
    array = np.asarray(array)
    if num_workers() == 1:
        return array
    return _sum_of_bits(array if is_chief() else np.zeros_like(array))


def _sum_of_bits(array):
    """Sums arrays over the workers where all but one of them have zeros: exact for any dtype.

    They are summed as whole numbers, for -0.0 + 0.0 would be 0.0. (TensorFlow's own `gather` would
    trace a function anew at every call.)
    """
    if not array.size:
        return array
    import tensorflow as tf

    words = np.zeros(-(-array.nbytes // 4), np.int32)
    words.view(np.uint8)[: array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
    local, zeros = tf.constant(words), tf.zeros_like(words)
    distributed = joined_strategy()
    replicas = distributed.num_replicas_in_sync // num_workers()
    values = distributed.experimental_distribute_values_from_function(
        lambda context: zeros if context.replica_id_in_sync_group % replicas else local
    )
    words = distributed.reduce(tf.distribute.ReduceOp.SUM, values, axis=None).numpy()
    return words.view(np.uint8)[: array.nbytes].view(array.dtype).reshape(array.shape)


def plain_from_chief(value):
    """The chief's plain value (what JSON holds), on every worker; all must call it together."""
    if num_workers() == 1:
        return value
    text = np.frombuffer(json.dumps(value if is_chief() else None).encode(), np.uint8)
    length = int(from_chief(np.array(len(text), np.int64)))
    text = from_chief(text if is_chief() else np.zeros(length, np.uint8))
    return json.loads(text.tobytes())
