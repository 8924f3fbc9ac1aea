"""A sentence-transformers directory: Hugging Face's with modules behind it, read and written."""

import dataclasses
import json
import os

from keras_bert.checkpoints import huggingface
from keras_bert.preset_kind import read_json, transformer_folder

_MODULES_FILE = "modules.json"
_POOLING_FOLDER = "1_Pooling"
_NORMALIZE_FOLDER = "2_Normalize"

POOLINGS = ("mean", "cls", "max", "mean_sqrt_len_tokens")

# Before version 5 each way of pooling had a switch of its own.
_SWITCHES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_MODULE_CLASSES = {
    "Transformer": "sentence_transformers.models.Transformer",
    "Pooling": "sentence_transformers.models.Pooling",
    "Normalize": "sentence_transformers.models.Normalize",
}


def open_folder(folder, given=None):
    """Opens a directory of a transformer, pooling and, or not, normalization.

    Args:
        folder, given: as `huggingface.open_folder`.

    Returns:
        `Source` with `embedding`.

    Raises:
        FileNotFoundError, ValueError: as `huggingface.open_folder`; ValueError also where there
            are other modules, or another pooling than one of `POOLINGS`.
    """
    path = os.path.join(folder, _MODULES_FILE)
    inner = transformer_folder(folder)  # has checked that modules are objects with a type
    modules = read_json(path, list)
    kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ValueError(
            f"{path} lists the modules {', '.join(kinds)}; expected Transformer, Pooling and "
            "perhaps Normalize. BertBackbone.from_preset reads the transformer's own folder"
        )
    source = huggingface.open_folder(inner)
    embedding = {"pooling": _pooling(folder, path, modules[1]), "normalize": len(kinds) == 3}
    return dataclasses.replace(source, kind="sentence_transformers", embedding=embedding)


def write_modules(folder, pooling, normalize, dimension, sequence_length):
    """Writes what makes a Hugging Face directory one of sentence-transformers.

    The files are those that every version reads.

    Args:
        folder: str or path-like, a folder that exists.
        pooling: str, one of `POOLINGS`.
        normalize: bool.
        dimension: int, size of a token's vector.
        sequence_length: int, most tokens of a sentence, special ones included.

    Raises:
        OSError: a file cannot be written.
    """
    folders = {"Transformer": "", "Pooling": _POOLING_FOLDER}
    if normalize:
        folders["Normalize"] = _NORMALIZE_FOLDER
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": _MODULE_CLASSES[kind]}
        for place, (kind, path) in enumerate(folders.items())
    ]
    switches = {key: mode == pooling for key, mode in _SWITCHES.items()}
    _write(os.path.join(folder, _MODULES_FILE), modules)
    _write(
        os.path.join(folder, "sentence_bert_config.json"),
        {"max_seq_length": sequence_length, "do_lower_case": False},
    )
    _write(
        os.path.join(folder, _POOLING_FOLDER, "config.json"),
        {"word_embedding_dimension": dimension, **switches},
    )
    if normalize:
        os.makedirs(os.path.join(folder, _NORMALIZE_FOLDER), exist_ok=True)


def _pooling(folder, path, module):
    name = module.get("path")
    if not isinstance(name, str) or os.path.basename(name) != name or name in ("", ".", ".."):
        raise ValueError(
            f"{path}: the module Pooling has the path {name!r}; expected the name of a folder "
            "beside it, and nothing outside it is read"
        )
    path = os.path.join(folder, name, "config.json")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {path}, which {_MODULES_FILE} asks for")
    values = read_json(path)
    modes = values.get("pooling_mode")
    if modes is None:
        modes = [mode for switch, mode in _SWITCHES.items() if values.get(switch)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else list(modes)
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise ValueError(
            f"{path}: tokens are pooled by {' and '.join(map(str, modes))}; expected one of "
            f"{', '.join(POOLINGS)}"
        )
    if not values.get("include_prompt", True):
        raise ValueError(f"{path}: include_prompt is false; prompts are not told from texts here")
    return modes[0]


def _write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=2) + "\n")
