"""What to know of a training set before training: its balance, its lengths, what is cut."""

import numpy as np

_MOST_LABELS = 20
_BARS = 40


def summary(train, dev=None):
    """Describes a labelled set in lines of text.

    Args:
        train: a dataset of `kb.data`, with `lengths`; what else it has is described too
            (`label_counts`, `truncated`, `skipped`, `repaired`, `unaligned`).
        dev: the dataset to measure on. Default None. Rows that occur in both are counted.

    Returns:
        str, a line a fact, without a line end at its end.

    Example:
        >>> print(kb.data.summary(train, dev))
        9,600 rows
        label  rows
        0      4,799  50.0 %
        1      4,801  50.0 %
        tokens a row: 3 to 128, half up to 88, 95 % up to 128
           3-18    ####                                       2.6 %
          ...
        2,413 rows of 9,600 are longer than 128 tokens and are cut (25.1 %)
        330 of the 1,200 rows to measure on are in the training set too
    """
    lines = [f"{train.num_examples:,} rows"]
    if getattr(train, "skipped", 0):
        lines.append(f"{train.skipped:,} bad rows were left out")
    if getattr(train, "repaired", 0):
        lines.append(
            f"{train.repaired:,} of {train.num_spans:,} spans do not begin with B-; their first "
            "token was taken for their beginning"
        )
    if getattr(train, "unaligned", 0):
        lines.append(
            f"{train.unaligned:,} of {train.num_spans:,} spans begin or end within a word; whole "
            "words are labelled"
        )
    lines += _balance(getattr(train, "label_counts", None) or {}, train.num_examples)
    lines += _lengths(np.asarray(train.lengths))
    if hasattr(train, "truncated"):
        lines.append(
            f"{train.truncated:,} rows of {train.num_examples:,} are longer than "
            f"{int(np.max(train.lengths))} tokens and are cut"
            f" ({100 * train.truncated / train.num_examples:.1f} %)"
            if train.truncated
            else "no row is cut"
        )
    if dev is not None and hasattr(train, "digests") and hasattr(dev, "digests"):
        shared = count_shared(train, dev)
        if shared:
            lines.append(
                f"{shared:,} of the {dev.num_examples:,} rows to measure on are in the training "
                "set too"
            )
    return "\n".join(lines)


def count_shared(train, dev):
    """How many rows of one dataset have the texts of a row of the other, int.

    Args:
        train, dev: datasets of `kb.data` with `digests`.

    Returns:
        int, rows of `dev`.
    """
    return int(np.isin(dev.digests, train.digests).sum())


def _balance(counts, rows):
    if not counts:
        return []
    listed = sorted(counts.items(), key=lambda item: -item[1])
    lines = [f"{len(listed)} labels"]
    missing = [label for label, count in listed if not count]
    if len(listed) > _MOST_LABELS:
        half = _MOST_LABELS // 2
        lines[0] += f", the {half} most and the {half} least frequent"
        listed = listed[:half] + listed[-half:]
    width = max(len(str(label)) for label, _ in listed)
    for label, count in listed:
        lines.append(f"  {label!s:{width}}  {count:9,}  {100 * count / rows:5.1f} %")
    if missing:
        lines.append(f"  without a row: {', '.join(map(str, missing[:10]))}")
    if max(counts.values()) == sum(counts.values()) == rows:
        lines.append("  all rows have one label: there is nothing to tell apart")
    return lines


def _lengths(lengths):
    low, high = int(lengths.min()), int(lengths.max())
    half, most = (int(np.percentile(lengths, q, method="higher")) for q in (50, 95))
    lines = [f"tokens a row: {low} to {high}, half up to {half}, 95 % up to {most}"]
    edges = np.unique(np.linspace(low, high + 1, 9).round().astype(int))
    counts, _ = np.histogram(lengths, edges)
    for start, stop, count in zip(edges, edges[1:], counts, strict=False):
        bar = "#" * round(_BARS * count / counts.max())
        lines.append(f"  {start:4}-{stop - 1:<4} {bar:{_BARS}} {100 * count / len(lengths):5.1f} %")
    return lines
