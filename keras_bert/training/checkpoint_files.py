"""Checkpoints of a run: a folder each, whole or not there, with checksums.

    runs/tiny/step_0000000500/checkpoint.json      where training stood, checksum of the other file
                              state.safetensors    weights, optimizer, seeds, metrics

The newest `keep` are kept. One that cannot be trusted is passed over for the one before it.
"""

import hashlib
import json
import os
import re
import shutil
import warnings
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from keras_bert.atomic import atomic_directory

_STATE, _NOTES = "state.safetensors", "checkpoint.json"
_VERSION = 1


class Checkpoint(NamedTuple):
    """A checkpoint that is whole.

    Args:
        path: str, its folder.
        notes: dict of plain values, as they were given to `write`.
    """

    path: str
    notes: dict

    def arrays(self):
        """Reads the arrays: dict of str to NumPy array."""
        return load_file(os.path.join(self.path, _STATE))


def write(directory, step, arrays, notes, keep):
    """Writes the checkpoint of a step, then removes all but the newest `keep`.

    Args:
        directory: str, the folder of all checkpoints.
        step: int.
        arrays: dict of str to NumPy array.
        notes: dict of plain values, for JSON.
        keep: int, at least 1.

    Raises:
        OSError: it cannot be written; the earlier checkpoints are untouched.
    """
    path = os.path.join(directory, f"step_{step:010}")
    with atomic_directory(path, overwrite=True, marker=_NOTES) as temporary:
        state = os.path.join(temporary, _STATE)
        try:
            save_file(arrays, state)
        except SafetensorError as error:  # it hides the operating system's own
            raise OSError(f"{path} cannot be written: {error}") from error
        text = json.dumps({"version": _VERSION, "checksum": _checksum(state), "notes": notes})
        with open(os.path.join(temporary, _NOTES), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    for _, old in _found(directory)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def find_last(directory):
    """Finds the last checkpoint that is whole.

    Args:
        directory: str.

    Returns:
        A `Checkpoint`, or None where there is none.

    Warns:
        UserWarning: a newer one is damaged; it says which and why.

    Raises:
        ValueError: there are checkpoints, but not one of them is whole.
    """
    found = _found(directory)
    problems = []
    for _, path in found:
        try:
            checkpoint = _read(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(f"{path}: {error}")
            continue
        if problems:
            warnings.warn(
                f"damaged checkpoint passed over ({'; '.join(problems)}); going on from {path}",
                stacklevel=2,
            )
        return checkpoint
    if problems:
        raise ValueError(
            f"no checkpoint in {directory} is whole ({'; '.join(problems)}). Delete the folder to "
            "begin anew, or name another"
        )
    return None


def _found(directory):
    """Steps and folders of all checkpoints, the newest first."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    matches = filter(None, (re.fullmatch(r"step_(\d+)", name) for name in names))
    steps = sorted(((int(match[1]), match[0]) for match in matches), reverse=True)
    return [(step, os.path.join(directory, name)) for step, name in steps]


def _read(path):
    with open(os.path.join(path, _NOTES), encoding="utf-8") as file:
        value = json.load(file)
    if value["version"] != _VERSION:
        raise ValueError(f"version {value['version']}; this keras_bert reads {_VERSION}")
    found = _checksum(os.path.join(path, _STATE))
    if found != value["checksum"]:
        raise ValueError(f"{_STATE} has checksum {found}, expected {value['checksum']}")
    return Checkpoint(path, value["notes"])


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
