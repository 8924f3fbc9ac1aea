"""Texts with labelled spans from files: CoNLL and JSON Lines, as plain rows."""

import itertools
import json
import logging
from typing import NamedTuple

from keras_bert.data.conll import join_tokens, read_sentences
from keras_bert.text.bio import spans_of_tags
from keras_bert.text.files import expand_files, read_text

SPAN_KEYS = ("spans", "slots", "entities")


class Span(NamedTuple):
    """`text[start:end]` has a label; `line` of the file says so."""

    start: int
    end: int
    label: str
    line: int


class TaggedTexts(NamedTuple):
    """Texts with spans in the order of their files.

    `texts`: list of str. `spans`: list of lists of `Span`, in order, none overlapping.
    `predicates`: list of (start, end) in characters, or None. `places`: list of (file, line),
    counted from 1. `repaired`: int, spans whose tags did not begin with B.
    """

    texts: list
    spans: list
    predicates: list | None
    places: list
    repaired: int


def read_tagged(path):
    """Reads texts with labelled spans.

    Args:
        path: str or path-like, a glob, or a list of these. `.jsonl` (also `.jsonl.gz`) is JSON
            Lines: `text`, and `spans`, `slots` or `entities`, a list of [start, end, label] in
            characters, end exclusive; for semantic roles also `predicate`, [start, end]. All else
            is CoNLL, see `conll.read_sentences`; its text is what `conll.join_tokens` makes.

    Returns:
        `TaggedTexts`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there are no rows; a row is bad (the message names file and line).
    """
    texts, spans, predicates, places, repaired = [], [], [], [], 0
    for file in expand_files(path):
        if file.removesuffix(".gz").endswith(".jsonl"):
            for line, row in _json_rows(file):
                text, row_spans, predicate = row
                texts.append(text)
                spans.append([Span(*span, line) for span in row_spans])
                predicates.append(predicate)
                places.append((file, line))
            continue
        for tokens, tags, lines in read_sentences(file):
            text, token_places = join_tokens(tokens)
            found, odd = spans_of_tags(tags)
            texts.append(text)
            spans.append(
                [
                    Span(token_places[first][0], token_places[last - 1][1], label, lines[first])
                    for first, last, label in found
                ]
            )
            predicates.append(None)
            places.append((file, lines[0]))
            repaired += odd
    if not texts:
        raise ValueError(f"{path}: no rows; expected a token and its tag a line, or JSON Lines")
    if repaired:
        logging.getLogger("keras_bert").warning(
            "%s: %d spans of %d do not begin with B-; their first token was taken for their "
            "beginning",
            path,
            repaired,
            sum(map(len, spans)),
        )
    return TaggedTexts(texts, spans, _all_or_none(predicates, places), places, repaired)


def _json_rows(file):
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, _json_row(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from None


def _json_row(row):
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError(f"expected a JSON object with a str `text`; received {row!r}")
    text = row["text"]
    key = next((key for key in SPAN_KEYS if key in row), None)
    if key is None or not isinstance(row[key], list):
        raise ValueError(
            f"expected a list of [start, end, label] as one of {', '.join(SPAN_KEYS)}; received "
            f"the keys {', '.join(row)}"
        )
    spans = []
    for span in row[key]:
        if not isinstance(span, list) or len(span) != 3 or not isinstance(span[2], str):
            raise ValueError(f"expected [start, end, label] in {key}; received {span!r}")
        if not span[2]:
            raise ValueError(f"the label of {span!r} in {key} is empty")
        _check_place(text, span[:2], key)
        spans.append(tuple(span))
    spans.sort()
    for left, right in itertools.pairwise(spans):
        if left[1] > right[0]:
            raise ValueError(
                f"the {key} {list(left)} and {list(right)} overlap; a token has one label, so keep "
                "one of them"
            )
    predicate = row.get("predicate")
    if predicate is not None:
        _check_place(text, predicate, "predicate")
        predicate = tuple(predicate)
    return text, spans, predicate


def _check_place(text, place, key):
    is_place = isinstance(place, list) and len(place) == 2 and all(type(p) is int for p in place)
    if not is_place or not 0 <= place[0] < place[1] <= len(text):
        raise ValueError(
            f"{key}: expected places 0 <= start < end <= {len(text)} in the text {text!r}; "
            f"received {place!r}"
        )


def _all_or_none(predicates, places):
    if all(predicate is None for predicate in predicates):
        return None
    for predicate, (file, line) in zip(predicates, places, strict=True):
        if predicate is None:
            raise ValueError(
                f"{file}, line {line}: no predicate, but other rows have one; expected one in all "
                "rows or in none"
            )
    return predicates
