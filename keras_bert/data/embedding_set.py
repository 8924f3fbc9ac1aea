"""Pairs and triplets of texts as batches for training sentence embeddings."""

import numpy as np
import tensorflow as tf

from keras_bert.data.embedding_files import read_text_rows
from keras_bert.data.encoded_rows import EncodedRows, digests
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.tables import name_of
from keras_bert.text.tokenizer import as_strings

_AT_ONCE = 1024


def embedding_pairs(
    path,
    preprocess,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    label_column=None,
    positive_score=None,
    score_range=None,
    header=None,
    skip_bad_rows=False,
):
    """Reads pairs or triplets of texts and makes the batches of `BertEmbeddingTrainer`.

    With scores they are for `kb.losses.cosine_regression`; without, for
    `kb.losses.in_batch_negatives` and `kb.losses.triplet`. The batches are those of
    `kb.data.classification`: of rows about equally long (by the longest of a row's texts), drawn
    anew each epoch, every row once.

    Without scores, rows that occur twice are left out and counted, and the labels number the
    texts: equal numbers for texts of equal tokens. By these the loss knows texts that come several
    times in a batch, and takes no positive for another row's negative.

    Args:
        path: `.tsv` (no quoting), `.csv`, `.jsonl` (each also `.gz`): str or path-like, a glob, or
            a list of these; or `"tfds://name"`; or rows in memory, a DataFrame, or a list of dicts
            or of tuples (text, text), (text, text, score) or (anchor, positive, negative).
        preprocess: `TextClassifierPreprocessor`.
        batch_size: int, default 32. With in-batch negatives larger ones learn more.
        shuffle: bool, default True; False keeps the order of the file.
        seed: int, default 0.
        text_columns: list of two or more str: a pair, or anchor, positive and negatives. Default:
            `anchor`, `positive` and perhaps `negative`, `sentence1` and `sentence2`, or other
            usual names that are there.
        label_column: str, the column of the score of a pair. Default: `score`, where it is there.
        positive_score: float: pairs of this score and above are taken as pairs that belong
            together, without scores; the others are left out and counted. Default None.
        score_range: two float, the scores that ask for the cosines 0 and 1. Default: scores in
            [-1, 1] are cosines; else 0, or the smallest found below it, and the largest found.
            Give a validation set that of its training set.
        header: list of str, column names of a TSV or CSV file without a header line.
        skip_bad_rows: bool, leave out and count rows without one of the texts, or with a score
            that is no number. Default False: the first one raises.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` a dict of int32
        `(batch, texts, sequence)`; `labels` `{"embeddings": float32 (batch,)}`, the cosines
        wanted, or without scores `{"embeddings": int32 (batch, texts)}`, the numbers of the texts;
        `sample_weights` `{"embeddings": float32 (batch,)}`, all 1. It has the attributes `scored`
        (bool), `score_range` (two float, or None), `num_texts` (int, texts a row), `num_examples`,
        `skipped`, `duplicates` and `below` (int, rows left out as bad, as repeated, and under
        `positive_score`), `lengths`, and the method `set_epoch(epoch)`: which epoch, from 0, comes
        next.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty, of an unknown kind or lacks a column; a row is bad, or its
            score outside `score_range` (the message names file and line); no row is left.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> path = os.path.join(tempfile.mkdtemp(), "train.tsv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("sentence1\\tsentence2\\tscore\\ngood film\\tgood\\t5\\n")
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "no"])
        >>> train = kb.data.embedding_pairs(path, kb.TextClassifierPreprocessor(tokenizer))
        >>> train.scored, train.score_range, train.num_texts
        (True, (0.0, 5.0), 2)
    """
    check_batch_size(batch_size)
    rows = read_text_rows(path, text_columns, label_column, header, skip_bad_rows)
    counts = {"skipped": rows.skipped, "duplicates": 0, "below": 0}
    texts, scores = rows.texts, rows.scores
    if positive_score is not None:
        if scores is None:
            raise ValueError(
                "positive_score is for pairs with scores, which there are none of; leave it out, "
                "or name their column by label_column=..."
            )
        texts = [row for row, score in zip(texts, scores, strict=True) if score >= positive_score]
        counts["below"] = len(scores) - len(texts)
        if not texts:
            raise ValueError(
                f"{rows.places[0][0]}: no pair has a score of positive_score={positive_score} or "
                f"more; the highest is {max(scores)}"
            )
        scores = None
    if scores is None:
        texts, all_texts = list(dict.fromkeys(texts)), texts
        counts["duplicates"] = len(all_texts) - len(texts)
    else:
        score_range, scores = _cosines(scores, score_range, rows.places)

    # Each text is tokenized once, however many rows it stands in.
    places = {}
    which = np.array([[places.setdefault(text, len(places)) for text in row] for row in texts])
    encoded = EncodedRows(as_strings(list(places)), preprocess)
    lengths = encoded.lengths[which].max(axis=1)
    width = which.shape[1]
    labels = _numbers(encoded)[which] if scores is None else scores
    which, labels = tf.constant(which, tf.int64), tf.constant(labels)

    def element(rows):
        inputs = encoded.inputs(tf.reshape(tf.gather(which, rows), [-1]))
        shape = [tf.shape(rows)[0], width, tf.shape(inputs["token_ids"])[1]]
        return (
            {name: tf.reshape(value, shape) for name, value in inputs.items()},
            {"embeddings": tf.gather(labels, rows)},
            {"embeddings": tf.ones_like(rows, tf.float32)},
        )

    dataset = length_batches(lengths, element, batch_size, shuffle, seed)
    dataset.tokenizer = preprocess.tokenizer
    dataset.scored, dataset.num_texts, dataset.num_examples = scores is not None, width, len(texts)
    dataset.score_range = score_range if dataset.scored else None
    dataset.lengths, dataset.digests = lengths, digests(*zip(*texts, strict=True))
    for name, count in counts.items():
        setattr(dataset, name, count)
    return dataset


def _cosines(scores, score_range, places):
    """The range of the scores, or None where they are cosines, and float32 `(rows,)` cosines."""
    scores = np.array(scores)
    if score_range is None:
        if np.abs(scores).max() <= 1:
            return None, scores.astype("float32")
        score_range = (min(0.0, scores.min()), scores.max())
    low, high = map(float, score_range)
    if not low < high:
        raise ValueError(
            f"score_range must be a smaller and a larger number; received {(low, high)}"
        )
    outside = np.flatnonzero((scores < low) | (scores > high))
    if outside.size:
        raise ValueError(
            f"{name_of(places[outside[0]])}: the score {scores[outside[0]]} lies outside "
            f"score_range={(low, high)}"
        )
    return (low, high), ((scores - low) / (high - low)).astype("float32")


def _numbers(encoded):
    """Numbers of encoded texts, int32 `(texts,)`: equal ones for equal tokens."""
    numbers, found = [], {}
    for start in range(0, len(encoded.lengths), _AT_ONCE):
        inputs = encoded.inputs(tf.range(start, min(start + _AT_ONCE, len(encoded.lengths))))
        tokens, mask = inputs["token_ids"].numpy(), inputs["padding_mask"].numpy() == 1
        for row, is_real in zip(tokens, mask, strict=True):
            numbers.append(found.setdefault(row[is_real].tobytes(), len(found)))
    return np.array(numbers, "int32")
