"""The flags that say how labelled files are read, whichever job they are for."""

import inspect

from absl import flags

_NAMES = ("text_columns", "label_column", "header", "skip_bad_rows", "positive_score", "format")


def define(values):
    """Declares the flags; a job that has no use for one refuses it."""
    flags.DEFINE_list(
        "text_columns", None, "one or two columns; default: found", flag_values=values
    )
    flags.DEFINE_list(
        "label_column",
        None,
        "the column of labels, or several, each of one label or number; default: found",
        flag_values=values,
    )
    flags.DEFINE_list(
        "header", None, "columns of a TSV or CSV file without a header line", flag_values=values
    )
    flags.DEFINE_bool(
        "skip_bad_rows", None, "count bad rows and leave them out", flag_values=values
    )
    flags.DEFINE_enum(
        "format",
        None,
        ["sentences", "prose"],
        "fill_mask, next_sentence: layout of raw text; default: sentences",
        flag_values=values,
    )
    flags.DEFINE_float(
        "positive_score",
        None,
        "embedding: pairs of this score and above belong together; the others are left out",
        flag_values=values,
    )


def options(values):
    """The flags that were given, as arguments of a job's `read`."""
    found = given(values, *_NAMES)
    if len(found.get("label_column", [])) == 1:
        found["label_column"] = found["label_column"][0]
    return found


def given(values, *names):
    """The flags of these names that were given, a dict."""
    return {name: values[name].value for name in names if values[name].value is not None}


def call(function, *arguments, **options):
    """Calls a job's function with options of flags.

    Raises:
        ValueError: the job takes none of an option; the job was not begun.
    """
    unknown = sorted(set(options) - set(inspect.signature(function).parameters))
    if unknown:
        names = ", ".join(f"--{name}" for name in unknown)
        raise ValueError(f"{names} means nothing to this job; leave it out")
    return function(*arguments, **options)
