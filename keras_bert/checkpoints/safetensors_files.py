"""Tensors of a Hugging Face model directory, in one file or in shards, read one at a time."""

import json
import os

import numpy as np
from safetensors import SafetensorError, safe_open

from keras_bert.checkpoints.names import canonical

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = f"{WEIGHTS_FILE}.index.json"
_PICKLE = "pytorch_model.bin"


class SafetensorsFiles:
    """What a directory's safetensors files hold, by canonical names (see `names.canonical`).

    A tensor is copied out of a file that is opened for it alone: an open file stays mapped into
    memory, and its pages would count beside the model's.

    Args:
        directory: str, with `model.safetensors` or `model.safetensors.index.json`.

    Attributes:
        path: str, the file or the index, for messages.

    Raises:
        FileNotFoundError: the directory has neither, or lacks a shard.
        ValueError: a file is damaged, the index is no index, or it and its shards disagree.
    """

    def __init__(self, directory):
        single = os.path.join(directory, WEIGHTS_FILE)
        self.path = single if os.path.isfile(single) else os.path.join(directory, INDEX_FILE)
        if os.path.isfile(single):
            files = [single]
        elif os.path.isfile(self.path):
            index = _read_index(self.path)
            files = [os.path.join(directory, name) for name in sorted(set(index.values()))]
        else:
            raise FileNotFoundError(_advice(directory))
        self._found = {}  # canonical name -> file, stored name, shape, dtype
        stored = {}  # stored name -> file
        for path in files:
            for name, shape, dtype in _listed(path):
                if canonical(name) in self._found:
                    self._check_same(path, name)
                else:
                    self._found[canonical(name)] = path, name, shape, dtype
                stored[name] = os.path.basename(path)
        if files[0] != single:
            self._check_index(index, stored)

    def _check_same(self, path, name):
        """Refuses a tensor that is there already, but for an old name beside today's, equal."""
        other, known, _, _ = self._found[canonical(name)]
        if known == name:
            raise ValueError(
                f"{path} holds the tensor {name} once more: {other} has it too; expected it once"
            )
        if not np.array_equal(_read(path, name), _read(other, known)):
            raise ValueError(
                f"{path} holds the tensors {known} and {name}, two names of one, and they differ; "
                "expected them to be equal"
            )

    def _check_index(self, index, stored):
        for name in sorted(set(index) | set(stored)):
            if index.get(name) != stored.get(name):
                raise ValueError(
                    f"{self.path} places the tensor {name} in {index.get(name, 'no file')}, but "
                    f"it is in {stored.get(name, 'none of the files')}; is a shard of another "
                    "model among them?"
                )

    def __iter__(self):
        return iter(self._found)

    def __contains__(self, name):
        return name in self._found

    def stored_name(self, name):
        """The tensor's name in the file, or the one that a missing tensor would have there."""
        if name in self._found:
            return self._found[name][1]
        has_prefix = any(stored.startswith("bert.") for _, stored, _, _ in self._found.values())
        inner = name.startswith(("embeddings.", "encoder.", "pooler."))
        return f"bert.{name}" if has_prefix and inner else name

    def shape(self, name):
        """The shape in the file, tuple of int."""
        return self._found[name][2]

    def dtype(self, name):
        """The type in the file, as NumPy names it."""
        return self._found[name][3]

    def read(self, name):
        """The values, a NumPy array; dense kernels are (outputs, inputs)."""
        path, stored, _, _ = self._found[name]
        return _read(path, stored)


_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def _read(path, name):
    try:
        with safe_open(path, framework="np") as file:
            return file.get_tensor(name)
    except SafetensorError as error:
        raise ValueError(f"{path}: tensor {name}: {error}") from error


def _listed(path):
    """Lists the tensors of a file: name, shape, dtype. The header is checked with the file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {path}, which {INDEX_FILE} names")
    try:
        with safe_open(path, framework="np") as file:
            return [
                (name, tuple(part.get_shape()), _DTYPES.get(part.get_dtype(), part.get_dtype()))
                for name, part in ((name, file.get_slice(name)) for name in list(file.keys()))
            ]
    except SafetensorError as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{path} is no whole safetensors file ({size:,} bytes): {error}. Fetch it once more"
        ) from error


def _read_index(path):
    """Reads the index: tensor name -> file name beside it."""
    with open(path, encoding="utf-8") as file:
        try:
            index = json.load(file)["weight_map"]
            names = {str(name): str(shard) for name, shard in index.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{path} is no index of shards; expected JSON with "weight_map": '
                '{"tensor": "file", ...}'
            ) from error
    if not names:
        raise ValueError(f'{path}: "weight_map" is empty; expected the tensors of a model')
    for name, shard in names.items():
        if os.path.basename(shard) != shard or "\\" in shard or shard in ("", ".", ".."):
            raise ValueError(
                f"{path} places the tensor {name} in {shard!r}; expected the name of a file in the "
                "same folder, and nothing outside it is read"
            )
    return names


def _advice(directory):
    message = f"{directory} holds no {WEIGHTS_FILE} and no {INDEX_FILE}"
    if any(name.startswith("pytorch_model") for name in os.listdir(directory)):
        message += (
            f"; its {_PICKLE} is a pickle, which may run any code when it is opened and is not "
            "read. Save the model again with save_pretrained(..., safe_serialization=True)"
        )
    elif any(name in os.listdir(directory) for name in ("tf_model.h5", "flax_model.msgpack")):
        message += (
            "; weights of Transformers' TensorFlow and Flax classes are not read. Load them with "
            "a version below 5 and save the model with safe_serialization=True"
        )
    return message
