"""The flags that say where and in which precision a model is trained, and what follows."""

import os

from absl import flags

from keras_bert.cli.launch import launch
from keras_bert.cli.quiet import import_tensorflow
from keras_bert.training.cluster import Cluster


def define(values):
    """Declares `--strategy`, `--precision` and the flags of several workers."""
    flags.DEFINE_enum(
        "strategy",
        "auto",
        ["auto", "default", "mirrored", "multi_worker", "tpu"],
        "devices",
        flag_values=values,
    )
    # Not auto by default: the same command is to compute the same on every machine.
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["auto", "float32", "mixed_bfloat16", "mixed_float16"],
        "dtype policy of the layers, weights stay float32; auto: by device and size, printed",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "micro_batches",
        1,
        "parts a batch goes through the model in, with one update; for less memory",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_bool(
        "recompute",
        False,
        "compute activations again in the backward pass; for less memory",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "on_nonfinite",
        "stop",
        ["stop", "skip"],
        "what a step does whose loss or gradient is not finite",
        flag_values=values,
    )
    flags.DEFINE_list(
        "workers",
        [],
        "host:port of every worker, the same list on each; default: as TF_CONFIG says",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "worker_index", None, "which of --workers this one is", lower_bound=0, flag_values=values
    )
    flags.DEFINE_integer(
        "processes",
        1,
        "start so many workers on this machine and stop them together",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_float(
        "worker_timeout", 300.0, "seconds to wait for the others", flag_values=values
    )


def launched(name, values):
    """Runs the command in `--processes` workers, if there are to be several.

    Args:
        name: str, the command.
        values: its flags.

    Returns:
        bool, whether that was done: this process has then nothing more to do.

    Raises:
        RuntimeError: a worker failed.
    """
    if values.processes == 1:
        return False
    if values.workers:
        raise ValueError("--processes starts workers on this machine; give it or --workers")
    launch(name, values.processes, values)
    return True


def start(values):
    """Starts TensorFlow on the devices that the flags name, quietly.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        ValueError: `--workers` and `--worker_index` do not fit together.
        TimeoutError: a worker has not come.
    """
    if values.workers:
        index = values.worker_index
        if index is None or index >= len(values.workers):
            raise ValueError(
                f"--worker_index is {index}; expected 0 to {len(values.workers) - 1}, the place of "
                "this worker in --workers"
            )
        os.environ["TF_CONFIG"] = Cluster(tuple(values.workers), index).to_environment()
    elif values.worker_index is not None:
        raise ValueError("--worker_index needs --workers, host:port of every worker")

    def make():
        import keras_bert as kb

        return kb.strategy(values.strategy, timeout=values.worker_timeout)

    return import_tensorflow(make)


def precision(values, config):
    """What `--precision` stands for here: the dtype policy, and adamw's `loss_scale` with it."""
    from keras_bert.training.distribution import is_chief
    from keras_bert.training.precision import precision as chosen

    policy = chosen(values.precision, config)
    if values.precision == "auto" and is_chief():
        print(f"precision: {policy}")
    return policy, "dynamic" if policy == "mixed_float16" else None
