"""The files of a prepared corpus: shards of tokens in safetensors, and one manifest.

A shard holds documents one after the other, in these tensors:

| tensor | dtype | shape | |
|---|---|---|---|
| `tokens` | uint16, or uint32 for vocabularies over 65,536 | `(tokens,)` | |
| `lengths` | uint32 | `(sentences,)` | tokens of each sentence, none 0 |
| `sentences` | uint32 | `(documents,)` | sentences of each document, none 0 |
| `documents` | uint64 | `(documents,)` | equal where pieces are of one long document |
| `continues` | uint8 | `(documents,)` | 1 = a piece of a document that began in another one |
| `continues_word` | uint8 | `(tokens,)` | 1 = inside a word; only with a word segmenter |

| `windows` | int64 | `(windows, 4)` | documents, sentences, tokens and checksum of each |

Windows, runs of whole documents, can be read alone. A window's checksum is the CRC-32 of its part
of all tensors in the order above; the manifest holds that of `windows`, and with it of all.
"""

import contextlib
import json
import os
import zlib

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

MANIFEST = "manifest.json"
VERSION = 1
_ADVICE = "Copy the shard anew, or prepare the corpus anew with keras-bert prepare."
# Tensors by what they count: places in them come from the sums of the windows before.
_COUNTED_BY = {
    "tokens": 2,
    "lengths": 1,
    "sentences": 0,
    "documents": 0,
    "continues": 0,
    "continues_word": 2,
}


def token_dtype(vocabulary_size):
    """The smallest dtype that holds the ids."""
    return np.uint16 if vocabulary_size <= 1 << 16 else np.uint32


def write_arrays(path, arrays):
    """Writes a safetensors file, whole or not at all: workers of a cluster may try twice."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, temporary)
        # Readable for whoever may read the folder; safetensors makes files for the owner alone.
        os.chmod(temporary, os.stat(os.path.dirname(path)).st_mode & 0o666)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def write_shard(folder, name, arrays, window_tokens):
    """Writes a shard and returns its entry in the manifest.

    Args:
        folder: str.
        name: str, of the file.
        arrays: dict of the tensors above.
        window_tokens: int; a window begins with the first document at or after each multiple.
    """
    path = os.path.join(folder, name)
    last_sentences = np.cumsum(arrays["sentences"], dtype=np.int64)
    last_tokens = np.cumsum(arrays["lengths"], dtype=np.int64)[last_sentences - 1]
    first_tokens = np.concatenate([[0], last_tokens[:-1]])[: len(last_tokens)]
    begins = np.flatnonzero(np.diff(first_tokens // window_tokens, prepend=-1))
    ends = np.append(begins[1:], len(last_tokens))[: len(begins)]
    totals = np.stack([ends, last_sentences[ends - 1], last_tokens[ends - 1]], axis=-1)
    rows = np.diff(totals, axis=0, prepend=0)
    checksums = [
        _checksum(_slice(arrays, before, row))
        for before, row in zip((totals - rows).tolist(), rows.tolist(), strict=True)
    ]
    windows = np.column_stack([rows, np.array(checksums, np.int64)]).astype(np.int64)
    write_arrays(path, {**arrays, "windows": windows})
    return {
        "name": name,
        "bytes": os.path.getsize(path),
        "documents": int(np.sum(arrays["continues"] == 0)),
        "sentences": len(arrays["lengths"]),
        "tokens": len(arrays["tokens"]),
        "windows": len(windows),
        "checksum": zlib.crc32(windows),
    }


def read_windows(folder, shard):
    """Reads which windows a shard has, without reading these.

    Args:
        folder: str.
        shard: the shard's entry of the manifest.

    Returns:
        int64 `(windows, 4)`.

    Raises:
        FileNotFoundError: the shard is missing.
        ValueError: it is damaged.
    """
    path = os.path.join(folder, shard["name"])
    try:
        size = os.path.getsize(path)
        if size != shard["bytes"]:
            raise _damaged(path, f"it has {size:,} bytes, and {shard['bytes']:,} were written")
        with _open(path) as file:
            windows = file.get_tensor("windows")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: this shard is missing. {_ADVICE}") from None
    if len(windows) != shard["windows"] or zlib.crc32(windows) != shard["checksum"]:
        raise _damaged(path, "the checksum of its windows is another")
    return windows


def read_window(path, before, row):
    """Reads one window of a shard.

    Args:
        path: str.
        before: documents, sentences and tokens of the windows before, three ints.
        row: the window's entry: documents, sentences, tokens, checksum.

    Returns:
        Dict of the tensors' parts.

    Raises:
        FileNotFoundError: the shard has gone.
        ValueError: it is damaged.
    """
    with _open(path) as file:
        tensors = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        arrays = _slice(tensors, before, row)
    if _checksum(arrays) != row[3]:
        raise _damaged(path, f"the checksum of a window at token {before[2]:,} is another")
    return arrays


def write_manifest(folder, manifest):
    """Writes `manifest.json`."""
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)


def read_manifest(folder):
    """Reads `manifest.json` of a prepared folder.

    Raises:
        ValueError: it is not a manifest, or of another version.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        version = manifest["version"]
        manifest["tokenizer"], manifest["counts"]["tokens"]
        for shard in manifest["shards"]:
            shard["name"], shard["bytes"], shard["windows"], shard["checksum"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a whole manifest ({type(error).__name__}: {error}). Prepare the corpus "
            "anew with keras-bert prepare."
        ) from error
    if version != VERSION:
        raise ValueError(
            f"{path} is of version {version}, and this keras_bert reads version {VERSION}. Prepare "
            "the corpus anew with keras-bert prepare, or use the keras_bert that made it."
        )
    return manifest


def _slice(arrays, before, row):
    return {
        name: arrays[name][before[unit] : before[unit] + row[unit]]
        for name, unit in _COUNTED_BY.items()
        if name in arrays
    }


def _checksum(arrays):
    checksum = 0
    for name in _COUNTED_BY:
        if name in arrays:
            checksum = zlib.crc32(np.ascontiguousarray(arrays[name]), checksum)
    return checksum


@contextlib.contextmanager
def _open(path):
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _damaged(path, reason):
    return ValueError(f"{path} is damaged: {reason}. {_ADVICE}")
