"""Run folders: made if missing, never silently written over; pictures inside."""

import os


def refuse_existing(path, overwrite, ways="--overwrite"):
    """Raises FileExistsError where `path` exists (a folder: holds something), unless asked."""
    full = (os.path.isdir(path) and os.listdir(path)) or os.path.isfile(path)
    if full and not overwrite:
        raise FileExistsError(f"{path} exists; name another --output or pass {ways}")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)


def plot(kind, *arguments):
    """Draws with `keras_bert.plots`; says how to install matplotlib where it is missing."""
    from keras_bert import plots

    try:
        getattr(plots, kind)(*arguments)
    except ImportError as error:
        print(f"no picture: {error}")
