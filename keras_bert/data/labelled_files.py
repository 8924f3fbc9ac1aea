"""Labelled texts from files: TSV, CSV, JSON Lines and TensorFlow Datasets, as plain rows."""

import csv
import io
import json
import logging
import os
import re
import sys
from typing import NamedTuple

from keras_bert.text.files import expand_files, read_text

TFDS = "tfds://"

# Columns that are taken for the text where none are named, the first that are all there.
_TEXT_COLUMNS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "answer"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("text", "text_pair"),
    ("sentence",),
    ("text",),
)
_SPLITS = ("train", "validation", "test")

_logger = logging.getLogger(__name__)


class Rows(NamedTuple):
    """Labelled texts in the order of their files.

    `texts`: list of str. `pairs`: list of str, the second texts, or None. `labels`: list of str.
    `places`: list of (file, line), counted from 1. `class_names`: list of str in the order of
    their numbers where the source knows them, else None. `skipped`: int, bad rows left out.
    """

    texts: list
    pairs: list | None
    labels: list
    places: list
    class_names: list | None
    skipped: int


def read_rows(path, text_columns=None, label_column="label", header=None, skip_bad_rows=False):
    """Reads labelled texts.

    Args:
        path: str or path-like, a glob, or a list of these: `.tsv` (no quoting: `"` is an ordinary
            character), `.csv` (quoted as spreadsheets do) or `.jsonl`, each also with `.gz`; or
            `"tfds://name"`, `"tfds://name/split"`, for instance `"tfds://glue/sst2/validation"`;
            the split is `train` where none is named.
        text_columns: str, or list of one or two str, the columns of the text or of the pair.
            Default: those of the usual names that are there (`sentence`, `text`; `sentence1` and
            `sentence2`, `premise` and `hypothesis`, ...).
        label_column: str, default `"label"`.
        header: list of str, the columns' names in a TSV or CSV file without a header line.
        skip_bad_rows: bool, whether rows that lack a column, have one too many or are no JSON are
            counted and left out. Default False: the first one raises.

    Returns:
        `Rows`. Texts that are not UTF-8 have U+FFFD in place of bad bytes, with a warning.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty, of an unknown kind, lacks a column; or a row is bad (the
            message names file and line).
    """
    if isinstance(text_columns, str):
        text_columns = [text_columns]
    wanted = (text_columns, label_column)
    if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(TFDS):
        return _read_tfds(os.fspath(path), *wanted)
    texts, pairs, labels, places, skipped = [], [], [], [], 0
    for file in expand_files(path):
        columns = None
        for line, row in _rows_of(file, header):
            if columns is None and not isinstance(row, ValueError):
                columns = _choose_columns(file, list(row), *wanted)
            try:
                if isinstance(row, ValueError):
                    raise row
                values = _pick(row, columns)
            except ValueError as error:
                if not skip_bad_rows:
                    raise ValueError(
                        f"{file}, line {line}: {error}. Mend the line, or pass skip_bad_rows=True"
                    ) from None
                skipped += 1
                continue
            texts.append(values[0])
            if len(values) == 3:
                pairs.append(values[1])
            labels.append(values[-1])
            places.append((file, line))
        if pairs and len(pairs) != len(texts):
            raise ValueError(f"{file} and the files before it do not both hold pairs of texts")
    if not texts:
        raise ValueError(f"{path}: no rows; expected one labelled text a line")
    if skipped:
        _logger.warning("%s: left out %d bad rows of %d", path, skipped, skipped + len(texts))
    return Rows(texts, pairs or None, labels, places, None, skipped)


def _rows_of(file, header):
    """Yields (line number, dict of the row or the ValueError that it is)."""
    kind = os.path.splitext(file.removesuffix(".gz"))[1]
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    if kind not in readers:
        raise ValueError(
            f"{file}: unknown kind of file {kind!r}; expected one of {', '.join(readers)}, or "
            "tfds://name"
        )
    return readers[kind](read_text(file), header)


