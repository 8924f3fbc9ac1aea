"""Several corpora read in given shares, as one corpus."""

import bisect
import collections
import math
import numbers
from typing import NamedTuple

import numpy as np


class Source(NamedTuple):
    """A part of a corpus with a share of its own: windows `first` up to `first + windows`.

    `per_epoch` is how many of them an epoch takes; more than there are come more than once.
    """

    first: int
    windows: int
    per_epoch: int


class Mixture:
    """Corpora side by side, whose windows are numbered through.

    An epoch has about as many bytes as the corpora together; each has the share of its weight. As
    a share is a fixed number of windows, taken from one permutation of its corpus after another,
    a corpus of small weight is read through over several epochs before any of it comes again, and
    one of large weight repeats evenly.

    Args:
        corpora: list of corpora, as `keras_bert.data.corpus.open_corpus` opens them.
        weights: list of float greater than 0; only their ratios matter.

    Attributes:
        paths, num_windows, has_tokens: as of a `Corpus`.
        sources: list of `Source`.

    Raises:
        ValueError: a file is in two of them.
    """

    def __init__(self, corpora, weights):
        self._corpora = corpora
        self.has_tokens = corpora[0].has_tokens
        self.paths = [path for corpus in corpora for path in corpus.paths]
        if doubled := [path for path, n in collections.Counter(self.paths).items() if n > 1]:
            raise ValueError(
                f"files: {doubled[0]} has {self.paths.count(doubled[0])} weights. Let each file be "
                "in one entry."
            )
        self._first_files = np.cumsum([0, *(len(corpus.paths) for corpus in corpora)]).tolist()
        counts = [corpus.num_windows for corpus in corpora]
        self._first_windows = np.cumsum([0, *counts]).tolist()
        self.num_windows = self._first_windows[-1]
        sizes = [int(corpus.window_sizes().sum()) for corpus in corpora]
        shares = np.array(weights) / sum(weights) * sum(sizes)
        self.sources = [
            Source(first, count, max(1, round(share * count / size)))
            for first, count, share, size in zip(
                self._first_windows, counts, shares, sizes, strict=False
            )
        ]

    def window_sizes(self):
        """Bytes of each window, int64 `(num_windows,)`."""
        return np.concatenate([corpus.window_sizes() for corpus in self._corpora])

    def read(self, window):
        """Reads window number `window`, counted through all corpora."""
        place = bisect.bisect_right(self._first_windows, window) - 1
        found = self._corpora[place].read(window - self._first_windows[place])
        return found._replace(file=found.file + self._first_files[place])


def sources_of(corpus):
    """The `Source`s of any corpus: all of one that is no mixture, once an epoch."""
    if isinstance(corpus, Mixture):
        return corpus.sources
    return [Source(0, corpus.num_windows, corpus.num_windows)]


def check_weights(files):
    """Raises a ValueError unless a dict of files has a weight for each, greater than 0."""
    if not files:
        raise ValueError("files: expected at least one entry with a weight; received none")
    for name, weight in files.items():
        good = isinstance(weight, numbers.Real) and not isinstance(weight, bool)
        if not good or not 0 < weight < math.inf:
            raise ValueError(
                f"files: the weight of {name!r} is {weight!r}; expected a number greater than 0. "
                "Leave out what is not to be read."
            )
