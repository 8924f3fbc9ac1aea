"""One text with labelled spans from a row of a table: spans in characters, or a tag a token."""

import itertools

from keras_bert.data.conll import join_tokens
from keras_bert.data.tables import Tuples
from keras_bert.text.bio import spans_of_tags

SPAN_KEYS = ("spans", "slots", "entities")
TAG_KEYS = ("tags", "ner_tags", "ner", "labels")


def _name(row):
    if len(row) != 2:
        return None
    return ["text", SPAN_KEYS[0]] if isinstance(row[0], str) else ["tokens", TAG_KEYS[0]]


TAGGED = Tuples(_name, "(tokens, tags) or (text, spans)")


def read_tagged_row(row):
    """Reads a row with `text` and spans, or with `tokens` and tags; see `tagged_files.read_tagged`.

    Args:
        row: dict.

    Returns:
        text: str.
        spans: list of (start, end, label), characters, in order.
        predicate: (start, end), or None.
        repaired: int, spans whose tags did not begin with B.

    Raises:
        ValueError: the row is bad.
    """
    if "tokens" in row and not any(key in row for key in SPAN_KEYS):
        text, spans, repaired = _read_tokens(row)
        return text, spans, None, repaired
    text = row.get("text")
    if not isinstance(text, str):
        raise ValueError(
            "expected a str `text`, or `tokens` with a tag each; received the keys "
            f"{', '.join(row)}"
        )
    spans = _read_spans(row, text)
    predicate = row.get("predicate")
    if predicate is not None:
        predicate = tuple(_check_place(text, predicate, "predicate"))
    return text, spans, predicate, 0


def _read_tokens(row):
    key = next((key for key in TAG_KEYS if key in row), None)
    if key is None:
        raise ValueError(
            f"expected a tag a token as one of {', '.join(TAG_KEYS)}; received the keys "
            f"{', '.join(row)}"
        )
    tokens, tags = row["tokens"], row[key]
    for name, values in (("tokens", tokens), (key, tags)):
        if not isinstance(values, (list, tuple)) or not all(isinstance(v, str) for v in values):
            raise ValueError(f"expected a list of str in {name}; received {values!r:.100}")
    if len(tokens) != len(tags):
        raise ValueError(f"{len(tokens)} tokens, but {len(tags)} {key}; expected a tag a token")
    if not tokens or not all(token.strip() for token in tokens):
        raise ValueError(f"expected tokens, none of them empty; received {tokens!r:.100}")
    text, places = join_tokens(list(tokens))
    found, repaired = spans_of_tags(tags)
    spans = [(places[first][0], places[last - 1][1], label) for first, last, label in found]
    return text, spans, repaired


def _read_spans(row, text):
    key = next((key for key in SPAN_KEYS if key in row), None)
    values = row.get(key)
    if isinstance(values, dict):  # as TensorFlow Datasets has lists of objects
        columns = [values.get(name) for name in ("start", "end", "label")]
        values = list(zip(*columns, strict=True)) if all(c is not None for c in columns) else None
    if not isinstance(values, (list, tuple)):
        raise ValueError(
            f"expected a list of [start, end, label] as one of {', '.join(SPAN_KEYS)}; received "
            f"the keys {', '.join(row)}"
        )
    spans = []
    for span in values:
        if isinstance(span, dict):
            span = [span.get(name) for name in ("start", "end", "label")]
        if not isinstance(span, (list, tuple)) or len(span) != 3 or not isinstance(span[2], str):
            raise ValueError(f"expected [start, end, label] in {key}; received {span!r}")
        if not span[2]:
            raise ValueError(f"the label of {list(span)} in {key} is empty")
        spans.append((*_check_place(text, span[:2], key), span[2]))
    spans.sort()
    for left, right in itertools.pairwise(spans):
        if left[1] > right[0]:
            raise ValueError(
                f"the {key} {list(left)} and {list(right)} overlap; a token has one label, so keep "
                "one of them"
            )
    return spans


def _check_place(text, place, key):
    is_place = isinstance(place, (list, tuple)) and len(place) == 2
    is_place = is_place and all(type(value) is int for value in place)
    if not is_place or not 0 <= place[0] < place[1] <= len(text):
        raise ValueError(
            f"{key}: expected places 0 <= start < end <= {len(text)} in the text {text!r}; "
            f"received {place!r}"
        )
    return place
