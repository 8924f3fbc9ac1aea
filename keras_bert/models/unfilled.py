"""What a variable holds before a checkpoint fills it."""

import keras


def unfilled(shape, dtype):
    """Returns a tensor of any values, whose memory the system need not give before it is filled."""
    if keras.backend.backend() != "tensorflow":
        return keras.ops.zeros(shape, dtype=dtype)
    import tensorflow as tf

    # Its pages stay untouched. TensorFlow keeps what it once had, so that zeros would lie beside
    # the values of the file for as long as the process lives.
    return tf.raw_ops.Empty(shape=shape, dtype=dtype or keras.config.floatx(), init=False)
