"""The flag and the callback of what a training command leaves behind to watch it by."""

from absl import flags


def define(values):
    """Declares `--tensorboard`."""
    flags.DEFINE_bool(
        "tensorboard",
        True,
        "write events to OUTPUT/tensorboard",
        flag_values=values,
    )


def run_log(values, total_steps=None):
    """Makes the callback that writes figures, curves and events to `--output`.

    Args:
        values: the command's flags, with `output` and what `define` declares.
        total_steps: int or None, as in `kb.RunLog`.

    Returns:
        A `kb.RunLog`, which shows throughput and time left too.
    """
    import keras_bert as kb

    return kb.RunLog(values.output, total_steps=total_steps, tensorboard=values.tensorboard)
