"""Texts with labelled spans from files, TensorFlow Datasets and memory, as plain rows."""

import logging
import os
from typing import NamedTuple

from keras_bert.data.conll import join_tokens, read_sentences
from keras_bert.data.tables import is_in_memory, name_of, read_table, source_of
from keras_bert.data.tagged_rows import TAGGED, read_tagged_row
from keras_bert.data.tfds_table import TFDS
from keras_bert.text.bio import spans_of_tags
from keras_bert.text.files import expand_files


class Span(NamedTuple):
    """`text[start:end]` has a label; `line` of the file says so."""

    start: int
    end: int
    label: str
    line: int


class TaggedTexts(NamedTuple):
    """Texts with spans in the order of their files.

    `texts`: list of str. `spans`: list of lists of `Span`, in order, none overlapping.
    `predicates`: list of (start, end) in characters, or None. `places`: list of (source, line),
    counted from 1, see `tables.name_of`. `repaired`: int, spans whose tags did not begin with B.
    """

    texts: list
    spans: list
    predicates: list | None
    places: list
    repaired: int


def read_tagged(path):
    """Reads texts with labelled spans.

    Args:
        path: str or path-like, a glob, or a list of these; `"tfds://name"`; or rows in memory.
            `.jsonl` and `.json` (also `.gz`), TensorFlow Datasets, a DataFrame and lists have rows
            with `text`, and `spans`, `slots` or `entities`, a list of [start, end, label] (or of
            objects with these) in characters, end exclusive; for semantic roles also `predicate`,
            [start, end]. Or rows with `tokens`, and `tags`, `ner_tags`, `ner` or `labels`, lists of
            as many str. Tuples are (text, spans) or (tokens, tags). Every other file is CoNLL, see
            `conll.read_sentences`. The text of tokens is what `conll.join_tokens` makes.

    Returns:
        `TaggedTexts`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there are no rows; a row is bad (the message names file and line).
    """
    rows = list(_rows(path))
    if not rows:
        raise ValueError(
            f"{source_of(path)}: no rows; expected a token and its tag a line, or JSON Lines"
        )
    places, texts, spans, predicates, repaired = map(list, zip(*rows, strict=True))
    if sum(repaired):
        logging.getLogger("keras_bert").warning(
            "%s: %d spans of %d do not begin with B-; their first token was taken for their "
            "beginning",
            source_of(path),
            sum(repaired),
            sum(map(len, spans)),
        )
    return TaggedTexts(texts, spans, _all_or_none(predicates, places), places, sum(repaired))


def _rows(path):
    """Yields (place, text, spans, predicate, repaired)."""
    if _has_columns(path):
        yield from _table_rows(path)
        return
    for file in expand_files(path):
        yield from _table_rows(file) if _has_columns(file) else _conll_rows(file)


def _has_columns(path):
    """Whether rows of named columns are meant; TSV and CSV are CoNLL, whose last column counts."""
    if is_in_memory(path):
        return True
    if isinstance(path, (list, tuple)):
        return all(map(_has_columns, path))
    name = os.fspath(path)
    kind = os.path.splitext(name.split("#")[0].removesuffix(".gz"))[1]
    return name.startswith(TFDS) or kind in (".json", ".jsonl")


def _table_rows(path):
    for place, row in read_table(path, tuples=TAGGED)[0]:
        try:
            if isinstance(row, ValueError):
                raise row
            text, spans, predicate, repaired = read_tagged_row(row)
        except ValueError as error:
            raise ValueError(f"{name_of(place)}: {error}") from None
        yield place, text, [Span(*span, place[1]) for span in spans], predicate, repaired


def _conll_rows(file):
    for tokens, tags, lines in read_sentences(file):
        text, places = join_tokens(tokens)
        found, repaired = spans_of_tags(tags)
        spans = [
            Span(places[first][0], places[last - 1][1], label, lines[first])
            for first, last, label in found
        ]
        yield (file, lines[0]), text, spans, None, repaired


def _all_or_none(predicates, places):
    if all(predicate is None for predicate in predicates):
        return None
    for predicate, place in zip(predicates, places, strict=True):
        if predicate is None:
            raise ValueError(
                f"{name_of(place)}: no predicate, but other rows have one; expected one in all "
                "rows or in none"
            )
    return predicates
