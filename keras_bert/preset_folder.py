"""Where a model directory lies: on this machine, or on the Hugging Face Hub."""

import os

from keras_bert import atomic

_ONLINE = "hf://"
# Code that a repository may carry is never fetched, nor are pickles.
_FETCHED = ["*.json", "vocab.txt", "model.safetensors"]


def find_preset(directory):
    """Returns the local folder of a preset.

    Args:
        directory: str or path-like, a model directory; or `"hf://organization/name"`, fetched
            from the Hugging Face Hub (or its cache), safetensors only.

    Returns:
        str, a folder that exists.

    Raises:
        FileNotFoundError: there is no such folder.
        ImportError: an `hf://` name without the package `huggingface_hub`.
        ValueError: an `hf://` name that is not `hf://organization/name` or `hf://name`.
        OSError: the Hub cannot be reached or has no such model.
    """
    directory = os.fspath(directory)
    if not directory.startswith(_ONLINE):
        return atomic.find_directory(directory)
    name = directory.removeprefix(_ONLINE)
    if not name or name.count("/") > 1 or name.startswith("/") or name.endswith("/"):
        raise ValueError(f"expected hf://organization/name; received {directory!r}")
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"{directory} needs the package huggingface_hub: pip install huggingface_hub. A "
            "folder on this machine needs nothing"
        ) from error
    try:
        return huggingface_hub.snapshot_download(name, allow_patterns=_FETCHED)
    except ValueError as error:  # a name that the Hub does not allow
        raise ValueError(f"{directory}: {error}") from error
