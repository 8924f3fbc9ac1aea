"""What TensorFlow needs around a training or evaluation step; the other backends need nothing."""

import contextlib
import re

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


def logs_of_workers(logs):
    """A step's logs in the form that Keras can average over the workers of a cluster.

    Keras 3 averages them along axis 0, which a scalar does not have (keras issue 20585); a vector
    of one number has it.
    """
    if keras.backend.backend() != "tensorflow":
        return logs
    import tensorflow as tf

    if not _is_multi_worker(tf.distribute.get_strategy()):
        return logs
    return {name: tf.reshape(value, (1,)) for name, value in logs.items()}


def deal_out(data, strategy):
    """Data that knows its rows (`kb.data.pretraining`) as a dataset of a strategy.

    Each worker then makes its own rows alone, in as many parts as it has replicas. TensorFlow
    would make every row on every worker, and throw away those of the others.

    Args:
        data: a dataset with the attribute `stream`, or anything else, which is returned as it is.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `tf.distribute.DistributedDataset`, or `data`.
    """
    stream = getattr(data, "stream", None)
    replicas = strategy.num_replicas_in_sync
    if stream is None or replicas == 1:
        return data
    if stream.batch_size % replicas:
        raise ValueError(
            f"batch_size is {stream.batch_size} and there are {replicas} replicas; expected a "
            f"multiple, for instance {-(-stream.batch_size // replicas) * replicas}"
        )
    import tensorflow as tf

    def own_rows(context):
        workers = context.num_input_pipelines
        return stream.dataset(
            shard=context.input_pipeline_id, num_shards=workers, parts=replicas // workers
        )

    options = tf.distribute.InputOptions(experimental_fetch_to_device=False)
    return strategy.distribute_datasets_from_function(own_rows, options)


def check_scope(variables, strategy):
    """Refuses metrics made outside of the strategy: each worker would show its own rows' alone."""
    for variable in variables:
        if not strategy.extended.variable_created_in_scope(variable.value):
            raise ValueError(
                f"{variable.path}, a metric, was made outside of the strategy; make losses "
                "and metrics, kb.losses.pretraining() and the like, inside `with strategy.scope():`"
            )


def element_spec(dataset):
    """The shapes and dtypes of a dataset's elements, one replica's where it is dealt out."""
    return keras.tree.map_structure(
        lambda spec: getattr(spec, "_value_specs", (spec,))[0], dataset.element_spec
    )


def lost_workers(message):
    """Names the workers whose loss TensorFlow's error message tells of; "" where it does not."""
    if "Collective ops is aborted" not in message and "unhealthy" not in message:
        return ""
    tasks = sorted({int(task) for task in re.findall(r"/task:(\d+)", message)})
    return "worker " + ", ".join(map(str, tasks)) if tasks else "a worker"


def _is_multi_worker(strategy):
    import tensorflow as tf

    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )
