"""What the workers of a preparation do: text to pieces of tokens, pieces to shards.

Pieces are shuffled through files beside the output, not through the memory of whoever runs the
pipeline: a chunk of windows becomes one file with its pieces sorted by shard, and the writer of a
shard reads its part of every such file.

A piece is a document, or the part of a long one that lies in one window.
"""

import functools
import hashlib
import os
import struct
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from safetensors import safe_open

from keras_bert.data.corpus import Corpus
from keras_bert.data.documents import read_text
from keras_bert.data.nested import gather
from keras_bert.data.shard_files import token_dtype, write_arrays, write_shard
from keras_bert.data.words import jieba_continuations
from keras_bert.text.files import open_binary
from keras_bert.text.sentences import split_sentences
from keras_bert.text.tokenizer import BertTokenizer

# A document over more windows than these is taken for several.
_LONGEST_SEARCH = 64


class Settings(NamedTuple):
    """What the workers must know; plain values, for they travel."""

    folder: str
    vocabulary: tuple
    lowercase: bool
    strip_accents: bool
    split_chinese: bool
    added_tokens: tuple
    format: str
    word_segmenter: str | None
    drop_duplicates: bool
    shards: int
    seed: int
    window_bytes: int
    window_tokens: int


class Chunk(NamedTuple):
    """A run of windows of one file."""

    file: int
    path: str
    first: int
    end: int


