"""Weights of classes, so that rare ones count as much as frequent ones."""

import numpy as np


def row_weights(numbers, labels, class_weights=None):
    """Makes a weight for each row of its class's weight.

    Source: King and Zeng 2001 for `"balanced"`, as scikit-learn's `compute_class_weight` has it:
    rows / (classes * rows of the class), over the classes that occur.

    Args:
        numbers: int `(rows,)`, class numbers.
        labels: list of str, the classes' names.
        class_weights: `"balanced"`, or dict of label to float; labels that are not in it weigh 1.
            Default None: all rows weigh 1.

    Returns:
        float32 `(rows,)`.

    Raises:
        ValueError: an unknown label, or a weight that is no number from 0 on.

    Example:
        >>> row_weights([0, 0, 0, 1], ["common", "rare"], "balanced").round(2).tolist()
        [0.67, 0.67, 0.67, 2.0]
    """
    numbers = np.asarray(numbers)
    if class_weights is None:
        weights = np.ones(len(labels))
    elif class_weights == "balanced":
        counts = np.bincount(numbers, minlength=len(labels))
        weights = numbers.size / (np.count_nonzero(counts) * np.maximum(counts, 1))
    elif isinstance(class_weights, dict):
        unknown = [label for label in class_weights if label not in labels]
        bad = [w for w in class_weights.values() if not (isinstance(w, (int, float)) and w >= 0)]
        if unknown or bad:
            raise ValueError(
                f"class_weights: expected numbers from 0 on, for labels among {labels}; received "
                f"{class_weights}"
            )
        weights = np.array([class_weights.get(label, 1.0) for label in labels])
    else:
        raise ValueError(
            "class_weights: expected 'balanced' or a dict of label to float; received "
            f"{class_weights!r}"
        )
    return weights[numbers].astype("float32")
