"""Writes vocab.txt: special tokens first, one token a line; the same for the same text."""

from absl import flags

REQUIRED = ["input", "output"]


def define(values):
    """Declares the flags."""
    flags.DEFINE_multi_string(
        "input", None, "text file or glob, also .gz; may be repeated", flag_values=values
    )
    flags.DEFINE_string("output", None, "the vocabulary file to write", flag_values=values)
    flags.DEFINE_integer(
        "size", 30_000, "most entries, special tokens included", lower_bound=6, flag_values=values
    )
    flags.DEFINE_bool("lowercase", True, "lower-case and strip accents", flag_values=values)
    flags.DEFINE_integer(
        "min_frequency", 2, "times a piece must occur", lower_bound=1, flag_values=values
    )
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)


def main(values):
    """Trains and writes the vocabulary."""
    from keras_bert.cli.folders import refuse_existing
    from keras_bert.text.vocabulary import save_vocabulary, train_vocabulary

    refuse_existing(values.output, values.overwrite)
    vocabulary = train_vocabulary(
        values.input,
        size=values.size,
        lowercase=values.lowercase,
        min_frequency=values.min_frequency,
        show_progress=True,
    )
    save_vocabulary(vocabulary, values.output)
    print(f"{values.output}: {len(vocabulary):,} tokens")
