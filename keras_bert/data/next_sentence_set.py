"""Pairs of sentences, the second of which follows or does not, as batches for fine-tuning."""

import collections

import tensorflow as tf

from keras_bert.data.encoded_rows import EncodedRows, digests
from keras_bert.data.labelled_files import read_rows, value_in
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.sentence_pairs import NEXT, RANDOM, draw_pairs
from keras_bert.data.tables import is_table
from keras_bert.text.tokenizer import as_strings

NAMES = ("next", "random")
_OUTPUT = "next_sentence"


def next_sentence(
    path,
    preprocess,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column="label",
    header=None,
    skip_bad_rows=False,
    format="sentences",
):
    """Reads pairs of sentences and makes the batches that `BertNextSentence` learns from.

    Args:
        path: a file or rows, as `kb.data.classification` takes them, of pairs with the label
            **0 = the second follows, 1 = it is random**; or raw text (a file of another kind, such
            as `.txt`, also `.gz`), one sentence a line with an empty line between documents, from
            which `kb.data.draw_pairs` draws pairs by the seed.
        preprocess: `TextClassifierPreprocessor`.
        batch_size, shuffle, seed, text_columns, header, skip_bad_rows: as in
            `kb.data.classification`.
        label_column: str, default `"label"`.
        format: str, of raw text: `"sentences"`, or `"prose"`, running text. Default `"sentences"`.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` as `preprocess` makes
        them; `labels` `{"next_sentence": int32 (batch,)}`; `sample_weights` by the same key,
        float32, all 1. Attributes and method as of `kb.data.classification`, without `labels`.

    Raises:
        As `kb.data.classification` and `draw_pairs`; a row whose label is neither 0 nor 1 is bad.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> rows = [{"sentence1": "a b", "sentence2": "c", "label": 0}]  # or "texts.txt"
        >>> train = kb.data.next_sentence(rows, kb.TextClassifierPreprocessor(tokenizer))
        >>> train.label_counts
        {'next': 1, 'random': 0}
    """
    check_batch_size(batch_size)
    if not is_table(path):
        path = draw_pairs(path, seed, format)
    rows = read_rows(path, text_columns, label_column, header, skip_bad_rows, _read_label)
    if rows.pairs is None:
        raise ValueError(
            f"{rows.places[0][0]}: expected two texts a row; received one. Name their columns by "
            "text_columns=[..., ...]"
        )
    encoded = EncodedRows((as_strings(rows.texts), as_strings(rows.pairs)), preprocess)
    numbers = tf.constant(rows.labels, tf.int32)

    def element(places):
        return (
            encoded.inputs(places),
            {_OUTPUT: tf.gather(numbers, places)},
            {_OUTPUT: tf.ones_like(places, tf.float32)},
        )

    dataset = length_batches(encoded.lengths, element, batch_size, shuffle, seed)
    dataset.num_examples, dataset.skipped = len(rows.texts), rows.skipped
    dataset.lengths, dataset.truncated = encoded.lengths, encoded.truncated
    found = collections.Counter(rows.labels)
    dataset.label_counts = {name: found[number] for number, name in enumerate(NAMES)}
    dataset.digests = digests(rows.texts, rows.pairs)
    return dataset


def _read_label(row, columns):
    value = value_in(row, columns[0])
    if str(value) not in (str(NEXT), str(RANDOM)):
        raise ValueError(
            f"expected 0 (the second text follows) or 1 (it is random) in column {columns[0]!r}; "
            f"received {value!r}"
        )
    return int(value)
