"""Documents that stand in a corpus more than once."""

import array
import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_bert.data.ahead import Ahead
from keras_bert.data.documents import read_lines


class Duplicates:
    """Finds the documents that are equal to one before them, in one pass over the corpus.

    Two documents are equal if they are so without their white space: line ends do not matter, nor
    where windows cut them. They are compared by 64 bits of a hash: among 100 million documents
    two different ones are taken for equal with a chance of about 1 to 4,000. Memory is 8 bytes a
    document while reading, some 40 while sorting, and 1 afterwards.

    Args:
        corpus: a corpus.
        workers: int, threads.

    Attributes:
        number: int, duplicates found.
    """

    def __init__(self, corpus, workers):
        # Documents are numbered in the order of the corpus.
        self._first = np.zeros(corpus.num_windows, np.int64)
        hashes = array.array("Q")
        open_hash = None

        def read(number):
            return _read(corpus.read(number))

        with ThreadPoolExecutor(workers, "keras_bert_duplicates") as executor:
            windows = Ahead(read, ((n,) for n in range(corpus.num_windows)), executor, 2 * workers)
            try:
                for (number,), (continues, ended, last) in windows:
                    if not (continues and open_hash is not None) and last is not None:
                        if open_hash is not None:
                            hashes.append(_number(open_hash))
                        open_hash = hashlib.blake2b(digest_size=8)
                    self._first[number] = len(hashes)
                    if last is None:
                        continue
                    for place, text in enumerate(ended):
                        if place == 0:
                            open_hash.update(text)
                            hashes.append(_number(open_hash))
                        else:
                            hashes.append(text)
                    if ended:
                        open_hash = hashlib.blake2b(digest_size=8)
                    open_hash.update(last)
            finally:
                windows.cancel()
        if open_hash is not None:
            hashes.append(_number(open_hash))
        hashes = np.frombuffer(hashes, np.uint64) if hashes else np.zeros(0, np.uint64)
        _, firsts = np.unique(hashes, return_index=True)
        self._is_double = np.ones(len(hashes), bool)
        self._is_double[firsts] = False
        self.number = int(self._is_double.sum())

    def of_window(self, window, documents):
        """Whether each of the documents that a window has text of is a duplicate: bool array."""
        first = self._first[window]
        return self._is_double[first : first + documents]


def _read(window):
    """`(continues, ended, last)`: the bytes of the first document, if it ends in the window; the
    hashes of those within it; and the bytes of the last, None where there is no document."""
    lines, _, continues = read_lines(window)
    documents, before = [], ""
    for line in lines:
        if line:
            if not before:
                documents.append([])
            documents[-1].append("".join(line.split()))
        before = line
    if not documents:
        return continues, [], None
    texts = ["".join(lines).encode() for lines in documents]
    inner = [_number(hashlib.blake2b(text, digest_size=8)) for text in texts[1:-1]]
    return continues, texts[:1] * (len(texts) > 1) + inner, texts[-1]


def _number(hash):
    return int.from_bytes(hash.digest(), "little")
