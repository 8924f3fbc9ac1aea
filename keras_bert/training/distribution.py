"""tf.distribute strategies by name, and the one sum over replicas the losses need."""

import functools

import keras

STRATEGIES = ("auto", "default", "mirrored")


def strategy(name="auto"):
    """Makes a `tf.distribute` strategy; build and compile the model inside its `scope()`.

    Args:
        name: str. `"default"`: one device. `"mirrored"`: all GPUs of this machine, or all logical
            CPU devices where there is no GPU. `"auto"`: mirrored where there are two or more
            GPUs, default elsewhere.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: the name is not known, or Keras does not run on TensorFlow.

    Example:
        >>> with strategy("auto").scope():
        ...     model = BertPretrainer(BertBackbone(BertConfig.named("tiny")))
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy: expected one of {', '.join(STRATEGIES)}; received {name!r}")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "strategy: tf.distribute needs Keras on TensorFlow; Keras runs on "
            f"{keras.backend.backend()}. Use keras.distribution there"
        )
    import tensorflow as tf

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


def sum_over_replicas(value):
    """Sums a scalar over the replicas of the step being run; alone, returns it as it is."""
    if keras.backend.backend() != "tensorflow":
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def is_chief():
    """Whether this process writes what a run leaves behind."""
    return True