def list_chunks(file, settings):
    """The chunks of a file, given as number and path; none where a gzipped one holds nothing."""
    file, path = file
    with open_binary(path) as content:
        if not content.read(1):
            return []
    windows = _corpus(path, settings.window_bytes).num_windows
    # So many chunks that all workers have some, and so large that a shard reads from few files.
    size = min(64, max(8, windows // 128))
    return [
        Chunk(file, path, first, min(windows, first + size)) for first in range(0, windows, size)
    ]


def tokenize_chunk(chunk, settings):
    """Tokenizes a chunk and leaves its pieces in a file, sorted by shard.

    Returns:
        `(name of the file, counts)`: counts of the lines that could not be read as they are.
    """
    corpus = _corpus(chunk.path, settings.window_bytes)
    tokenize = _tokenizer(settings)
    splitter = split_sentences if settings.format == "prose" else None
    dtype = token_dtype(len(settings.vocabulary))
    counts = {"invalid_lines": 0, "long_lines": 0}
    windows, last = [], None
    for number in range(chunk.first, chunk.end):
        text = read_text(corpus.read(number), settings.format, splitter)
        counts["invalid_lines"] += text.invalid_lines
        counts["long_lines"] += text.long_lines
        if not text.sentences:
            continue
        places = [(chunk.file, number, part) for part in range(int(text.parts[-1]) + 1)]
        begins = list(places)
        if text.continues:
            begins[0] = last or _beginning(corpus, number, chunk.file)
        last = begins[-1]
        windows.append(_pieces(*tokenize(text.sentences), text, places, begins, dtype, settings))
    name = f"chunk-{chunk.file:06d}-{chunk.first:08d}-{chunk.end - chunk.first:04d}.safetensors"
    arrays = _sorted_by_shard(_joined(windows, dtype, settings), settings.shards)
    write_arrays(os.path.join(settings.folder, name), arrays)
    return name, counts


def make_shard(shard, names, output, settings):
    """Gathers the pieces of a shard from all chunks, in the order of their keys, and writes it.

    Returns:
        `(entry of the manifest, counts)`.
    """
    dtype = token_dtype(len(settings.vocabulary))
    # Sorted, so that of equal pieces the first in the order of the files stays.
    parts = [_read_part(os.path.join(settings.folder, name), shard) for name in sorted(names)]
    pieces = _joined([part for part in parts if part], dtype, settings)
    keys = pieces["keys"]
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    duplicates = 0
    if settings.drop_duplicates:
        is_first = np.any(np.diff(keys[order], axis=0, prepend=~keys[order[:1]]) != 0, axis=-1)
        duplicates = int(np.sum(pieces["continues"][order[~is_first]] == 0))
        order = order[is_first]
    pieces = gather(pieces, order)
    del pieces["keys"]
    name = f"shard-{shard:05d}-of-{settings.shards:05d}.safetensors"
    entry = write_shard(output, name, pieces, settings.window_tokens)
    counts = {name: entry[name] for name in ("documents", "sentences", "tokens")}
    return entry, {**counts, "duplicates": duplicates}


@functools.lru_cache(maxsize=1)
def _corpus(path, window_bytes):
    return Corpus(path, window_bytes)


@functools.lru_cache(maxsize=1)
def _tokenizer(settings):
    """Callable from sentences to tokens, tokens of each sentence, and whether each continues a
    word, or None."""
    tokenizer = BertTokenizer(
        list(settings.vocabulary),
        settings.lowercase,
        settings.strip_accents,
        settings.split_chinese,
        dict(settings.added_tokens),
    )
    if settings.word_segmenter == "jieba":
        return jieba_continuations(tokenizer)

    def tokenize(sentences):
        ragged = tokenizer(tf.constant([sentence.encode() for sentence in sentences]))
        return ragged.flat_values.numpy(), ragged.row_lengths().numpy(), None

    return tokenize


def _beginning(corpus, window, file):
    """Where the document began that window number `window` goes on with: its id's place."""
    for number in range(window - 1, max(-1, window - 1 - _LONGEST_SEARCH), -1):
        # Documents end at empty lines in either format.
        text = read_text(corpus.read(number))
        if text.sentences:
            part = int(text.parts[-1])
            if part > 0 or not text.continues:
                return file, number, part
    return file, window, 0


def _pieces(tokens, lengths, flags, text, places, begins, dtype, settings):
    """The pieces of a window as arrays; those without any token are left out."""
    parts = text.parts[lengths > 0]
    lengths = lengths[lengths > 0].astype(np.uint32)
    tokens = tokens.astype(dtype)
    kept, sentences = np.unique(parts, return_counts=True)
    ends = np.cumsum(lengths, dtype=np.int64)[np.cumsum(sentences) - 1] if len(kept) else []
    first_sentence, first_token, keys = 0, 0, []
    seed = settings.seed.to_bytes(16, "little")
    for part, number, end in zip(kept.tolist(), sentences.tolist(), ends, strict=True):
        digest = hashlib.blake2b(digest_size=16, key=seed)
        digest.update(lengths[first_sentence : first_sentence + number])
        digest.update(tokens[first_token:end])
        if not settings.drop_duplicates:
            # Copies are to lie apart from each other.
            digest.update(struct.pack("<3q", *places[part]))
        keys.append(digest.digest())
        first_sentence, first_token = first_sentence + number, end
    arrays = {
        "tokens": tokens,
        "lengths": lengths,
        "sentences": sentences.astype(np.uint32),
        "documents": np.array([_id(begins[part]) for part in kept.tolist()], np.uint64),
        "continues": np.array([begins[part] != places[part] for part in kept.tolist()], np.uint8),
        "keys": np.frombuffer(b"".join(keys), ">u8").astype(np.uint64).reshape(-1, 2),
    }
    if flags is not None:
        arrays["continues_word"] = flags.astype(np.uint8)
    return arrays


def _id(place):
    digest = hashlib.blake2b(struct.pack("<3q", *place), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _joined(pieces, dtype, settings):
    empty = {
        "tokens": np.zeros(0, dtype),
        "lengths": np.zeros(0, np.uint32),
        "sentences": np.zeros(0, np.uint32),
        "documents": np.zeros(0, np.uint64),
        "continues": np.zeros(0, np.uint8),
        "keys": np.zeros((0, 2), np.uint64),
    }
    if settings.word_segmenter:
        empty["continues_word"] = np.zeros(0, np.uint8)
    return {
        name: np.concatenate([array, *(p[name] for p in pieces)]) for name, array in empty.items()
    }


def _sorted_by_shard(pieces, shards):
    """The pieces sorted by shard, and `bounds`, `(shards + 1, 3)`: how many pieces, sentences and
    tokens lie before each shard's."""
    shard = (pieces["keys"][:, 0] % np.uint64(shards)).astype(np.int64)
    order = np.argsort(shard, kind="stable")
    pieces = gather(pieces, order)
    first_pieces = np.searchsorted(shard[order], np.arange(shards + 1))
    sentences = np.append(0, np.cumsum(pieces["sentences"], dtype=np.int64))[first_pieces]
    tokens = np.append(0, np.cumsum(pieces["lengths"], dtype=np.int64))[sentences]
    return {**pieces, "bounds": np.stack([first_pieces, sentences, tokens], axis=-1)}


def _read_part(path, shard):
    """The pieces of one shard in the file of a chunk; None where there are none."""
    with safe_open(path, framework="numpy") as file:
        begin, end = file.get_slice("bounds")[shard : shard + 2].tolist()
        if begin == end:
            return None
        unit = {"tokens": 2, "continues_word": 2, "lengths": 1}
        return {
            name: file.get_slice(name)[begin[unit.get(name, 0)] : end[unit.get(name, 0)]]
            for name in file.keys()  # noqa: SIM118
            if name != "bounds"
        }
