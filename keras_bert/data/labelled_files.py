"""Labelled texts, or pairs of texts, as plain rows."""

from typing import NamedTuple

from keras_bert.data import tables

# Columns that are taken for the text where none are named, the first that are all there.
_TEXT_COLUMNS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "answer"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("text", "text_pair"),
    ("sentence",),
    ("text",),
)


class Rows(NamedTuple):
    """Labelled texts in the order of their source.

    `texts`: list of str. `pairs`: list of str, the second texts, or None. `labels`: list of what
    `read_label` makes. `places`: list of (source, number), see `tables.name_of`. `class_names`:
    list of str in the order of their numbers where the source knows them, else None. `skipped`:
    int, bad rows left out.
    """

    texts: list
    pairs: list | None
    labels: list
    places: list
    class_names: list | None
    skipped: int


def read_rows(
    path,
    text_columns=None,
    label_column="label",
    header=None,
    skip_bad_rows=False,
    read_label=None,
):
    """Reads labelled texts.

    Args:
        path, header: as `tables.read_table`.
        text_columns: str, or list of one or two str, the columns of the text or of the pair.
            Default: those of the usual names that are there (`sentence`, `text`; `sentence1` and
            `sentence2`, `premise` and `hypothesis`, ...).
        label_column: str, default `"label"`; or list of str, the columns that make the label
            together; or tuple of str, of which the first that is there is taken.
        skip_bad_rows: bool, whether rows that lack a column, have one too many or are no JSON are
            counted and left out. Default False: the first one raises.
        read_label: function of (row, list of label columns) that returns the label or raises
            `ValueError`. Default: the str in the one column.

    Returns:
        `Rows`. Texts that are not UTF-8 have U+FFFD in place of bad bytes, with a warning.

    Raises:
        As `tables.pick_rows`.
    """
    if isinstance(text_columns, str):
        text_columns = [text_columns]
    read_label = read_label or _read_label

    def choose(source, found):
        columns = choose_columns(source, found, text_columns)
        return columns, choose_label(source, found, label_column)

    def pick(row, columns):
        texts = read_texts(row, columns[0])
        return texts, read_label(row, columns[1])

    values, places, class_names, skipped = tables.pick_rows(
        path, choose, pick, header, skip_bad_rows
    )
    texts, labels = zip(*values, strict=True)
    if len({len(parts) for parts in texts}) > 1:
        raise ValueError(f"{places[-1][0]} and the files before it do not both hold pairs of texts")
    first, *second = map(list, zip(*texts, strict=True))
    names = next(iter(class_names.values())) if len(class_names) == 1 else None
    if isinstance(label_column, str):
        names = class_names.get(label_column)
    return Rows(first, second[0] if second else None, list(labels), places, names, skipped)


def choose_columns(source, found, text_columns=None, usual=_TEXT_COLUMNS):
    """Settles the columns of the text among those that are there; list of one or two str."""
    if text_columns is None:
        text_columns = next((c for c in usual if set(c) <= set(found)), None)
    if text_columns is None or not set(text_columns) <= set(found):
        raise ValueError(
            f"{source}: expected the columns {text_columns or 'of the text'}; received {found}. "
            "Name them by text_columns=[...]; for a file without a header line name all its "
            "columns by header=[...]"
        )
    if len(text_columns) not in (1, 2):
        raise ValueError(f"text_columns: expected one or two names; received {text_columns}")
    return list(text_columns)


def choose_label(source, found, label_column):
    """Settles the columns of the label among those that are there; list of str."""
    if isinstance(label_column, tuple):
        label_column = next((name for name in label_column if name in found), label_column[0])
    columns = [label_column] if isinstance(label_column, str) else label_column
    for name in columns:
        if name not in found:
            raise ValueError(
                f"{source}: no column {name!r} among {found}; name it by label_column=..."
            )
    return columns


def read_texts(row, columns):
    """The texts in the columns, list of str; `ValueError` where there are none."""
    texts = [value_in(row, name) for name in columns]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"expected text in the columns {', '.join(columns)}")
    return texts


def value_in(row, name):
    """The plain value in a column; `ValueError` where there is none."""
    value = row.get(name)
    if value is None or isinstance(value, (dict, list)):
        raise ValueError(f"no value in column {name!r}")
    return value


def _read_label(row, columns):
    label = str(value_in(row, columns[0]))
    if not label:
        raise ValueError(f"no label in column {columns[0]!r}")
    return label
