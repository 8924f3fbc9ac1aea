"""Correlations of predicted and true numbers."""

import numpy as np


def pearson(x, y):
    """How nearly one row of numbers is a line of the other.

    Args:
        x, y: float `(examples,)`.

    Returns:
        float in [-1, 1]; 0.0 where all numbers of one are equal, which tell nothing.

    Raises:
        ValueError: different numbers of examples, or none.

    Example:
        >>> round(pearson([1.0, 2.0, 3.0], [2.0, 4.0, 7.0]), 4)
        0.9934
    """
    x, y = (np.asarray(values, "float64") for values in (x, y))
    if x.shape != y.shape or x.ndim != 1 or not x.size:
        raise ValueError(
            f"expected as many numbers in both, at least one; received {x.shape} and {y.shape}"
        )
    if not np.ptp(x) or not np.ptp(y):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    x, y = x / abs(x).max(), y / abs(y).max()  # squares of small numbers would vanish
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def spearman(x, y):
    """How nearly two rows of numbers are in one order: the Pearson correlation of their ranks.

    Args:
        x, y: float `(examples,)`. Equal numbers share the mean of their ranks.

    Returns, Raises:
        As `pearson`.

    Example:
        >>> spearman([1.0, 2.0, 3.0], [1.0, 10.0, 100.0])
        1.0
    """
    return pearson(_ranks(x), _ranks(y))


def _ranks(values):
    _, numbers, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[numbers.reshape(-1)]