def _tsv(text, header):
    # Split on \n alone: Chinese texts hold U+2028, where str.splitlines would break.
    lines = ((n, line.removesuffix("\r")) for n, line in enumerate(text.split("\n"), start=1))
    return _table(((n, line.split("\t")) for n, line in lines if line), header)


def _csv(text, header):
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)

    def lines():
        limit = csv.field_size_limit(sys.maxsize)  # for long texts; the module's own is 128 KiB
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:  # nothing after it can be trusted
            raise ValueError(f"line {reader.line_num} is not CSV: {error}") from error
        finally:
            csv.field_size_limit(limit)

    return _table(lines(), header)


def _table(lines, header):
    for number, values in lines:
        if header is None:
            header = values
        elif len(values) != len(header):
            yield number, ValueError(f"expected {len(header)} columns; received {len(values)}")
        else:
            yield number, dict(zip(header, values, strict=True))


def _jsonl(text, header):
    if header is not None:
        raise ValueError("header is for TSV and CSV files; JSON Lines name their columns")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, ValueError(f"not JSON: {error}")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, ValueError(f"expected a JSON object; received {type(row).__name__}")


def _choose_columns(source, found, text_columns, label_column):
    if text_columns is None:
        text_columns = next((c for c in _TEXT_COLUMNS if set(c) <= set(found)), None)
    if text_columns is None or not set(text_columns) <= set(found):
        raise ValueError(
            f"{source}: expected the columns {text_columns or 'of the text'}; received {found}. "
            "Name them by text_columns=[...]; for a file without a header line name all its "
            "columns by header=[...]"
        )
    if len(text_columns) not in (1, 2):
        raise ValueError(f"text_columns: expected one or two names; received {text_columns}")
    if label_column not in found:
        raise ValueError(
            f"{source}: no column {label_column!r} among {found}; name it by label_column=..."
        )
    return (*text_columns, label_column)


def _pick(row, columns):
    """Returns the values of the columns as str; raises `ValueError` where one is missing."""
    values = []
    for name in columns:
        value = row.get(name)
        if value is None or isinstance(value, (dict, list)):
            raise ValueError(f"no value in column {name!r}")
        values.append(str(value))
    if any(not isinstance(row[name], str) for name in columns[:-1]):
        raise ValueError(f"expected text in the columns {', '.join(columns[:-1])}")
    if not values[-1]:
        raise ValueError(f"no label in column {columns[-1]!r}")
    return values


def _read_tfds(name, text_columns, label_column):
    import tensorflow_datasets as tfds

    builder, split = _tfds_builder(tfds, name)
    builder.download_and_prepare()
    columns = _choose_columns(name, list(builder.info.features), text_columns, label_column)
    names = getattr(builder.info.features[label_column], "names", None)
    texts, pairs, labels, places = [], [], [], []
    for number, row in enumerate(tfds.as_numpy(builder.as_dataset(split=split)), start=1):
        values = [row[column] for column in columns]
        decoded = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
        if names is not None and not 0 <= decoded[-1] < len(names):
            raise ValueError(
                f"{name}, example {number}: no label ({decoded[-1]}); the test splits of some "
                "sets have none"
            )
        texts.append(decoded[0])
        if len(decoded) == 3:
            pairs.append(decoded[1])
        labels.append(str(decoded[-1]) if names is None else names[decoded[-1]])
        places.append((name, number))
    if not texts:
        raise ValueError(f"{name}: no rows")
    return Rows(texts, pairs or None, labels, places, names and list(names), 0)


def _tfds_builder(tfds, name):
    """The builder and the split: `name`, `name/config`, and either with `/split` at its end."""
    whole = name.removeprefix(TFDS)
    head, _, tail = whole.rpartition("/")
    split = re.match(r"\w*", tail)[0]
    if head:
        try:
            builder = tfds.builder(head)
        except tfds.core.registered.DatasetNotFoundError:
            builder = None
        if builder is not None and (split in _SPLITS or split in builder.info.splits):
            return builder, tail
    try:
        return tfds.builder(whole), "train"
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(f"{name}: TensorFlow Datasets knows no such set: {error}") from error
