"""Run folders: made if missing, never silently written over."""

import os


def refuse_existing(path, overwrite, ways="--overwrite"):
    """Raises FileExistsError where `path` exists (a folder: holds something), unless asked."""
    full = (os.path.isdir(path) and os.listdir(path)) or os.path.isfile(path)
    if full and not overwrite:
        raise FileExistsError(f"{path} exists; name another --output or pass {ways}")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
