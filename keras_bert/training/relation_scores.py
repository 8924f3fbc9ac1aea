"""The score of SemEval 2010 task 8."""

import re

import numpy as np

_DIRECTED = re.compile(r"(.+)\((?:e1,e2|e2,e1)\)")


def directed_f1(true, predicted, labels):
    """Measures relations with direction, as the official scorer does.

    Source: Hendrickx et al. 2010, https://aclanthology.org/S10-1006, section 4; "(9+1)-way
    evaluation taking directionality into account, official". A relation's two directions are one
    row: its hits are the examples of which relation and direction are right, its precision is
    their share of those that were told it, in either direction, its recall their share of those
    that have it. Labels without direction, `Other`, have no row. The score is the mean of the
    rows' F1.

    Args:
        true: int `(examples,)`, true class numbers.
        predicted: int `(examples,)`, predicted class numbers.
        labels: list of str, the classes' names; those of relations end in `(e1,e2)` or `(e2,e1)`.

    Returns:
        dict: `macro_f1`, float in [0, 1]; `relations`, a dict by relation of `precision`,
        `recall`, `f1` and `examples`. None where no label has a direction.

    Example:
        >>> labels = ["Other", "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"]
        >>> round(directed_f1([0, 1, 1, 2], [1, 1, 2, 2], labels)["macro_f1"], 4)
        0.5714
    """
    found = [_DIRECTED.fullmatch(label) for label in labels]
    names = sorted({match[1] for match in found if match})
    if not names:
        return None
    # The relation of each class; -1 for classes without direction.
    relation = np.array([names.index(match[1]) if match else -1 for match in found])
    true, predicted = np.asarray(true), np.asarray(predicted)
    rows = {}
    for number, name in enumerate(names):
        has, told = relation[true] == number, relation[predicted] == number
        hits = int((has & (true == predicted)).sum())
        rows[name] = {
            "precision": hits / max(int(told.sum()), 1),
            "recall": hits / max(int(has.sum()), 1),
            "f1": 2 * hits / max(int(told.sum() + has.sum()), 1),
            "examples": int(has.sum()),
        }
    return {"macro_f1": float(np.mean([row["f1"] for row in rows.values()])), "relations": rows}
