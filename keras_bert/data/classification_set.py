"""Labelled texts, or pairs of texts, as batches for fine-tuning a classifier."""

import collections

import numpy as np
import tensorflow as tf

from keras_bert.data.class_weights import row_weights
from keras_bert.data.encoded_documents import EncodedDocuments
from keras_bert.data.encoded_rows import EncodedRows, digests
from keras_bert.data.labelled_files import read_rows
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.targets import TARGETS, given_names
from keras_bert.text.tokenizer import as_strings


def classification(
    path,
    preprocess,
    labels=None,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column=None,
    header=None,
    skip_bad_rows=False,
    problem_type="single_label",
    class_weights=None,
    out_of_scope=None,
):
    """Reads labelled texts and makes the batches that `BertTextClassifier` learns from.

    Texts are tokenized once. Each epoch draws a new order from (seed, epoch), sorts rows by
    length within chunks of 100 batches, and shuffles the batches: rows of a batch are about
    equally long, and are padded to the longest of them. Every row comes once an epoch; the last
    batch may be smaller.

    Args:
        path: `.tsv` (no quoting), `.csv`, `.jsonl`, `.json` (each also `.gz`): str or path-like, a
            glob, or a list of these; `"data.json#train+more"` names the lists that are meant of a
            JSON object of lists; `"tfds://name"`, `"tfds://name/split"` of TensorFlow Datasets; or
            rows in memory: a pandas DataFrame, a list of dicts, or a list of tuples (text, label)
            or (text, second text, label).
        preprocess: `TextClassifierPreprocessor`; with `windows` the rows are documents.
        labels: list of str, the classes in the order of their numbers. A file whose labels are
            such numbers already may be given names here. Default: the names that TensorFlow
            Datasets knows, or those found in the file, sorted (numbers by value). Give a
            validation set the labels of its training set.
        batch_size: int, default 32.
        shuffle: bool, default True; False keeps the order of the file, for predictions.
        seed: int, default 0.
        text_columns: str, or list of one or two str. Default: the usual names that are there, for
            instance `sentence`, `text`, or `sentence1` and `sentence2`.
        label_column: str. Default: `label`; for several labels `labels` or `label`, for numbers
            `score` or `label`. A list of str for a column of 0 or 1 for each of several labels, or
            a column for each of several numbers.
        header: list of str, column names of a TSV or CSV file without a header line.
        skip_bad_rows: bool, leave out and count rows with missing columns. Default False: the
            first one raises.
        problem_type: str, as `BertTextClassifier`'s: `"single_label"`; `"multi_label"`, where a row
            has any labels, also none, a JSON list or with `|` between them; `"regression"`, where
            it has a number. Default `"single_label"`.
        class_weights: `"balanced"`, or a dict of label to float: what rows of a class weigh in the
            loss. Default None: all the same.
        out_of_scope: str, the label of rows that belong to none of the classes: it is no class,
            and these rows weigh 0. Default None.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` a dict of int32
        `(batch, sequence)` (of documents `(batch, windows, sequence)`), as `preprocess` makes it;
        `labels` `{"classification": int32
        (batch,)}`, for several labels float32 `(batch, labels)` of 0 and 1, for numbers
        `{"regression": float32 (batch, numbers)}`; `sample_weights` by the same key, float32
        `(batch,)`. It has the attributes `labels` (list of str, class `i` is `labels[i]`),
        `num_examples`, `skipped` and `truncated` (int, rows that were cut), `lengths` (int
        `(rows,)`, tokens), `label_counts` (dict), `digests` (uint64 `(rows,)`, equal for equal
        texts), `out_of_scope`, and the method `set_epoch(epoch)`: which epoch, from 0, comes next.
        Its length is known, so that `fit` shows a progress bar.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty, of an unknown kind or lacks a column; a row is bad or its
            label is not among `labels` (the message names file and line).

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "no"])
        >>> rows = [("good film", "positive"), ("no", "negative")]  # or "train.tsv"
        >>> train = kb.data.classification(rows, kb.TextClassifierPreprocessor(tokenizer))
        >>> train.labels, len(train)  # for BertTextClassifier(backbone, labels=train.labels)
        (['negative', 'positive'], 1)
    """
    check_batch_size(batch_size)
    if problem_type not in TARGETS:
        raise ValueError(
            f"problem_type must be one of {', '.join(TARGETS)}; received {problem_type!r}"
        )
    if problem_type != "single_label" and (class_weights is not None or out_of_scope is not None):
        raise ValueError(
            f"class_weights and out_of_scope are for one class a row; problem_type is "
            f"{problem_type!r}"
        )
    target = TARGETS[problem_type]
    columns = label_column or target.columns
    rows = read_rows(path, text_columns, columns, header, skip_bad_rows, target.read)
    is_inside = np.array([label != out_of_scope for label in rows.labels])
    labels, numbers = _numbers(rows, target, labels, columns, is_inside)
    weights = np.zeros(len(rows.texts), "float32")
    if problem_type == "single_label":
        weights[is_inside] = row_weights(numbers[is_inside], labels, class_weights)
    else:
        weights[:] = 1

    texts = as_strings(rows.texts)
    if rows.pairs is not None:
        texts = (texts, as_strings(rows.pairs))
    if preprocess.windows is not None and rows.pairs is None:
        encoded = EncodedDocuments(texts, preprocess)
    else:  # pairs in windows are refused by the preprocessor
        encoded = EncodedRows(texts, preprocess)
    numbers, weights = tf.constant(numbers), tf.constant(weights)

    def element(places):
        return (
            encoded.inputs(places),
            {target.output: tf.gather(numbers, places)},
            {target.output: tf.gather(weights, places)},
        )

    dataset = length_batches(encoded.lengths, element, batch_size, shuffle, seed)
    dataset.tokenizer = preprocess.tokenizer
    dataset.labels, dataset.out_of_scope = labels, out_of_scope
    dataset.num_examples, dataset.skipped = len(rows.texts), rows.skipped
    dataset.lengths, dataset.truncated = encoded.lengths, encoded.truncated
    dataset.label_counts = _counts(rows.labels, numbers.numpy(), labels, out_of_scope, problem_type)
    dataset.digests = digests(rows.texts, *([] if rows.pairs is None else [rows.pairs]))
    return dataset


