"""The flags that say where and in which precision a model is trained."""

from absl import flags


def define(values):
    """Declares `--strategy` and `--precision`."""
    flags.DEFINE_enum(
        "strategy", "auto", ["auto", "default", "mirrored"], "devices", flag_values=values
    )
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "mixed_bfloat16"],
        "dtype policy of the layers; weights stay float32",
        flag_values=values,
    )
