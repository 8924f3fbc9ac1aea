"""What a `Predictor` is asked: items of several kinds, as the inputs of a signature."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from keras_bert.text.tokenizer import as_strings


class Kind(NamedTuple):
    """A kind of item.

    `inputs`: the signature's inputs, in the order of an item's parts. `called`: what a person calls
    such items. `fits`: function of an item's parts that tells whether they are of this kind.
    """

    inputs: tuple
    called: str
    fits: Callable


def _is_text(parts):
    return len(parts) == 1 and isinstance(parts[0], str)


def _are_two_texts(parts):
    return len(parts) == 2 and all(isinstance(part, str) for part in parts)


def _has_choices(parts):
    choices = parts[1] if len(parts) == 2 and isinstance(parts[1], (list, tuple)) else []
    return len(choices) > 0 and all(isinstance(part, str) for part in (parts[0], *choices))


def _has_predicate(parts):
    return len(parts) == 3 and isinstance(parts[0], str) and _is_span(parts[1:])


def _has_two_spans(parts):
    return len(parts) == 3 and isinstance(parts[0], str) and all(map(_is_span, parts[1:]))


def _is_span(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(type(place) is int for place in value)
    )


_KINDS = (
    Kind(("text",), "single texts", _is_text),
    Kind(("text", "text_pair"), "pairs", _are_two_texts),
    Kind(("question", "context"), "tuples (question, context)", _are_two_texts),
    Kind(("text", "choices"), "tuples (text, list of choices)", _has_choices),
    Kind(
        ("text", "predicate_start", "predicate_end"),
        "tuples (text, start, end), the predicate's characters",
        _has_predicate,
    ),
    Kind(
        ("text", "spans"),
        "tuples (text, (start, end), (start, end)), the entities' characters",
        _has_two_spans,
    ),
)


def columns(items, signatures):
    """Finds the signature that takes some items, and turns them into its inputs.

    Args:
        items: list with an entry an item, of one of the kinds above, all of one.
        signatures: dict, name of a signature -> set of the names of its inputs.

    Returns:
        Str, the name of the signature; dict, name of an input -> list with an entry an item.

    Raises:
        TypeError: an item is of no kind, or of another than the first.
        ValueError: no signature takes items of this kind; a predicate lies outside its text.
    """
    rows = [tuple(item) if isinstance(item, (list, tuple)) else (item,) for item in items]
    kinds = [kind for kind in _KINDS if not rows or kind.fits(rows[0])]
    place = next((i for i, row in enumerate(rows) if not any(k.fits(row) for k in kinds)), None)
    if place is not None:
        known = _KINDS if place == 0 else kinds
        raise TypeError(
            f"texts: expected {' or '.join(f'{kind.called} only' for kind in known)}; received "
            f"{items[place]!r} at place {place}"
        )
    for kind in kinds:
        for name, inputs in signatures.items():
            if set(kind.inputs) == inputs:
                return name, _as_columns(kind, rows)
    taken = [kind.called for kind in _KINDS if set(kind.inputs) in signatures.values()]
    raise ValueError(f"this model takes {' or '.join(taken)}; received {kinds[0].called}")


def _as_columns(kind, rows):
    if kind.fits is _has_predicate:
        for place, (text, start, end) in enumerate(rows):
            if not 0 <= start < end <= len(text):
                raise ValueError(
                    f"texts: expected a predicate of characters 0 <= start < end <= {len(text)}; "
                    f"received {rows[place]!r} at place {place}"
                )
    if kind.fits is _has_two_spans:
        rows = [(text, spans) for text, *spans in rows]
    return {name: [row[i] for row in rows] for i, name in enumerate(kind.inputs)}


def batches(columns, batch_size):
    """Yields the places of items that go together: of about equal length, and of as many choices.

    Args:
        columns: as `columns` returns them.
        batch_size: int.
    """
    choices = columns.get("choices")

    def key(place):
        number = 0 if choices is None else len(choices[place])
        return number, sum(_length(column[place]) for column in columns.values())

    order = sorted(range(len(next(iter(columns.values())))), key=key)
    start = 0
    while start < len(order):
        stop = start + batch_size
        batch = [i for i in order[start:stop] if key(i)[0] == key(order[start])[0]]
        yield batch
        start += len(batch)


def tensor(values):
    """A batch of one column as a tensor: strings `(batch,)` or `(batch, choices)`, or int32."""
    if isinstance(values[0], str):
        return as_strings(values)
    if isinstance(values[0], (list, tuple)) and isinstance(values[0][0], str):
        flat = as_strings([choice for choices in values for choice in choices])
        return tf.reshape(flat, [len(values), len(values[0])])
    return tf.constant(values, tf.int32)


def _length(value):
    if isinstance(value, str):
        return len(value)
    return sum(map(len, value)) if isinstance(value, (list, tuple)) and _is_strings(value) else 0


def _is_strings(values):
    return all(isinstance(value, str) for value in values)