def _numbers(rows, target, labels, columns, is_inside):
    """The names of the classes, and the numbers of all rows: 0 for those out of scope."""
    inside = [label for label, is_in in zip(rows.labels, is_inside, strict=True) if is_in]
    places = [place for place, is_in in zip(rows.places, is_inside, strict=True) if is_in]
    if labels is not None:
        labels = given_names(labels)
    else:
        labels = target.names(inside, rows.class_names, _columns(rows, columns))
    if not inside:
        return labels, np.zeros(len(rows.labels), "int32")
    found = target.numbers(inside, labels, places)
    numbers = np.zeros((len(rows.labels), *found.shape[1:]), found.dtype)
    numbers[is_inside] = found
    return labels, numbers


def _columns(rows, columns):
    if isinstance(columns, list):
        return columns
    return [columns] if isinstance(columns, str) else [columns[0]]


def _counts(values, numbers, labels, out_of_scope, problem_type):
    """Rows of each label, dict; of numbers, how they are spread."""
    if problem_type == "regression":
        return {}
    if problem_type == "multi_label":
        return dict(zip(labels, numbers.sum(axis=0).astype(int).tolist(), strict=True))
    outside = sum(value == out_of_scope for value in values)
    counts = collections.Counter(numbers.tolist())
    counts[0] -= outside
    found = {label: counts[number] for number, label in enumerate(labels)}
    return {**found, out_of_scope: outside} if outside else found
