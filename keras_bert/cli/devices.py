"""The flags that say where and in which precision a model is trained."""

from absl import flags


def define(values):
    """Declares `--strategy` and `--precision`."""
    flags.DEFINE_enum(
        "strategy", "auto", ["auto", "default", "mirrored"], "devices", flag_values=values
    )
    # Not auto by default: the same command is to compute the same on every machine.
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["auto", "float32", "mixed_bfloat16", "mixed_float16"],
        "dtype policy of the layers, weights stay float32; auto: by device and size, printed",
        flag_values=values,
    )


def precision(values, config):
    """What `--precision` stands for here: the dtype policy, and adamw's `loss_scale` with it."""
    from keras_bert.training.precision import precision as chosen

    policy = chosen(values.precision, config)
    if values.precision == "auto":
        print(f"precision: {policy}")
    return policy, "dynamic" if policy == "mixed_float16" else None
