"""The flags that say how texts are written, for models that write."""

from absl import flags

_SAMPLERS = ("beam", "greedy", "random", "top_k", "top_p")


def define(values):
    """Declares the flags; a model that writes nothing refuses them."""
    flags.DEFINE_enum(
        "sampler",
        None,
        list(_SAMPLERS),
        "how a text is written token by token; default: as the model was saved, at first greedy",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "beams",
        None,
        "texts kept side by side by --sampler=beam",
        lower_bound=1,
        flag_values=values,
    )


def set_sampler(model, values):
    """Gives a model the sampler of the flags, where there is one.

    Raises:
        ValueError: the model writes nothing; beams for a sampler without.
    """
    if values.sampler is None and values.beams is None:
        return
    if not hasattr(model, "sampler"):
        raise ValueError("--sampler and --beams mean nothing to this job; leave them out")
    if values.beams is not None:
        if values.sampler not in (None, "beam"):
            raise ValueError(f"--beams is for --sampler=beam; received --sampler={values.sampler}")
        model.sampler = {
            "class_name": "keras_hub>BeamSampler",
            "config": {"num_beams": values.beams},
        }
    else:
        model.sampler = values.sampler
