"""A Hugging Face model directory: `config.json` and `model.safetensors`, read and written."""

import json
import os

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from keras_bert.checkpoints import config_file, names
from keras_bert.checkpoints.safetensors_files import WEIGHTS_FILE, SafetensorsFiles
from keras_bert.checkpoints.source import Source


def open_folder(folder, given=None):
    """Opens a directory as Transformers and `save_preset` write it.

    Args:
        folder: str, a folder on this machine.
        given: not read; other kinds find in it which checkpoint of a folder is meant.

    Returns:
        `Source`.

    Raises:
        FileNotFoundError, ValueError: as `read_json`, `config_of` and `SafetensorsFiles`.
    """
    path, values = config_file.read_json(folder)
    config = config_file.config_of(values, path)
    return Source("huggingface", folder, config, path, SafetensorsFiles(folder), values)


def write_folder(folder, model, pad_id):
    """Writes `config.json` and `model.safetensors` as Hugging Face's class for a model reads them.

    Args:
        folder: str or path-like, a folder that exists.
        model: a model of this package.
        pad_id: int, the tokenizer's padding token.

    Raises:
        OSError: a file cannot be written.
        ValueError: the model or one of its weights has no name in this layout.
    """
    values = config_file.config_values(
        model.config,
        names.architecture(model),
        labels=getattr(model, "labels", None),
        problem_type=getattr(model, "problem_type", None),
        classifier_dropout=getattr(model, "dropout_rate", None),
        pad_token_id=pad_id,
        no_answer_threshold=getattr(model, "no_answer_threshold", None),
    )
    values.update(getattr(model, "own_values", dict)())
    save_weights(model, folder)
    with open(os.path.join(folder, config_file.CONFIG_FILE), "w", encoding="utf-8") as file:
        file.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def save_weights(model, folder):
    """Writes `model.safetensors` alone; see `write_folder`."""
    skipped = "pooler" if names.has_unused_pooler(model) else None
    tensors = {}
    for tensor in names.model_tensors(model):
        if tensor.part == skipped:
            continue
        value = np.asarray(tensor.variable, "float32")
        # safetensors writes the buffer as it lies in memory: a transposed view would be wrong.
        tensors[tensor.name] = np.ascontiguousarray(value.T if tensor.transposed else value)
    path = os.path.join(folder, WEIGHTS_FILE)
    try:
        # Hugging Face takes the file as PyTorch's by this entry.
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(f"{path}: {error}") from error
    # The library makes it readable by its owner alone; a server often runs as another user.
    os.chmod(path, os.stat(folder).st_mode & 0o666)
