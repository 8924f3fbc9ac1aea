"""Weights of a Hugging Face model directory: `model.safetensors`, read and written."""

import logging
import os

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from keras_bert.checkpoints import names

WEIGHTS_FILE = "model.safetensors"

# The output matrix is the token table; older files hold it once more under these names.
_TIED_TABLE = "cls.predictions.decoder.weight"
_BIAS_NAMES = {"cls.predictions.bias": "cls.predictions.decoder.bias"}

_logger = logging.getLogger(__name__)


def load_weights(model, directory):
    """Fills a model with the weights of a directory.

    Tensors are read one by one, so that memory holds the model and one tensor. All names and
    shapes are checked before the first variable changes. The file may have been written for any
    BERT: with or without the `bert.` prefix, with LayerNorm's old names, with other heads, without
    a pooler.

    Args:
        model: a built model of this package.
        directory: str or path-like, with `model.safetensors`.

    Returns:
        List of str, the tensors that the file lacks: a pooler or a head that starts anew. A
        warning lists them.

    Raises:
        FileNotFoundError: there is no `model.safetensors`.
        ValueError: the file is damaged, lacks a tensor of the backbone, has one too many, or one
            of another shape; the message names file, tensor, expected and received.
    """
    path = _weights_path(directory)
    try:
        with safe_open(path, framework="np") as file:
            found, new = _match(names.model_tensors(model), file, path)
            if names.has_unused_pooler(model):
                new = [name for name in new if "pooler." not in name]
            if hasattr(model, "masked_lm_head"):
                _check_tied(file, found, path)
            for name, tensor in found.items():
                value = file.get_tensor(name)
                tensor.variable.assign(value.T if tensor.transposed else value)
    except SafetensorError as error:
        raise ValueError(f"{path} is no whole safetensors file: {error}") from error
    if new:
        _logger.warning("%s has no %s: these start anew, to be trained", path, ", ".join(new))
    return new


def save_weights(model, directory):
    """Writes `model.safetensors` as Hugging Face's class for this model reads it.

    Args:
        model: a model of this package.
        directory: str or path-like, a folder that exists.

    Raises:
        OSError: the file cannot be written.
        ValueError: a weight has no name in this layout.
    """
    skipped = "pooler" if names.has_unused_pooler(model) else None
    tensors = {}
    for tensor in names.model_tensors(model):
        if tensor.part == skipped:
            continue
        value = np.asarray(tensor.variable, "float32")
        # safetensors writes the buffer as it lies in memory: a transposed view would be wrong.
        tensors[tensor.name] = np.ascontiguousarray(value.T if tensor.transposed else value)
    path = os.path.join(directory, WEIGHTS_FILE)
    try:
        # Hugging Face takes the file as PyTorch's by this entry.
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(f"{path}: {error}") from error
    # The library makes it readable by its owner alone; a server often runs as another user.
    os.chmod(path, os.stat(directory).st_mode & 0o666)


def classifier_size(directory):
    """Returns the number of classes of a directory's classifier, int; 0 where it has none."""
    path = _weights_path(directory)
    try:
        with safe_open(path, framework="np") as file:
            if "classifier.bias" not in file.keys():  # noqa: SIM118 - not a dict
                return 0
            return file.get_slice("classifier.bias").get_shape()[0]
    except SafetensorError as error:
        raise ValueError(f"{path} is no whole safetensors file: {error}") from error


def _weights_path(directory):
    directory = os.fspath(directory)
    path = os.path.join(directory, WEIGHTS_FILE)
    if os.path.isfile(path):
        return path
    message = f"{directory} holds no {WEIGHTS_FILE}"
    if os.path.isfile(f"{path}.index.json"):
        message += ", only shards of it, which are not read yet; join them into one file"
    elif os.path.isfile(os.path.join(directory, "pytorch_model.bin")):
        message += (
            "; its pytorch_model.bin is a pickle, which may run any code when it is opened and is "
            "not read. Save the model again with save_pretrained(..., safe_serialization=True)"
        )
    raise FileNotFoundError(message)


def _match(tensors, file, path):
    """Pairs the file's names with the model's tensors, after checking all of them."""
    stored = list(file.keys())
    # A file of the encoder alone has no prefix, one of a task has; either fits either.
    prefix = "bert." if any(name.startswith("bert.") for name in stored) else ""
    available = {_modern(name): name for name in stored}
    found, new = {}, []
    for tensor in tensors:
        name = tensor.name
        if tensor.part in ("backbone", "pooler"):
            name = prefix + name.removeprefix("bert.")
        stored_name = available.get(name) or available.get(_BIAS_NAMES.get(name))
        if stored_name is None:
            if tensor.part == "backbone":
                raise ValueError(
                    f"{path} lacks the tensor {name}; expected one of shape {tensor.shape}. Does "
                    "config.json belong to this file?"
                )
            new.append(name)
            continue
        shape = tuple(file.get_slice(stored_name).get_shape())
        if shape != tensor.shape:
            raise ValueError(
                f"{path}: tensor {stored_name} has shape {shape}; expected {tensor.shape} "
                "after config.json and the model"
            )
        found[stored_name] = tensor
    _check_extra(set(stored) - set(found), prefix, path)
    return found, new


def _check_extra(unused, prefix, path):
    """Refuses tensors of the backbone that the model has no place for; heads may be left."""
    heads = []
    for name in sorted(unused):
        inner = name.removeprefix(prefix)
        if inner in names.IGNORED or inner.startswith("pooler."):
            continue
        if inner.startswith(("embeddings.", "encoder.")):
            raise ValueError(
                f"{path} holds the tensor {name}, which a model of this config.json has no place "
                "for; expected the backbone of config.json and nothing beside it"
            )
        heads.append(name)
    if heads:
        _logger.info("%s: not used by this model: %s", path, ", ".join(heads))


def _check_tied(file, found, path):
    table = next(name for name in found if name.endswith("word_embeddings.weight"))
    if _TIED_TABLE in file.keys() and not np.array_equal(  # noqa: SIM118 - not a dict
        file.get_tensor(_TIED_TABLE), file.get_tensor(table)
    ):
        raise ValueError(
            f"{path}: {_TIED_TABLE} differs from {table}; expected them to be equal, since this "
            "model's masked-LM head scores against the token table itself"
        )


def _modern(name):
    for modern, old in names.OLD_NAMES.items():
        name = name.replace(old, modern)
    return name
