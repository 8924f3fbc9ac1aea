"""What TensorFlow needs around a training or evaluation step; the other backends need nothing."""

import contextlib

import keras


@contextlib.contextmanager
def after(data):
    """Runs what is built inside it only once `data` has arrived.

    Keras asks the iterator for a batch inside the compiled step. When data of unknown length ends,
    that fails, but whatever does not depend on the batch may have run: the optimizer would count
    a step that never was, and the mean of a loss a batch that never was.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    with tf.control_dependencies([x for x in keras.tree.flatten(data) if tf.is_tensor(x)]):
        yield
