"""Documents of sentences of tokens, as flat arrays and lengths."""

import numpy as np

# What an array holds one entry of; all others hold one a document.
_OF_TOKENS, _OF_SENTENCES = ("tokens", "continues_word"), ("lengths",)


def gather(arrays, order):
    """The documents in another order, or some of them.

    Args:
        arrays: dict of arrays as `keras_bert.data.shard_files` describes them.
        order: int array, the places of documents.

    Returns:
        A dict with the same keys.

    Example:
        >>> arrays = {"tokens": np.array([5, 6, 7]), "lengths": np.array([1, 1, 1]),
        ...           "sentences": np.array([2, 1])}
        >>> gather(arrays, np.array([1, 0]))["tokens"].tolist()
        [7, 5, 6]
    """
    sentences = _ranges(_starts(arrays["sentences"])[order], arrays["sentences"][order])
    tokens = _ranges(_starts(arrays["lengths"])[sentences], arrays["lengths"][sentences])
    places = dict.fromkeys(_OF_TOKENS, tokens) | dict.fromkeys(_OF_SENTENCES, sentences)
    return {name: array[places.get(name, order)] for name, array in arrays.items()}


def _starts(lengths):
    return np.cumsum(lengths, dtype=np.int64) - lengths


def _ranges(starts, lengths):
    """All of `range(start, start + length)` one after the other."""
    lengths = lengths.astype(np.int64)
    return np.repeat(starts - _starts(lengths), lengths) + np.arange(lengths.sum())
