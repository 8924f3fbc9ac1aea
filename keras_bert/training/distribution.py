"""tf.distribute strategies by name, and who is who under them."""

import functools
import os

import keras

from keras_bert.training.cluster import Cluster

STRATEGIES = ("auto", "default", "mirrored", "multi_worker", "tpu")


def strategy(name="auto", timeout=300.0):
    """Makes a `tf.distribute` strategy; build and compile the model inside its `scope()`.

    On several machines make it before anything else that uses TensorFlow, a tokenizer included:
    TensorFlow joins the other workers when it starts.

    Args:
        name: str. `"default"`: one device. `"mirrored"`: all GPUs of this machine, or all logical
            CPU devices where there is no GPU. `"multi_worker"`: the devices of all workers that
            the variable TF_CONFIG names. `"tpu"`: all cores of the TPU of this machine, or of the
            one that the variable TPU_NAME names. `"auto"`: multi_worker where TF_CONFIG names two
            or more workers, tpu where there is one, mirrored where there are two or more GPUs,
            default elsewhere.
        timeout: float, seconds to wait for the other workers. Default 300.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: the name is not known, Keras does not run on TensorFlow, TF_CONFIG is missing
            or wrong, or there is no TPU.
        TimeoutError: a worker has not come; it is named.
        RuntimeError: TensorFlow was at work before it could join the other workers.

    Example:
        >>> with strategy("auto").scope():
        ...     model = BertPretrainer(BertBackbone(BertConfig.named("tiny")))
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy: expected one of {', '.join(STRATEGIES)}; received {name!r}")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "strategy: tf.distribute needs Keras on TensorFlow; Keras runs on "
            f"{keras.backend.backend()}. Use kb.distribution there"
        )
    import tensorflow as tf

    cluster = Cluster.from_environment()
    if name == "auto" and cluster is not None and len(cluster.workers) > 1:
        name = "multi_worker"
    if name == "multi_worker":
        if cluster is None:
            raise ValueError(
                "strategy('multi_worker'): the variable TF_CONFIG names no workers; expected JSON "
                f"like {Cluster(('host1:2222', 'host2:2222'), 0).to_environment()}"
            )
        return _multi_worker(cluster, timeout)
    has_tpu = "TPU_NAME" in os.environ or bool(tf.config.list_physical_devices("TPU"))
    if name == "tpu" or (name == "auto" and has_tpu):
        return _tpu()
    gpus = tf.config.list_logical_devices("GPU")
    if name == "default" or (name == "auto" and len(gpus) < 2):
        return tf.distribute.get_strategy()
    devices = gpus or tf.config.list_logical_devices("CPU")
    return _mirrored(tuple(device.name for device in devices))


@functools.cache
def _mirrored(devices):
    """One strategy a set of devices: collectives of two would take each other's keys."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(devices))


def _multi_worker(cluster, timeout):
    if not _joined:
        import tensorflow as tf

        cluster.wait(timeout)
        try:
            _joined.append((cluster, tf.distribute.MultiWorkerMirroredStrategy()))
        except RuntimeError as error:
            raise RuntimeError(
                f"strategy('multi_worker'): {error}. TensorFlow joins the other workers when it "
                "starts: make the strategy before a tokenizer, a model or data"
            ) from error
    return _joined[0][1]


# The cluster that this process has joined, with its strategy: at most one, for good.
_joined = []


@functools.cache
def _tpu():
    import tensorflow as tf

    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            f"strategy('tpu'): no TPU was found ({error}). On a TPU machine install "
            "tensorflow-tpu; elsewhere set TPU_NAME to its name"
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def is_chief():
    """Whether this process writes files and prints: true but on the second worker and later."""
    return not _joined or _joined[0][0].is_chief


def num_workers():
    """The processes that train together, 1 but under `strategy("multi_worker")`."""
    return len(_joined[0][0].workers) if _joined else 1


def joined_strategy():
    """The strategy over several workers that this process has joined, or None."""
    return _joined[0][1] if _joined else None


def worker_index():
    """Which of the workers this process is, from 0."""
    return _joined[0][0].index if _joined else 0


def sum_over_replicas(value):
    """Sums a scalar over the replicas of the step being run; alone, returns it as it is."""
    if keras.backend.backend() != "tensorflow":
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)
