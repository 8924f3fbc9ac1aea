"""One labelled set cut into parts, or into folds: by label and by seed, no text in two parts."""

import numpy as np

from keras_bert.data.labelled_files import choose_columns, choose_label
from keras_bert.data.tables import Table, name_of, read_table


def split(path, rates, seed=0, text_columns=None, label_column=("label", "labels"), header=None):
    """Cuts labelled rows into parts, such as one to learn from and one to measure on.

    The parts are stratified: a label's rows fall to the parts by the rates, as nearly as whole
    rows can, and each label has its first row in the first part, so that what is learned from
    lacks none. Rows of equal text stay together. Which rows fall where depends on the seed alone.

    Args:
        path: a file or rows, as `kb.data.classification` takes them.
        rates: list of float, the parts' shares of the rows; they sum to 1.
        seed: int, default 0.
        text_columns, header: as in `kb.data.classification`.
        label_column: str; or list of str, which make the label together; or a tuple of str, the
            first that is there. None: there are no labels to heed, for instance numbers. Default
            `("label", "labels")`.

    Returns:
        List of parts, each a list of the rows (dicts), in their order, that
        `kb.data.classification` takes in place of a file.

    Raises:
        As `kb.data.classification`; ValueError: rates that do not sum to 1, or a part without rows.

    Example:
        >>> import keras_bert as kb
        >>> rows = [(f"text {i}", "ab"[i % 2]) for i in range(20)]
        >>> train, dev = kb.data.split(rows, [0.8, 0.2])
        >>> len(train), sorted(row["label"] for row in dev)
        (16, ['a', 'a', 'b', 'b'])
    """
    rates = np.array(rates, "float64")
    if rates.ndim != 1 or len(rates) < 2 or (rates <= 0).any() or abs(rates.sum() - 1) > 1e-6:
        raise ValueError(
            "split: expected rates of two parts or more, each above 0, that sum to 1, such as "
            f"[0.9, 0.1]; received {rates.tolist()}"
        )
    rows, places, groups = _groups(path, text_columns, label_column, header)
    parts = _deal(groups, rates, seed)
    if min(map(len, parts)) == 0:
        raise ValueError(
            f"split: {len(rows)} rows of {len(groups)} different texts leave a part of the rates "
            f"{rates.tolist()} without rows; give it a larger rate"
        )
    return [Table([rows[i] for i in part], [places[i] for i in part]) for part in parts]


def folds(path, number, seed=0, text_columns=None, label_column=("label", "labels"), header=None):
    """Cuts labelled rows for cross-validation: each row is measured on once, else learned from.

    The folds are stratified: of a label's texts each fold measures on as many as another, or one
    more. Rows of equal text stay together; labels of two texts or more are learned from in each
    fold. Which rows fall where depends on the seed alone. Source: Kohavi 1995,
    https://www.ijcai.org/Proceedings/95-2/Papers/016.pdf (stratified cross-validation).

    Args:
        path, text_columns, label_column, header: as in `split`.
        number: int, folds, at least 2; 5 and 10 are usual.
        seed: int, default 0.

    Returns:
        List of `number` pairs of lists of rows, as `split` makes them: those to learn from, those
        to measure on.

    Raises:
        As `kb.data.classification`; ValueError: fewer than 2 folds, or fewer texts than folds.

    Example:
        >>> import keras_bert as kb
        >>> rows = [(f"text {i}", "ab"[i % 2]) for i in range(20)]
        >>> for train, dev in kb.data.folds(rows, 5):
        ...     assert (len(train), sorted(row["label"] for row in dev)) == (16, list("aabb"))
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 2:
        raise ValueError(f"folds: expected two or more; received {number!r}")
    rows, places, groups = _groups(path, text_columns, label_column, header)
    if len(groups) < number:
        raise ValueError(
            f"folds: {len(rows)} rows of {len(groups)} different texts make no {number} folds; "
            "expected a text for each at least"
        )
    # In turn through the labels, one after the other: so each label, and all together, are even.
    part_of = [0] * len(rows)
    for turn, i in enumerate(_by_label(groups, seed)):
        for row in groups[i][1]:
            part_of[row] = turn % number

    def table(is_chosen):
        chosen = [i for i, part in enumerate(part_of) if is_chosen(part)]
        return Table([rows[i] for i in chosen], [places[i] for i in chosen])

    return [
        (table(lambda part, k=k: part != k), table(lambda part, k=k: part == k))
        for k in range(number)
    ]


def _by_label(groups, seed):
    """The groups' numbers, shuffled, those of a label behind each other."""
    order = np.random.default_rng(seed).permutation(len(groups))
    return sorted(order.tolist(), key=lambda i: groups[i][0])


def _groups(path, text_columns, label_column, header):
    """All rows, their places, and lists of the numbers of rows of equal text, by label and text."""
    rows, places, groups, source = [], [], {}, None
    for place, row in read_table(path, header)[0]:
        if isinstance(row, ValueError):
            raise ValueError(f"{name_of(place)}: {row}. Mend it first")
        if place[0] != source:
            source, texts = place[0], choose_columns(place[0], list(row), text_columns)
            labels = choose_label(source, list(row), label_column) if label_column else []
        text = repr([row.get(name) for name in texts])
        label = repr([row.get(name) for name in labels])
        groups.setdefault(text, (label, []))[1].append(len(rows))
        rows.append(row)
        places.append(place)
    return rows, places, list(groups.values())


def _deal(groups, rates, seed):
    """Numbers of the rows of each part, in order."""
    # Label by label, each group goes where most is lacking: so every run of rows of one label
    # falls to the parts by the rates, and all rows together do.
    parts, counts, former = [[] for _ in rates], np.zeros(len(rates)), None
    for i in _by_label(groups, seed):
        label, numbers = groups[i]
        lacking = rates * (counts.sum() + len(numbers)) - counts
        part = 0 if label != former else int(np.argmax(lacking))
        parts[part] += numbers
        counts[part] += len(numbers)
        former = label
    return [sorted(part) for part in parts]
