"""Sources with targets: parallel text, summaries, titles, dialogue; as batches for fine-tuning."""

import os

import numpy as np
import tensorflow as tf

from keras_bert.data import tables
from keras_bert.data.encoded_rows import digests
from keras_bert.data.labelled_files import choose_columns
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.parallel_text import parallel_files, read_parallel
from keras_bert.text.tokenizer import as_strings

# Columns that are taken where none are named, the first that are both there.
_COLUMNS = (
    ("source", "target"),
    ("text", "summary"),
    ("document", "summary"),
    ("article", "highlights"),
    ("abstract", "title"),
    ("question", "answer"),
    ("query", "response"),
)
_AT_ONCE = 1024


def seq2seq(
    path,
    preprocess,
    batch_size=32,
    shuffle=True,
    seed=0,
    text_columns=None,
    header=None,
    skip_bad_rows=False,
):
    """Reads sources with their targets and makes the batches that `BertSeq2SeqLM` learns from.

    Args:
        path: two files of parallel text, a tuple of two paths or a str with a comma between them,
            `"train.en,train.de"`; or a table, as `kb.data.classification` takes it: a TSV, CSV or
            JSON Lines file, `tfds://name`, a pandas frame, a list of dicts or of tuples (source,
            target).
        preprocess: `Seq2SeqPreprocessor`.
        batch_size, shuffle, seed, header: as in `kb.data.classification`.
        text_columns: list of two str, the columns of source and target. Default: those of the usual
            names that are there (`source` and `target`; `text`, `document` and `summary`;
            `abstract` and `title`; `question` and `answer`; ...).
        skip_bad_rows: bool, whether rows without a source or a target are counted and left out.
            Default False: the first one raises.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`, as `preprocess` makes them of
        sources with targets. Attributes and method as of `kb.data.classification`, without
        `labels`, `label_counts`; `sources` and `targets`, lists of str; `cut_targets` (int), rows
        whose target was cut, which never learn their end; `truncated` counts rows of which
        anything was.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: files of parallel text have different numbers of lines; a source lacks a column;
            a row is bad (the message names file and line), or there is none.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "eins", "zwei"])
        >>> rows = [("one", "eins"), ("one two", "eins zwei")]
        >>> train = kb.data.seq2seq(rows, kb.Seq2SeqPreprocessor(tokenizer), shuffle=False)
        >>> inputs, labels, weights = next(iter(train))
        >>> labels["seq2seq"].numpy().tolist()
        [[7, 3, 0], [7, 8, 3]]
    """
    check_batch_size(batch_size)
    sources, targets, skipped = _read(path, text_columns, header, skip_bad_rows)
    tokenizer = preprocess.tokenizer
    source_ids, target_ids = (_encoded(tokenizer, texts) for texts in (sources, targets))
    uncut = [ids.row_lengths().numpy() for ids in (source_ids, target_ids)]
    room = (preprocess.source_length - 2, preprocess.target_length - 1)
    is_cut = [lengths > most for lengths, most in zip(uncut, room, strict=True)]
    source_ids, target_ids = source_ids[:, : room[0]], target_ids[:, : room[1]]

    def element(places):
        return preprocess.pack_rows(tf.gather(source_ids, places), tf.gather(target_ids, places))

    lengths = source_ids.row_lengths() + target_ids.row_lengths() + 3
    dataset = length_batches(lengths, element, batch_size, shuffle, seed)
    dataset.sources, dataset.targets = sources, targets
    dataset.num_examples, dataset.skipped = len(sources), skipped
    dataset.cut_targets = int(np.count_nonzero(is_cut[1]))
    dataset.truncated = int(np.count_nonzero(is_cut[0] | is_cut[1]))
    dataset.digests = digests(sources, targets)
    return dataset


def _read(path, text_columns, header, skip_bad_rows):
    """Sources, targets, lists of str; int, rows left out."""
    if text_columns is not None and (isinstance(text_columns, str) or len(text_columns) != 2):
        raise ValueError(f"text_columns: expected two names; received {text_columns!r}")
    files = parallel_files(path)
    if files is not None:
        if text_columns is not None or header is not None:
            raise ValueError(
                f"{files[0]}, {files[1]}: parallel text has no columns; leave text_columns and "
                "header out"
            )
        path = read_parallel(*files)
    elif header is None and not isinstance(path, (str, os.PathLike)):
        header = ["source", "target"] if _are_tuples(path) else None

    def choose(source, found):
        return choose_columns(source, found, text_columns, _COLUMNS)

    rows, _, _, skipped = tables.pick_rows(path, choose, _pick, header, skip_bad_rows)
    sources, targets = map(list, zip(*rows, strict=True))
    return sources, targets, skipped


def _are_tuples(rows):
    return isinstance(rows, (list, tuple)) and any(isinstance(row, (list, tuple)) for row in rows)


def _pick(row, columns):
    texts = tuple(row.get(name) for name in columns)
    for name, text in zip(columns, texts, strict=True):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"no text in column {name!r}")
    return texts


def _encoded(tokenizer, texts):
    """Tokens of all texts, int32 `tf.RaggedTensor` `(texts, tokens)`."""
    parts = [
        tokenizer(as_strings(texts[start : start + _AT_ONCE]))
        for start in range(0, len(texts), _AT_ONCE)
    ]
    return tf.concat(parts, axis=0)
