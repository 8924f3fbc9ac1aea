"""Texts with labelled spans as batches for fine-tuning a token classifier."""

import logging

import numpy as np
import tensorflow as tf

from keras_bert.data.encoded_rows import digests
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.tables import name_of, source_of
from keras_bert.data.tagged_files import read_tagged
from keras_bert.text.bio import OUTSIDE, bio_labels, split_tag, tags_of_spans
from keras_bert.text.tokenizer import as_strings

_logger = logging.getLogger("keras_bert")


def token_classification(path, preprocess, labels=None, batch_size=32, shuffle=True, seed=0):
    """Reads texts with labelled spans and makes the batches that `BertTokenClassifier` learns from.

    Named entities, slots, and with a predicate in each row its semantic roles. Spans become BIO
    tags of the words that `preprocess` finds in the text (words between spaces, each punctuation
    mark, each Chinese character), so that training and the served model see the same: a token of
    a CoNLL file that holds several words has them all in its span. The first piece of a word
    carries its label; its other pieces, special tokens and padding weigh 0. Texts are tokenized
    once; batches are made as `kb.data.classification` makes them.

    Args:
        path: CoNLL, `.jsonl` or `.json` files, str or path-like, a glob, or a list of these;
            `"tfds://name"`; or rows in memory, a DataFrame, or a list of dicts or of tuples
            (tokens, tags) or (text, spans). CoNLL: a token and its tag a line, parted by tab or
            spaces, the tag in the last column, an empty line between sentences; BIO, IOB1, BIOES,
            BILOU or BMES. The text is the tokens with spaces between them, but none between Chinese
            characters. Rows of columns: `text`, and `spans`, `slots` or `entities`, a list of
            [start, end, label] in characters, end exclusive; for semantic roles also `predicate`,
            [start, end]; or `tokens`, and `tags`, `ner_tags`, `ner` or `labels`, a tag a token.
        preprocess: `TokenClassifierPreprocessor`.
        labels: list of str, the classes in the order of their numbers: `O`, and `B-LABEL`,
            `I-LABEL` of each label. Default: those found in the file, sorted. Give a validation
            set the labels of its training set.
        batch_size: int, default 32.
        shuffle: bool, default True; False keeps the order of the file.
        seed: int, default 0.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` a dict of int32
        `(batch, sequence)`, as `preprocess` makes it; `labels` `{"token_classification": int32
        (batch, sequence)}`; `sample_weights` `{"token_classification": float32
        (batch, sequence)}`, 1 for the first piece of a word, 0 for all else. Its length is known.
        It has the method `set_epoch(epoch)`: which epoch, from 0, comes next; and the attributes
        `labels` (list of str); `texts`, `spans` and `predicates` (or None), the rows as they
        were read; and ints: `num_examples`; `repaired`, spans whose tags did not begin with B;
        `unaligned`, spans that begin or end within a word (its whole words are labelled);
        `truncated`, texts that were cut. The last three are told by warnings where they are not 0.
        And `num_spans` (int), `digests` (uint64 `(rows,)`, equal for equal texts).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty; a row is bad, its label is not among `labels`, or its
            predicate is no token (the message names file and line).

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> path = os.path.join(tempfile.mkdtemp(), "train.conll")
        >>> with open(path, "w") as file:
        ...     _ = file.write("Ann\\tB-PER\\nsings\\tO\\n\\nNo\\tO\\n")
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "sing", "##s", "no"])
        >>> preprocess = kb.TokenClassifierPreprocessor(tokenizer)
        >>> train = kb.data.token_classification(path, preprocess, shuffle=False)
        >>> train.labels  # for BertTokenClassifier(backbone, labels=train.labels)
        ['O', 'B-PER', 'I-PER']
        >>> next(train.as_numpy_iterator())[1]["token_classification"].tolist()
        [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    check_batch_size(batch_size)
    rows = read_tagged(path)
    labels = _class_names(rows, labels)
    pieces = _tokenize(rows, preprocess)
    numbers, unaligned = _number_words(rows, pieces, labels)
    truncated = _count_truncated(rows, pieces)
    lengths = tf.constant(pieces["lengths"])
    ragged = {
        key: tf.RaggedTensor.from_row_lengths(values, lengths)
        for key, values in {
            "token_ids": pieces["token_ids"],
            "segment_ids": pieces["segment_ids"],
            "numbers": numbers,
            "weights": pieces["mask"].astype("float32"),
        }.items()
    }
    pad_id = preprocess.tokenizer.pad_id
    width = preprocess.sequence_length if preprocess.pad_to_sequence_length else None

    def element(places):
        padded = {
            key: tf.gather(values, places).to_tensor(
                pad_id if key == "token_ids" else 0, shape=[None, width]
            )
            for key, values in ragged.items()
        }
        inputs = {key: padded[key] for key in ("token_ids", "segment_ids")}
        inputs["padding_mask"] = tf.sequence_mask(
            tf.gather(lengths, places), tf.shape(padded["token_ids"])[1], tf.int32
        )
        return (
            inputs,
            {"token_classification": padded["numbers"]},
            {"token_classification": padded["weights"]},
        )

    dataset = length_batches(lengths, element, batch_size, shuffle, seed)
    dataset.tokenizer = preprocess.tokenizer
    dataset.labels, dataset.num_examples = labels, len(rows.texts)
    dataset.texts, dataset.spans, dataset.predicates = rows.texts, rows.spans, rows.predicates
    dataset.repaired, dataset.unaligned, dataset.truncated = rows.repaired, unaligned, truncated
    dataset.num_spans, dataset.digests = sum(map(len, rows.spans)), digests(rows.texts)
    if unaligned:
        _logger.warning(
            "%s: %d spans of %d begin or end within a word; the whole words are labelled",
            source_of(path),
            unaligned,
            dataset.num_spans,
        )
    if truncated:
        _logger.warning(
            "%s: cut %d texts of %d to sequence_length=%d tokens",
            source_of(path),
            truncated,
            len(rows.texts),
            preprocess.sequence_length,
        )
    return dataset


def _class_names(rows, labels):
    if labels is None:
        return bio_labels({span.label for spans in rows.spans for span in spans})
    if isinstance(labels, str):
        raise ValueError(f"labels: expected a list of str; received {labels!r}")
    labels = list(labels)
    for label in labels:
        if split_tag(label)[0] not in (None, "begin", "go on"):
            raise ValueError(f"labels: expected O, B-LABEL and I-LABEL only; received {label!r}")
    if len(set(labels)) != len(labels) or OUTSIDE not in labels:
        raise ValueError(f"labels: expected different names, O among them; received {labels}")
    return labels


def _tokenize(rows, preprocess):
    """What `preprocess.with_words` makes of all rows, without padding, flat.

    Returns:
        Dict of int arrays: `token_ids`, `segment_ids`, `mask`, `starts`, `ends`, `(tokens,)`, rows
        one behind the other; `lengths`, `cut`, `(rows,)`.
    """
    columns = {"texts": as_strings(rows.texts)}
    if rows.predicates is not None:
        columns["predicates"] = tf.constant(rows.predicates, tf.int32)
    batches = (
        tf.data.Dataset.from_tensor_slices(columns)
        .batch(1024)
        .map(
            lambda batch: preprocess.with_words(batch["texts"], batch.get("predicates")),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .prefetch(2)
    )
    result = {key: [] for key in ("lengths", "cut", *_FLAT)}
    for inputs, words in batches.as_numpy_iterator():
        real = inputs["padding_mask"] == 1
        values = {**inputs, **words}
        for key in _FLAT:
            result[key].append(values[key][real])
        result["cut"].append(words["cut"])
        result["lengths"].append(real.sum(axis=1))
    result = {key: np.concatenate(values) for key, values in result.items()}
    return {**result, "lengths": result["lengths"].astype("int64")}


_FLAT = ("token_ids", "segment_ids", "mask", "starts", "ends")


def _number_words(rows, pieces, labels):
    """Class numbers of all tokens, int32 `(tokens,)`, and the number of unaligned spans."""
    numbers = {label: number for number, label in enumerate(labels)}
    result = np.full(pieces["mask"].shape, numbers[OUTSIDE], "int32")
    row_ends = np.cumsum(pieces["lengths"])
    unaligned = 0
    for row, spans in enumerate(rows.spans):
        first = row_ends[row] - pieces["lengths"][row]
        words = first + np.flatnonzero(pieces["mask"][first : row_ends[row]])
        starts, ends = pieces["starts"][words], pieces["ends"][words]
        found = []
        for span in spans:
            # Words that the span touches and no span before it has.
            low = max(np.searchsorted(ends, span.start, "right"), found[-1][1] if found else 0)
            high = np.searchsorted(starts, span.end, "left")
            if low < high:
                found.append((low, high, span.label))
                exact = (starts[low], ends[high - 1]) == (span.start, span.end)
            else:
                exact = False
            is_cut = pieces["cut"][row] and (not len(ends) or span.end > ends[-1])
            unaligned += not exact and not is_cut
            _check_labels(span, high - low, numbers, rows.places[row][0])
        tags = tags_of_spans(found, len(words))
        result[words] = [numbers[tag] for tag in tags]
    return result, unaligned


def _check_labels(span, words, numbers, source):
    for prefix in ("B", "I")[: max(1, min(words, 2))]:
        if f"{prefix}-{span.label}" not in numbers:
            raise ValueError(
                f"{name_of((source, span.line))}: the label '{prefix}-{span.label}' is not among "
                f"labels={list(numbers)}"
            )


def _count_truncated(rows, pieces):
    """The number of texts that were cut; refuses a predicate that no token of the text is of."""
    is_cut = pieces["cut"] > 0
    if rows.predicates is not None:
        row_of_token = np.repeat(np.arange(len(is_cut)), pieces["lengths"])
        marked = np.bincount(row_of_token, pieces["segment_ids"], len(is_cut))
        for row in np.flatnonzero((marked == 0) & ~is_cut):
            raise ValueError(
                f"{name_of(rows.places[row])}: the predicate {list(rows.predicates[row])} of "
                f"{rows.texts[row]!r} holds no token"
            )
    return int(is_cut.sum())
