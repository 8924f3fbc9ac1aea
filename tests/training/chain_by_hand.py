"""Chains of labels by trying all paths, in float64: what tests compare with."""

import itertools

import numpy as np


def paths(scores, weights):
    """All paths over the labelled positions of a row.

    Args:
        scores: `(sequence + classes + 2, classes)`, a row of what `layers/crf.py` makes.
        weights: `(sequence,)`, above 0 = labelled.

    Returns:
        The labelled places, a list; the paths, tuples; their scores, float64 `(paths,)`.
    """
    scores = np.asarray(scores, "float64")
    classes = scores.shape[1]
    transitions, start, end = scores[-classes - 2 : -2], scores[-2], scores[-1]
    places = [place for place, weight in enumerate(weights) if weight > 0]
    found = list(itertools.product(range(classes), repeat=len(places)))
    values = [
        sum(scores[place, label] for place, label in zip(places, path, strict=True))
        + sum(transitions[pair] for pair in itertools.pairwise(path))
        + start[path[0]]
        + end[path[-1]]
        for path in found
    ]
    return places, found, np.array(values)


def likelihood(scores, labels, weights):
    """The log-probability of the labels of a row."""
    places, found, values = paths(scores, weights)
    wanted = found.index(tuple(int(labels[place]) for place in places))
    return values[wanted] - np.logaddexp.reduce(values)


def best(scores, weights):
    """The likeliest labels, int `(sequence,)`; -1 where there is none."""
    result = np.full(len(weights), -1)
    if not np.any(np.asarray(weights) > 0):
        return result
    places, found, values = paths(scores, weights)
    result[places] = found[values.argmax()]
    return result


def marginals(scores, weights):
    """The probability of each class at each labelled place, `(places, classes)`."""
    places, found, values = paths(scores, weights)
    shares = np.exp(values - np.logaddexp.reduce(values))
    result = np.zeros((len(places), np.shape(scores)[1]))
    for path, share in zip(found, shares, strict=True):
        result[range(len(places)), path] += share
    return result
