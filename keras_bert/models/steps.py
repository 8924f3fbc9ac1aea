"""What TensorFlow needs around a training or evaluation step; the other backends need nothing."""

import contextlib

import keras

from keras_bert.training.whole_batch import in_part


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


def weighed_by_rows(loss, rows):
    """Gives a replica's loss the value that its weight in Keras's mean asks for.

    With `kb.losses` a replica's loss is its share of the loss of the whole batch, while Keras
    weighs it by the replica's rows. Where these differ, as in a last batch that does not divide
    evenly, the mean that is reported would be another than on one device. The gradient stays.
    """
    if keras.backend.backend() != "tensorflow" or in_part():
        return loss  # a batch in parts is weighed as a whole, afterwards
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return loss
    rows = tf.cast(rows, loss.dtype)
    mean_rows = context.all_reduce(tf.distribute.ReduceOp.MEAN, rows)
    # Exactly 1 where the rows are even; a replica without rows has no loss either.
    factor = tf.math.divide_no_nan(mean_rows, rows)
    return loss + tf.stop_gradient(loss * (factor - 1))
