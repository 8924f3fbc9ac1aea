"""The flag of one model directory, or of several whose models answer together."""

from absl import flags


def define(values):
    """Declares `--preset`."""
    flags.DEFINE_list(
        "preset",
        None,
        "the model directory; several, A,B,C, make an ensemble, whose answers are averaged",
        flag_values=values,
    )


def read_preprocessor(presets, make):
    """The preprocessor of one or several model directories.

    Args:
        presets: list of str.
        make: function of a directory that returns its preprocessor.

    Raises:
        ValueError: they have other vocabularies, or make other tokens or rows.
    """
    first, *others = [(preset, make(preset)) for preset in presets]
    for preset, preprocess in others:
        for what, of in (
            ("vocabulary", lambda p: p.tokenizer.vocabulary),
            ("way to make tokens", lambda p: p.tokenizer.options),
            ("sequence_length", lambda p: p.sequence_length),
            ("settings of the preprocessor", lambda p: (type(p), p.settings())),
        ):
            if of(first[1]) != of(preprocess):
                raise ValueError(
                    f"{first[0]} and {preset} differ in their {what}; expected model directories "
                    "of one: text is made tokens once for all"
                )
    return first[1]


def read_model(presets, read, average_weights=False):
    """The model of one directory; of several their ensemble, or the mean of their weights.

    Args:
        presets: list of str.
        read: function of a directory that returns its model.
        average_weights: bool.

    Raises:
        ValueError: as `kb.ensemble` and `kb.averaged_weights`; one directory has no mean.
    """
    import keras_bert as kb

    if average_weights:
        return kb.averaged_weights(read(preset) for preset in presets)
    models = [read(preset) for preset in presets]
    return models[0] if len(models) == 1 else kb.ensemble(models)
