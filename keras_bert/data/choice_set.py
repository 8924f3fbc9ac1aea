"""Texts with several choices, of which one is right, as batches for fine-tuning."""

import collections
import re

import tensorflow as tf

from keras_bert.data.encoded_rows import EncodedRows, digests
from keras_bert.data.labelled_files import choose_columns, choose_label, read_texts, value_in
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.tables import Tuples, name_of, pick_rows
from keras_bert.text.tokenizer import as_strings

_TEXT_COLUMNS = (("context", "question"), ("context",), ("question",), ("sent1",), ("text",))
_CHOICE = re.compile(r"(?:ending|choice|option)_?\d+")
_OUTPUT = "multiple_choice"
_TUPLES = Tuples(
    lambda row: ["text", "choices", "label"] if len(row) == 3 else None, "(text, choices, number)"
)


def choices(
    path,
    preprocess,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column="label",
    header=None,
    skip_bad_rows=False,
):
    """Reads texts with choices and makes the batches that `BertMultipleChoice` learns from.

    Args:
        path: a file or rows, as `kb.data.classification` takes them, with the text; its choices,
            in a column `choices` (list of str), or in columns `ending0`, `ending1`, ... (or
            `choice0`, `option0`), before each of which `sent2` is put where there is such a
            column, as in SWAG; and the number of the right choice, from 0. Tuples are (text, list
            of choices, number).
        preprocess: `MultipleChoicePreprocessor`.
        batch_size, shuffle, seed, header, skip_bad_rows: as in `kb.data.classification`.
        text_columns: str or list of one or two str, which are joined. Default: `context` and
            `question`, or one of `context`, `question`, `sent1`, `text`.
        label_column: str, default `"label"`.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` int32
        `(batch, choices, sequence)`, as `preprocess` makes them; `labels`
        `{"multiple_choice": int32 (batch,)}`; `sample_weights` by the same key, float32, all 1.
        Attributes and method as of `kb.data.classification`, without `labels`; `num_choices`
        (int); `lengths` are those of the longest choice.

    Raises:
        As `kb.data.classification`; a row with another number of choices than the first, or whose
        label is none of their numbers, is bad.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "is", "a", "color", "fish"])
        >>> rows = [{"question": "Red is a", "choices": ["fish", "color"], "label": 1}]
        >>> train = kb.data.choices(rows, kb.MultipleChoicePreprocessor(tokenizer))
        >>> next(iter(train))[0]["token_ids"].shape
        TensorShape([1, 2, 7])
    """
    check_batch_size(batch_size)
    if isinstance(text_columns, str):
        text_columns = [text_columns]

    def choose(source, found):
        texts = choose_columns(source, found, text_columns, _TEXT_COLUMNS)
        numbered = sorted(filter(_CHOICE.fullmatch, found), key=_trailing_number)
        if "choices" not in found and len(numbered) < 2:
            raise ValueError(
                f"{source}: expected a column 'choices', or 'ending0', 'ending1', ...; received "
                f"{found}"
            )
        label = choose_label(source, found, label_column)[0]
        return texts, None if "choices" in found else numbered, label

    rows, places, _, skipped = pick_rows(path, choose, _pick, header, skip_bad_rows, _TUPLES)
    texts, options, numbers = map(list, zip(*rows, strict=True))
    count = len(options[0])
    for row, place in zip(options, places, strict=True):
        if len(row) != count:
            raise ValueError(
                f"{name_of(place)}: {len(row)} choices; expected {count}, as at "
                f"{name_of(places[0])}"
            )
    first = [text for text in texts for _ in range(count)]
    second = [choice for row in options for choice in row]
    encoded = EncodedRows((as_strings(first), as_strings(second)), _Pairs(preprocess))

    def element(places):
        of_choices = places[:, tf.newaxis] * count + tf.range(count, dtype=tf.int64)
        inputs = encoded.inputs(tf.reshape(of_choices, [-1]))
        shape = [-1, count, tf.shape(inputs["token_ids"])[1]]
        return (
            {name: tf.reshape(value, shape) for name, value in inputs.items()},
            {_OUTPUT: tf.gather(tf.constant(numbers, tf.int32), places)},
            {_OUTPUT: tf.ones_like(places, tf.float32)},
        )

    lengths = encoded.lengths.reshape(-1, count).max(axis=1)
    dataset = length_batches(lengths, element, batch_size, shuffle, seed)
    dataset.tokenizer = preprocess.tokenizer
    dataset.num_examples, dataset.skipped, dataset.num_choices = len(texts), skipped, count
    dataset.lengths, dataset.truncated = lengths, encoded.truncated
    found = collections.Counter(numbers)
    dataset.label_counts = {str(number): found[number] for number in range(count)}
    dataset.digests = digests(texts, options)
    return dataset


class _Pairs:
    """A `MultipleChoicePreprocessor` for rows of a text with one of its choices."""

    def __init__(self, preprocess):
        self._preprocess = preprocess
        self.tokenizer, self.sequence_length = preprocess.tokenizer, preprocess.sequence_length
        self.pad_to_sequence_length = preprocess.pad_to_sequence_length

    def __call__(self, texts):
        inputs = self._preprocess((texts[0], texts[1][:, tf.newaxis]))
        return {name: value[:, 0] for name, value in inputs.items()}

    def uncut_lengths(self, texts):
        return self._preprocess.uncut_lengths((texts[0], texts[1][:, tf.newaxis]))[:, 0]


def _pick(row, columns):
    """Text, choices and the number of the right one."""
    texts, numbered, label = columns
    text = " ".join(part for part in read_texts(row, texts) if part)
    if numbered is None:
        choices = row.get("choices")
        choices = choices.get("text") if isinstance(choices, dict) else choices
        if not isinstance(choices, (list, tuple)) or not all(isinstance(c, str) for c in choices):
            raise ValueError(f"expected a list of str in column 'choices'; received {choices!r}")
    else:
        choices = read_texts(row, numbered)
        if isinstance(row.get("sent2"), str) and row["sent2"]:
            choices = [f"{row['sent2']} {choice}" for choice in choices]
    if len(choices) < 2:
        raise ValueError(f"expected two or more choices; received {list(choices)}")
    value = str(value_in(row, label))
    if not value.isdecimal() or int(value) >= len(choices):
        raise ValueError(
            f"expected the number of a choice, from 0 to {len(choices) - 1}, in column {label!r}; "
            f"received {value!r}"
        )
    return text, list(choices), int(value)


def _trailing_number(name):
    return int(re.search(r"\d+$", name)[0])
