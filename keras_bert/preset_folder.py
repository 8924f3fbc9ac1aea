"""Where a checkpoint lies: in a folder, in a zip, or on the Hugging Face Hub."""

import os

from keras_bert import atomic, unpacking

_ONLINE = "hf://"
# Code that a repository may carry is never fetched, nor are pickles.
_FETCHED = ["*.json", "vocab.txt", "model*.safetensors", "0_Transformer/*"]
_NOT_FETCHED = ["*.bin", "*.h5", "*.msgpack", "*.onnx", "*.py", "onnx/*", "openvino/*"]


def find_preset(directory):
    """Returns the local folder of a checkpoint.

    Args:
        directory: str or path-like, a model directory; the prefix of a TensorFlow checkpoint in
            one (`folder/bert_model.ckpt`); a zip of one, as Google published them, which is
            unpacked into a temporary folder of this process; or
            `"hf://organization/name@revision"`, fetched from the Hugging Face Hub (or its cache),
            safetensors only. The revision is a commit, tag or branch; default: the newest.

    Returns:
        str, a folder that exists.

    Raises:
        FileNotFoundError: there is no such folder.
        ImportError: an `hf://` name without the package `huggingface_hub`.
        ValueError: an `hf://` name that is not `hf://organization/name` or `hf://name`; a zip that
            is damaged or holds names outside its folder.
        OSError: the Hub cannot be reached or has no such model.
    """
    directory = os.fspath(directory)
    if directory.startswith(_ONLINE):
        return _fetched(directory)
    if os.path.isfile(directory) and directory.endswith(".zip"):
        return unpacking.unpacked(directory)
    if not os.path.isdir(directory) and os.path.isfile(f"{directory}.index"):
        return os.path.dirname(directory) or "."
    return atomic.find_directory(directory)


def _fetched(address):
    name, _, revision = address.removeprefix(_ONLINE).partition("@")
    if not name or name.count("/") > 1 or name.startswith("/") or name.endswith("/"):
        raise ValueError(f"expected hf://organization/name or ...@revision; received {address!r}")
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"{address} needs the package huggingface_hub: pip install huggingface_hub. A "
            "folder on this machine needs nothing"
        ) from error
    try:
        return huggingface_hub.snapshot_download(
            name, revision=revision or None, allow_patterns=_FETCHED, ignore_patterns=_NOT_FETCHED
        )
    except ValueError as error:  # a name that the Hub does not allow
        raise ValueError(f"{address}: {error}") from error
