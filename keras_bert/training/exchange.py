"""What the workers of a run tell each other outside of a step: small arrays and plain values."""

import json

import numpy as np

from keras_bert.training.distribution import is_chief, joined_strategy, num_workers


def gather_over_workers(array):
    """Gathers a small array of the same shape from every worker; all must call it together.

    Args:
        array: int64 or float array of any shape.

    Returns:
        NumPy array `(workers, ...)`, the same on every worker.
    """
    array = np.asarray(array)
    if num_workers() == 1:
        return array[None]
    import tensorflow as tf

    distributed = joined_strategy()
    local = tf.constant(array[None])

    def value(context):
        # Each worker's first replica brings the array, the others nothing.
        is_first = context.replica_id_in_sync_group % replicas == 0
        return local if is_first else local[:0]

    replicas = distributed.num_replicas_in_sync // num_workers()
    values = distributed.experimental_distribute_values_from_function(value)
    return distributed.gather(values, axis=0).numpy()


def from_chief(array):
    """The chief's array, on every worker; all must call it together.

    Args:
        array: on the chief a NumPy array; elsewhere any array of that shape and dtype.

    Returns:
        NumPy array, equal to the chief's bit for bit.
    """
    array = np.asarray(array)
    if num_workers() == 1 or not array.size:
        return array
    import tensorflow as tf

    # As whole numbers, whose sum with the others' zeros is exact; -0.0 + 0.0 would be 0.0.
    words = np.zeros(-(-array.nbytes // 4), np.int32)
    if is_chief():
        words.view(np.uint8)[: array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
    local, zeros = tf.constant(words), tf.zeros_like(words)
    distributed = joined_strategy()
    values = distributed.experimental_distribute_values_from_function(
        lambda context: local if context.replica_id_in_sync_group == 0 else zeros
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
