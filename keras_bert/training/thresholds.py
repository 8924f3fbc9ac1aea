"""Thresholds on probabilities, tuned on a validation set."""

import numpy as np


def label_thresholds(probabilities, true):
    """Finds for each label the threshold of the best F1.

    Source: Lipton, Elkan and Naryanaswamy 2014, https://arxiv.org/abs/1402.1892: a threshold a
    label maximizes macro F1. A threshold lies in the middle between two probabilities that occur;
    of equally good ones that nearest to 0.5 is taken. A label that is right in no row keeps 0.5.

    Args:
        probabilities: float `(examples, labels)`.
        true: `(examples, labels)`, 1 = the label is right, 0 = it is not.

    Returns:
        List of float, one a label.

    Raises:
        ValueError: the shapes differ, or there are no examples.

    Example:
        >>> label_thresholds([[0.1], [0.3], [0.4]], [[0], [1], [1]])
        [0.2]
    """
    probabilities, true = np.asarray(probabilities, "float64"), np.asarray(true) > 0.5
    if probabilities.shape != true.shape or not probabilities.size:
        raise ValueError(
            "label_thresholds: expected a probability for each label of each example, at least "
            f"one; received shapes {probabilities.shape} and {true.shape}"
        )
    return [_best_f1(p, t) for p, t in zip(probabilities.T, true.T, strict=True)]


def _best_f1(probabilities, true):
    if not true.any():
        return 0.5
    candidates = _between(probabilities)
    told, hits = (
        values.size - np.searchsorted(np.sort(values), candidates)  # those that reach it
        for values in (probabilities, probabilities[true])
    )
    f1 = 2 * hits / (told + true.sum())
    best = candidates[f1 == f1.max()]
    return float(best[np.argmin(abs(best - 0.5))])


def out_of_scope_threshold(probabilities, true):
    """Finds the threshold below which a text is taken for one of no class.

    Source: Hendrycks and Gimpel 2017, https://arxiv.org/abs/1610.02136 (the largest softmax
    probability tells what is unknown); Larson et al. 2019, https://arxiv.org/abs/1909.02027, for
    its use on intents. The threshold is the one of the best mean of accuracy on the texts of a
    class (where one that is taken for none counts as wrong) and recall of the others: both weigh
    the same, however few the others are. Of equally good ones the lowest is taken.

    Args:
        probabilities: float `(examples, classes)`.
        true: int `(examples,)`, class numbers; -1 for a text of no class.

    Returns:
        float in [0, 1]: a text whose likeliest class has a smaller probability is of none.

    Raises:
        ValueError: there are no texts of a class, or none of no class: nothing to weigh.

    Example:
        >>> out_of_scope_threshold([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], [0, -1, 1])
        0.625
    """
    probabilities, true = np.asarray(probabilities, "float64"), np.asarray(true)
    is_inside = true >= 0
    if is_inside.all() or not is_inside.any():
        raise ValueError(
            "out_of_scope_threshold: expected texts of the classes and texts of none; received "
            f"{is_inside.sum()} and {(~is_inside).sum()}"
        )
    highest = probabilities.max(axis=1)
    candidates = _between(highest)
    right = np.sort(highest[is_inside & (probabilities.argmax(axis=1) == true)])
    accuracy = (right.size - np.searchsorted(right, candidates)) / is_inside.sum()
    recall = np.searchsorted(np.sort(highest[~is_inside]), candidates) / (~is_inside).sum()
    return float(candidates[np.argmax(accuracy + recall)])


def _between(values):
    """Thresholds that part the values in every way: middles between neighbours, 0 and 1."""
    values = np.unique(values)
    return np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
