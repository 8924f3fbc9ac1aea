"""Pairs and triplets of texts, with or without scores, as plain rows."""

import math
from typing import NamedTuple

from keras_bert.data import tables

# Columns that are taken where none are named, the first that are all there.
_TEXT_COLUMNS = (
    ("anchor", "positive", "negative"),
    ("query", "positive", "negative"),
    ("anchor", "positive"),
    ("query", "positive"),
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "answer"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("text", "text_pair"),
)
_SCORE_COLUMN = "score"


def _name(row):
    if len(row) == 3:
        is_scored = isinstance(row[2], (int, float))
        return ["sentence1", "sentence2", _SCORE_COLUMN] if is_scored else list(_TEXT_COLUMNS[0])
    return list(_TEXT_COLUMNS[2]) if len(row) == 2 else None


_TUPLES = tables.Tuples(_name, "(text, text), (text, text, score) or (anchor, positive, negative)")


class TextRows(NamedTuple):
    """Rows of texts that belong together, in the order of their source.

    `texts`: list of tuples of str, two or more, as many in every row. `scores`: list of float, or
    None. `places`: list of (source, number), see `tables.name_of`. `skipped`: int, bad rows left
    out.
    """

    texts: list
    scores: list | None
    places: list
    skipped: int


def read_text_rows(path, text_columns=None, label_column=None, header=None, skip_bad_rows=False):
    """Reads pairs or triplets of texts.

    Args:
        path, header: as `tables.read_table`; tuples are (text, text), (text, text, score) or
            (anchor, positive, negative).
        text_columns: list of two or more str: a pair, or anchor, positive and negatives. Default:
            those of the usual names that are there (`anchor`, `positive` and perhaps `negative`;
            `sentence1` and `sentence2`; ...).
        label_column: str, the column of the score of a pair. Default: `score` where it is there
            and rows are pairs; rows have no scores where it is not.
        skip_bad_rows: bool, whether rows without one of the texts, or with a score that is no
            number, are counted and left out. Default False: the first one raises.

    Returns:
        `TextRows`.

    Raises:
        As `tables.pick_rows`; ValueError: a source lacks a column, or its rows are of other
        numbers of texts than those before, or only some have scores.
    """

    def choose(source, found):
        return _columns(source, found, text_columns, label_column)

    rows, places, _, skipped = tables.pick_rows(path, choose, _pick, header, skip_bad_rows, _TUPLES)
    texts, scores = zip(*rows, strict=True)
    kinds = {(len(row), score is None) for row, score in rows}
    if len(kinds) > 1:
        raise ValueError(
            f"{places[-1][0]} and the files before it do not all hold rows of as many texts, with "
            "scores or without; name the columns by text_columns=[...] and label_column=..."
        )
    return TextRows(list(texts), None if scores[0] is None else list(scores), places, skipped)


def _columns(source, found, text_columns, score_column):
    if isinstance(text_columns, str) or (text_columns is not None and len(text_columns) < 2):
        raise ValueError(f"text_columns: expected two or more names; received {text_columns!r}")
    if text_columns is None:
        text_columns = next((c for c in _TEXT_COLUMNS if set(c) <= set(found)), None)
    if text_columns is None or not set(text_columns) <= set(found):
        raise ValueError(
            f"{source}: expected the columns {text_columns or 'of two or three texts'}; received "
            f"{found}. Name them by text_columns=[...]; for a file without a header line name all "
            "its columns by header=[...]"
        )
    if score_column is None:
        is_scored = len(text_columns) == 2 and _SCORE_COLUMN in found
        return list(text_columns), _SCORE_COLUMN if is_scored else None
    if score_column not in found:
        raise ValueError(f"{source}: no column {score_column!r} among {found}")
    if len(text_columns) != 2:
        raise ValueError(
            f"{source}: scores are for pairs of texts; received the columns {text_columns}"
        )
    return list(text_columns), score_column


def _pick(row, columns):
    """Returns the row's texts, and its score or None; raises `ValueError` where one is missing."""
    text_columns, score_column = columns
    texts = tuple(row.get(name) for name in text_columns)
    for name, text in zip(text_columns, texts, strict=True):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"no text in column {name!r}")
    if score_column is None:
        return texts, None
    try:
        score = float(row.get(score_column))
    except (TypeError, ValueError):
        score = math.nan
    if not math.isfinite(score):
        raise ValueError(
            f"expected a number in column {score_column!r}; received {row.get(score_column)!r}"
        )
    return texts, score
