"""The flags that say how labelled files are read, whichever job they are for."""

from absl import flags


def define(values):
    """Declares the flags; a job that has no use for one refuses it."""
    flags.DEFINE_list(
        "text_columns", None, "one or two columns; default: found", flag_values=values
    )
    flags.DEFINE_string(
        "label_column", None, "the column of labels; default: label", flag_values=values
    )


def options(values):
    """The flags that were given, as arguments of a job's `read`."""
    names = ("text_columns", "label_column")
    return {name: values[name].value for name in names if values[name].value is not None}


def read(job, path, *arguments, **options):
    """Calls a job's `read`.

    Raises:
        ValueError: the job takes none of an option.
    """
    try:
        return job.read(path, *arguments, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        name = str(error).rsplit("'", 2)[-2]
        raise ValueError(f"--{name} means nothing to this job; leave it out") from error
