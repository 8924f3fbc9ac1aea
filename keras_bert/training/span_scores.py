"""What a token classifier gets right: precision, recall and F1 of whole spans."""

from collections import Counter


def span_report(true, predicted):
    """Measures predicted spans against true ones.

    Source: the CoNLL-2002 and 2003 shared tasks, and seqeval in its strict mode: a span counts
    where its label and both its ends are right. Sums over labels are micro averages.

    Args:
        true, predicted: lists of lists of (start, end, label), a list for each text, in one order.
            Ends of any kind: characters or tokens. A span that stands twice in a text counts once.

    Returns:
        dict: `examples` int, the number of texts; `entities` int, of true spans; `precision`,
        `recall` and `f1` over all spans, `macro_f1` (mean over the labels), floats in [0, 1], 0
        where there is nothing to divide by; `labels`, a dict by label of `precision`, `recall`,
        `f1`, `entities` (true spans) and `predicted` (spans).

    Raises:
        ValueError: the lists are not equally long, or empty.

    Example:
        >>> report = span_report([[(0, 5, "PER")]], [[(0, 5, "PER"), (6, 8, "LOC")]])
        >>> report["precision"], report["recall"], report["labels"]["LOC"]["predicted"]
        (0.5, 1.0, 1)
    """
    if len(true) != len(predicted) or not true:
        raise ValueError(
            "span_report: expected as many predictions as texts, at least one; received "
            f"{len(predicted)} and {len(true)}"
        )
    counts = [Counter(), Counter(), Counter()]  # right, true, predicted
    for wanted, found in zip(true, predicted, strict=True):
        wanted, found = set(map(tuple, wanted)), set(map(tuple, found))
        for counter, spans in zip(counts, (wanted & found, wanted, found), strict=True):
            counter.update(label for _, _, label in spans)
    right, wanted, found = counts
    labels = {
        label: _scores(right[label], wanted[label], found[label])
        for label in sorted({*wanted, *found})
    }
    total = _scores(*(sum(counter.values()) for counter in counts))
    return {
        "examples": len(true),
        **{key: total[key] for key in ("entities", "precision", "recall", "f1")},
        "macro_f1": sum(row["f1"] for row in labels.values()) / max(len(labels), 1),
        "labels": labels,
    }


def _scores(right, wanted, found):
    return {
        "precision": right / max(found, 1),
        "recall": right / max(wanted, 1),
        "f1": 2 * right / max(found + wanted, 1),
        "entities": wanted,
        "predicted": found,
    }
