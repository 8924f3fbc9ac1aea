"""A corpus of text files as windows: pieces of some bytes that can be read in any order."""

import bisect
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from keras_bert.data.gzip_file import GzipFile, open_again
from keras_bert.data.mixture import Mixture, check_weights
from keras_bert.data.shards import ShardCorpus, is_prepared
from keras_bert.data.zstd_file import Scratch, ZstdFile
from keras_bert.text.files import expand_files

_EMPTY_LINE = re.compile(rb"\n[ \t\r]*\n")


def open_corpus(files, window_bytes, tokenizer=None, word_segmenter=None):
    """Opens a corpus, of whichever kind `files` names.

    Args:
        files: as for `Corpus`; or folders that `keras-bert prepare` wrote, see `ShardCorpus`; or a
            dict of these (a list as a tuple) to their weights, for a `Mixture`.
        window_bytes: int, for text files.
        tokenizer, word_segmenter: for prepared folders, as for `ShardCorpus`.

    Raises:
        FileNotFoundError, ValueError: as `Corpus`, `ShardCorpus` and `Mixture`; a weight is not
            greater than 0; there are both text files and prepared folders.
    """
    if isinstance(files, dict):
        check_weights(files)
        corpora = [open_corpus(_listed(n), window_bytes, tokenizer, word_segmenter) for n in files]
        prepared = [corpus.has_tokens for corpus in corpora]
        corpus = Mixture(corpora, list(files.values()))
    else:
        names = files if isinstance(files, (list, tuple)) else [files]
        prepared = [is_prepared(name) for name in names]
        if all(prepared) and prepared:
            corpus = ShardCorpus(names, tokenizer, word_segmenter)
        elif not any(prepared):
            corpus = Corpus(files, window_bytes)
    if any(prepared) and not all(prepared):
        raise ValueError(
            f"files: {sum(prepared)} of {len(prepared)} entries are prepared folders; expected "
            "text files or prepared folders alone. Prepare the text too."
        )
    return corpus


def _listed(name):
    return list(name) if isinstance(name, (tuple, frozenset)) else name


class Window(NamedTuple):
    """The bytes of one window.

    `file` and `index` say which one it is. `inside` says what it begins in the middle of: None
    where it begins a document, `"document"` where it begins at a line, `"line"` where a line
    longer than a window was cut.
    """

    file: int
    index: int
    data: bytes
    inside: str | None


class Corpus:
    """Text files, packed or not, cut into windows that tile them: nothing lost, nothing doubled.

    Window `k` of a file goes from border `k` to border `k + 1`. Border `k` is the first beginning
    of a document (after an empty line) at or after byte `k * window_bytes`; where the next
    `window_bytes` hold none, the first beginning of a line; where they hold none, the first
    beginning of a character. It depends on these bytes alone, so neighbours agree on it without
    reading more of the file, and the number of windows follows from the size of the file. Memory
    is bounded however long a document or a line is.

    Args:
        files: str, path-like, or a list of these: paths and globs; `.gz`, `.zst` or plain.
        window_bytes: int, bytes of text in a window, before decoding and after decompressing.

    Raises:
        FileNotFoundError: a file is missing, or a glob matches none.
        ValueError: all files are empty, or a compressed file is damaged.
        ModuleNotFoundError: a `.zst` file needs zstandard.
        OSError: there is no room to unpack a `.zst` file in.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "corpus.txt"
        >>> _ = path.write_bytes(b"A document.\\n" * 2 + b"\\nAnother document.\\n")
        >>> corpus = Corpus(path, window_bytes=24)
        >>> [corpus.read(number).data for number in range(corpus.num_windows)]
        [b'A document.\\nA document.\\n\\n', b'Another document.\\n']
    """

    has_tokens = False

    def __init__(self, files, window_bytes=1 << 17):
        if window_bytes < 16:
            raise ValueError(f"window_bytes is {window_bytes}; expected at least 16.")
        self.window_bytes = window_bytes
        paths = expand_files(files)
        # All snapshots together take at most about 90 MB, however many files there are.
        gzipped = sum(path.endswith(".gz") for path in paths)
        self._snapshots_per_file = 2048 // max(1, gzipped)
        self._scratch = Scratch() if any(path.endswith(".zst") for path in paths) else None
        # The size of compressed text is known only after reading through it, with the lock of
        # Python's interpreter released.
        with ThreadPoolExecutor(os.cpu_count()) as executor:
            readers = list(executor.map(self._open, paths))
        filled = [place for place, reader in enumerate(readers) if reader.size > 0]
        if not filled:
            raise ValueError(
                f"Every file is empty: {', '.join(paths[:5])}. Name files that hold text."
            )
        self.paths = [paths[place] for place in filled]
        self._readers = [readers[place] for place in filled]
        self.sizes = [reader.size for reader in self._readers]
        counts = [-(-size // window_bytes) for size in self.sizes]
        self._first_windows = np.cumsum([0, *counts]).tolist()
        self.num_windows = self._first_windows[-1]

    def window_sizes(self):
        """Bytes of each window up to where its borders moved, int64 `(num_windows,)`."""
        sizes = np.full(self.num_windows, self.window_bytes, np.int64)
        last = np.array(self._first_windows[1:]) - 1
        sizes[last] = (np.array(self.sizes) - 1) % self.window_bytes + 1
        return sizes

    def read(self, window):
        """Reads window number `window`, counted through all files; returns a `Window`."""
        file = bisect.bisect_right(self._first_windows, window) - 1
        index = window - self._first_windows[file]
        size, length = self.sizes[file], self.window_bytes
        # Two bytes more in front: an empty line that ends at the nominal border begins there.
        base = max(0, index * length - 2)
        data = self._readers[file].read(base, min(size, (index + 2) * length))
        begin, inside = 0, None
        if index > 0:
            begin, inside = _border(data, index * length - base, length)
        end = len(data)
        if (index + 1) * length < size:
            end, _ = _border(data, (index + 1) * length - base, length)
        return Window(file, index, data[begin:end], inside)

    def _open(self, path):
        if path.endswith(".gz"):
            return GzipFile(path, self.window_bytes, self._snapshots_per_file)
        if path.endswith(".zst"):
            return ZstdFile(path, self._scratch)
        return _PlainFile(path)


class _PlainFile:
    def __init__(self, path):
        self.path = path
        self.size = os.path.getsize(path)

    def read(self, start, stop):
        with open_again(self.path) as file:
            file.seek(start)
            data = file.read(stop - start)
        if len(data) < stop - start:
            raise ValueError(
                f"{self.path} has become shorter than its {self.size} bytes at the start of the "
                "run. A corpus must not change while it is read."
            )
        return data


def _border(data, nominal, length):
    """Where the window begins whose nominal place in `data` is `nominal`, and inside of what."""
    stop = nominal + length
    match = _EMPTY_LINE.search(data, nominal - 2, stop)
    if match:
        return match.end(), None
    newline = data.find(b"\n", nominal - 1, stop)
    if newline >= 0:
        return newline + 1, "document"
    # A UTF-8 character has at most three bytes 0b10xxxxxx behind its first one.
    for place in range(nominal, min(nominal + 4, len(data))):
        if data[place] & 0xC0 != 0x80:
            return place, "line"
    return nominal, "line"
