"""Labelled texts, or pairs of texts, as batches for fine-tuning a classifier."""

import re

import numpy as np
import tensorflow as tf

from keras_bert.data.labelled_files import read_rows
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.text.tokenizer import as_strings


def classification(
    path,
    preprocess,
    labels=None,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column="label",
    header=None,
    skip_bad_rows=False,
):
    """Reads labelled texts and makes the batches that `BertTextClassifier` learns from.

    Texts are tokenized once. Each epoch draws a new order from (seed, epoch), sorts rows by
    length within chunks of 100 batches, and shuffles the batches: rows of a batch are about
    equally long, and are padded to the longest of them. Every row comes once an epoch; the last
    batch may be smaller.

    Args:
        path: `.tsv` (no quoting), `.csv`, `.jsonl` (each also `.gz`): str or path-like, a glob, or
            a list of these; or `"tfds://name"`, `"tfds://name/split"` of TensorFlow Datasets.
        preprocess: `TextClassifierPreprocessor`.
        labels: list of str, the classes in the order of their numbers. A file whose labels are
            such numbers already may be given names here. Default: the names that TensorFlow
            Datasets knows, or those found in the file, sorted (numbers by value). Give a
            validation set the labels of its training set.
        batch_size: int, default 32.
        shuffle: bool, default True; False keeps the order of the file, for predictions.
        seed: int, default 0.
        text_columns: str, or list of one or two str. Default: the usual names that are there, for
            instance `sentence`, `text`, or `sentence1` and `sentence2`.
        label_column: str, default `"label"`.
        header: list of str, column names of a TSV or CSV file without a header line.
        skip_bad_rows: bool, leave out and count rows with missing columns. Default False: the
            first one raises.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` a dict of int32
        `(batch, sequence)`, as `preprocess` makes it; `labels` `{"classification": int32
        (batch,)}`; `sample_weights` `{"classification": float32 (batch,)}`, all 1. It has the
        attributes `labels` (list of str, class `i` is `labels[i]`), `num_examples` and `skipped`
        (int), and the method `set_epoch(epoch)`: which epoch, from 0, comes next. Its length is
        known, so that `fit` shows a progress bar.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty, of an unknown kind or lacks a column; a row is bad or its
            label is not among `labels` (the message names file and line).

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> path = os.path.join(tempfile.mkdtemp(), "train.tsv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("text\\tlabel\\ngood film\\tpositive\\nno\\tnegative\\n")
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "no"])
        >>> train = kb.data.classification(path, kb.TextClassifierPreprocessor(tokenizer))
        >>> train.labels, len(train)  # for BertTextClassifier(backbone, labels=train.labels)
        (['negative', 'positive'], 1)
    """
    check_batch_size(batch_size)
    rows = read_rows(path, text_columns, label_column, header, skip_bad_rows)
    labels = _class_names(rows, labels)
    numbers = tf.constant(_class_numbers(rows, labels), tf.int32)
    tokens, segments = _tokenize(rows, preprocess)
    count = len(rows.texts)
    pad_id = preprocess.tokenizer.pad_id
    width = preprocess.sequence_length if preprocess.pad_to_sequence_length else None

    def element(places):
        ids = tf.gather(tokens, places)
        token_ids = ids.to_tensor(pad_id, shape=[None, width])
        inputs = {
            "token_ids": token_ids,
            "segment_ids": tf.gather(segments, places).to_tensor(0, shape=[None, width]),
            "padding_mask": tf.sequence_mask(ids.row_lengths(), tf.shape(token_ids)[1], tf.int32),
        }
        return (
            inputs,
            {"classification": tf.gather(numbers, places)},
            {"classification": tf.ones_like(places, tf.float32)},
        )

    dataset = length_batches(tokens.row_lengths(), element, batch_size, shuffle, seed)
    dataset.labels, dataset.num_examples, dataset.skipped = labels, count, rows.skipped
    return dataset


def _tokenize(rows, preprocess):
    """Token and segment ids of all rows, int32 `tf.RaggedTensor` `(rows, tokens)`, no padding."""
    texts = as_strings(rows.texts)
    if rows.pairs is not None:
        texts = (texts, as_strings(rows.pairs))
    # A tuple of datasets' elements would reach `map` as two arguments.
    packed = (
        tf.data.Dataset.from_tensor_slices({"texts": texts})
        .batch(1024)
        .map(lambda batch: preprocess(batch["texts"]), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(2)
    )
    tokens, segments, lengths = [], [], []
    for inputs in packed.as_numpy_iterator():
        real = inputs["padding_mask"] == 1
        tokens.append(inputs["token_ids"][real])
        segments.append(inputs["segment_ids"][real])
        lengths.append(real.sum(axis=1))
    lengths = np.concatenate(lengths).astype("int64")
    return tuple(
        tf.RaggedTensor.from_row_lengths(np.concatenate(values), lengths)
        for values in (tokens, segments)
    )


def _class_names(rows, labels):
    if labels is None:
        if rows.class_names is not None:
            return rows.class_names
        found = set(rows.labels)
        return sorted(found, key=int if all(map(_is_number, found)) else None)
    if isinstance(labels, str):
        raise ValueError(f"labels: expected a list of str; received {labels!r}")
    labels = [str(label) for label in labels]
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels: expected different names; received {labels}")
    return labels


def _class_numbers(rows, labels):
    numbers = {label: number for number, label in enumerate(labels)}
    if not any(map(_is_number, labels)):  # names given to a file that holds numbers
        numbers.update({str(number): number for number in range(len(labels))})
    result = []
    for label, (file, line) in zip(rows.labels, rows.places, strict=True):
        if label not in numbers:
            raise ValueError(
                f"{file}, line {line}: the label {label!r} is not among labels={labels}"
            )
        result.append(numbers[label])
    return result


def _is_number(label):
    return re.fullmatch(r"-?[0-9]+", label) is not None
