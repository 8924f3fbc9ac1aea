"""Texts with two entities and their relation, as batches for fine-tuning."""

import collections

import tensorflow as tf

from keras_bert.data.class_weights import row_weights
from keras_bert.data.encoded_rows import EncodedRows, digests
from keras_bert.data.labelled_files import choose_columns, choose_label, read_texts
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.tables import pick_rows
from keras_bert.data.targets import OneClass, given_names
from keras_bert.text.relation_preprocessor import MARKERS, mark_entities
from keras_bert.text.tokenizer import as_strings

_AT_ONCE = 1024
_OUTPUT = "relation"


def relations(
    path,
    preprocess,
    labels=None,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column=("relation", "label"),
    header=None,
    skip_bad_rows=False,
    class_weights=None,
):
    """Reads texts with two entities, makes the batches that `BertRelationClassifier` learns from.

    Args:
        path: a file or rows, as `kb.data.classification` takes them. Entities are marked in the
            text, `<e1>...</e1>` and `<e2>...</e2>`, as in SemEval 2010 task 8; or columns `head`
            and `tail` say where they stand: a list of two int, or an object with `start` and
            `end`, the first character and the end (exclusive).
        preprocess: `RelationPreprocessor`.
        labels: list of str, the relations in the order of their numbers. Default: those found,
            sorted.
        batch_size, shuffle, seed, header, skip_bad_rows, class_weights: as in
            `kb.data.classification`.
        text_columns: str. Default: `sentence` or `text`.
        label_column: str. Default: `relation` or `label`.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` as `preprocess` makes
        them; `labels` `{"relation": int32 (batch,)}`; `sample_weights` by the same key, float32.
        Attributes and method as of `kb.data.classification`.

    Raises:
        As `kb.data.classification`; a row without each mark once, or whose spans are empty,
        overlap or lie outside of the text, is bad.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fire", "makes", "heat"])
        >>> rows = [{"text": "<e1>fire</e1> makes <e2>heat</e2>", "label": "Cause-Effect(e1,e2)"},
        ...         {"text": "fire makes heat", "head": [11, 15], "tail": [0, 4], "label": "Other"}]
        >>> train = kb.data.relations(rows, kb.RelationPreprocessor(tokenizer), shuffle=False)
        >>> next(iter(train))[0]["entity_positions"].numpy().tolist()
        [[1, 5], [5, 1]]
    """
    check_batch_size(batch_size)
    if isinstance(text_columns, str):
        text_columns = [text_columns]

    def choose(source, found):
        texts = choose_columns(source, found, text_columns, usual=(("sentence",), ("text",)))
        spans = ("head", "tail") if {"head", "tail"} <= set(found) else None
        return texts, spans, choose_label(source, found, label_column)

    rows, places, class_names, skipped = pick_rows(path, choose, _pick, header, skip_bad_rows)
    texts, values = _marked(rows), [label for _, _, label in rows]
    known = next(iter(class_names.values())) if len(class_names) == 1 else None
    labels = given_names(labels) if labels is not None else OneClass.names(values, known, None)
    numbers = OneClass.numbers(values, labels, places)
    encoded = EncodedRows(as_strings(texts), preprocess)
    weights = tf.constant(row_weights(numbers, labels, class_weights))

    def element(places):
        return (
            encoded.inputs(places),
            {_OUTPUT: tf.gather(tf.constant(numbers), places)},
            {_OUTPUT: tf.gather(weights, places)},
        )

    dataset = length_batches(encoded.lengths, element, batch_size, shuffle, seed)
    counts = collections.Counter(numbers.tolist())
    dataset.tokenizer = preprocess.tokenizer
    dataset.labels, dataset.num_examples, dataset.skipped = labels, len(texts), skipped
    dataset.lengths, dataset.truncated = encoded.lengths, encoded.truncated
    dataset.label_counts = {label: counts[number] for number, label in enumerate(labels)}
    dataset.digests = digests(texts)
    return dataset


def _pick(row, columns):
    """Text, spans or None, and label of a row."""
    texts, spans, labels = columns
    (text,) = read_texts(row, texts)
    label = OneClass.read(row, labels)
    if spans is None or all(row.get(name) is None for name in spans):
        for mark in MARKERS:
            if text.count(mark) != 1:
                raise ValueError(f"expected {mark} once in the text; found {text.count(mark)}")
        return text, None, label
    found = [_span(row.get(name), name, text) for name in spans]
    (_, first_end), (second_start, _) = sorted(found)
    if first_end > second_start:
        raise ValueError(f"the entities head {found[0]} and tail {found[1]} overlap")
    return text, found, label


def _span(value, name, text):
    if isinstance(value, dict):
        value = [value.get("start"), value.get("end")]
    is_span = isinstance(value, (list, tuple)) and len(value) == 2
    if not is_span or not all(type(x) is int for x in value):
        raise ValueError(f"expected [start, end] in column {name!r}; received {value!r}")
    if not 0 <= value[0] < value[1] <= len(text):
        raise ValueError(
            f"the span {list(value)} in column {name!r} is empty or outside of the text of "
            f"{len(text)} characters"
        )
    return tuple(value)


def _marked(rows):
    """The texts with marks, list of str."""
    texts = [text for text, _, _ in rows]
    bare = [i for i, (_, spans, _) in enumerate(rows) if spans is not None]
    for start in range(0, len(bare), _AT_ONCE):
        part = bare[start : start + _AT_ONCE]
        marked = mark_entities([texts[i] for i in part], [rows[i][1] for i in part])
        for i, text in zip(part, marked.numpy(), strict=True):
            texts[i] = text.decode("utf-8")
    return texts
