"""Rows of named columns, from files, TensorFlow Datasets, data frames and lists."""

import csv
import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from keras_bert.data import tfds_table
from keras_bert.text.files import expand_files, read_text

# A JSON file that holds an object of lists, and which of them are meant: `data.json#train+more`.
_JSON_PART = re.compile(r"(.+\.json(?:\.gz)?)#([^#]+)")
_IN_MEMORY = "the rows"

_logger = logging.getLogger(__name__)


class Table(list):
    """Rows that were read, dicts by column; `places[i]` says where row `i` stood."""

    def __init__(self, rows, places):
        super().__init__(rows)
        self.places = places


class Tuples(NamedTuple):
    """How tuples of a task are read: `name`, function of a tuple that returns the names of its
    columns, or None for another kind; `called`, str, what a person calls those that are taken."""

    name: Callable
    called: str


LABELLED = Tuples(
    lambda row: {2: ["text", "label"], 3: ["text", "text_pair", "label"]}.get(len(row)),
    "(text, label) or (text, text, label)",
)


def read_table(path, header=None, tuples=LABELLED):
    """Reads a table row by row.

    Args:
        path: str or path-like, a glob, or a list of these: `.tsv` (no quoting: `"` is an ordinary
            character), `.csv` (quoted as spreadsheets do), `.jsonl` (an object a line) or `.json`
            (a list, or an object of lists, of which `data.json#train+more` names those that are
            meant), each also with `.gz`; `"tfds://name"` or `"tfds://name/split"`; or rows in
            memory: a pandas DataFrame, a list of dicts, or a list of tuples.
        header: list of str, the columns' names where a TSV or CSV file has no header line, or for
            tuples.
        tuples: `Tuples`, how they are read. Default: `LABELLED`.

    Returns:
        Iterator over (place, row): the place is a pair (source, number from 1), the row a dict or,
        where it is none, the `ValueError` that says why. And a dict, column -> list of str, of the
        class names that the source knows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is empty, of an unknown kind or encoding, or cannot be parsed.
    """
    if is_in_memory(path):
        return _rows_in_memory(path, header, tuples), {}
    if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(tfds_table.TFDS):
        return tfds_table.read(os.fspath(path))
    return _rows_of_files(path, header), {}


def is_table(path):
    """Whether rows of named columns are meant, as `read_table` takes them, and no raw text."""
    if is_in_memory(path):
        return True
    names = [path] if isinstance(path, (str, os.PathLike)) else path
    return all(os.fspath(name).startswith(tfds_table.TFDS) or _is_named(name) for name in names)


def _is_named(name):
    file = os.fspath(name)
    found = _JSON_PART.fullmatch(file)
    return found is not None or _kind(file) in _READERS


def _kind(file):
    return os.path.splitext(file.removesuffix(".gz"))[1]


def pick_rows(path, choose, pick, header=None, skip_bad_rows=False, tuples=LABELLED):
    """Reads a table and takes of each row what is wanted.

    Args:
        path, header, tuples: as `read_table`.
        choose: function of (source, names of its columns) that returns what `pick` needs to know;
            it is called once a source.
        pick: function of (row, what was chosen) that returns a value, or raises `ValueError`.
        skip_bad_rows: bool, whether bad rows are counted and left out; else the first one raises.

    Returns:
        List of values; list of their places; dict of class names as `read_table`; int, rows left
        out.

    Raises:
        As `read_table`; ValueError: a row is bad (the message names file and line), or there is
        none.
    """
    values, places, skipped, source, chosen = [], [], 0, None, None
    rows, class_names = read_table(path, header, tuples)
    for place, row in rows:
        if place[0] != source and not isinstance(row, ValueError):
            source, chosen = place[0], choose(place[0], list(row))
        try:
            if isinstance(row, ValueError):
                raise row
            values.append(pick(row, chosen))
        except ValueError as error:
            if not skip_bad_rows:
                raise ValueError(
                    f"{name_of(place)}: {error}. Mend it, or pass skip_bad_rows=True"
                ) from None
            skipped += 1
            continue
        places.append(place)
    if not values:
        raise ValueError(f"{source_of(path)}: no rows; expected one example a row")
    if skipped:
        _logger.warning(
            "%s: left out %d bad rows of %d", places[0][0], skipped, skipped + len(values)
        )
    return values, places, class_names, skipped


def name_of(place):
    """What messages call a place: `"train.tsv, line 3"`."""
    source, number = place
    if source.startswith(tfds_table.TFDS):
        return f"{source}, example {number}"
    if source == _IN_MEMORY:
        return f"row {number}"
    is_json = source.split("#")[0].removesuffix(".gz").endswith(".json")
    return f"{source}, {'item' if is_json else 'line'} {number}"


def is_in_memory(path):
    """Whether rows are meant that are there, and no files."""
    if hasattr(path, "to_dict") and hasattr(path, "columns"):  # a DataFrame
        return True
    return isinstance(path, (list, tuple)) and any(isinstance(x, (dict, list, tuple)) for x in path)


def source_of(path):
    """What messages call a source that rows are read from."""
    return _IN_MEMORY if is_in_memory(path) else path


def _rows_in_memory(rows, header, tuples):
    places = getattr(rows, "places", None)
    if hasattr(rows, "to_dict"):
        rows = rows.to_dict("records")
    for number, row in enumerate(rows, start=1):
        place = (_IN_MEMORY, number) if places is None else places[number - 1]
        if isinstance(row, dict):
            yield place, {str(name): _value(value) for name, value in row.items()}
            continue
        names = (header or tuples.name(row)) if isinstance(row, (list, tuple)) else None
        if names is None or len(names) != len(row):
            expected = f"{len(header)} values" if header else tuples.called
            yield place, ValueError(f"expected a dict, or {expected}; received {row!r:.100}")
        else:
            yield place, {name: _value(cell) for name, cell in zip(names, row, strict=True)}


def _value(value):
    """A cell: None where a data frame has none, plain values in place of NumPy's."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return None if isinstance(value, float) and value != value else value


def _rows_of_files(path, header):
    for file, part in _expand(path):
        source = f"{file}#{part}" if part else file
        for number, row in _rows_of(file, part, header):
            yield (source, number), row


def _expand(path):
    """The files, each with the part of it that is meant, or None."""
    names = [path] if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(names, (list, tuple)) or not names:
        return [(file, None) for file in expand_files(path)]  # which refuses it
    files, whole = [], []
    for name in names:
        found = _JSON_PART.fullmatch(os.fspath(name)) if isinstance(name, (str, os.PathLike)) else 0
        if found:
            files += [(file, found[2]) for file in expand_files(found[1])]
        else:
            whole.append(name)
    files += [(file, None) for file in expand_files(whole)] if whole else []
    return sorted(files, key=lambda pair: (pair[0], pair[1] or ""))


def _rows_of(file, part, header):
    """Yields (line number, dict of the row or the ValueError that it is)."""
    kind = _kind(file)
    if kind not in _READERS:
        raise ValueError(
            f"{file}: unknown kind of file {kind!r}; expected one of {', '.join(_READERS)}, or "
            "tfds://name"
        )
    text = read_text(file)
    if kind == ".json":
        return _json(file, text, part, header)
    return _READERS[kind](text, header)


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


def _json(file, text, part, header):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}. JSON Lines end in .jsonl") from error
    if isinstance(value, dict):
        lists = {name: rows for name, rows in value.items() if isinstance(rows, list)}
        wanted = part.split("+") if part else list(lists)
        if (part is None and len(lists) != 1) or not set(wanted) <= set(lists):
            raise ValueError(
                f"{file}: holds the lists {list(lists)}; name those that are meant, for instance "
                f"{file}#{next(iter(lists), 'train')}"
            )
        value = [row for name in wanted for row in lists[name]]
    elif part is not None or not isinstance(value, list):
        raise ValueError(f"{file}: expected a JSON object of lists" + ("" if part else ", or one"))
    for (_, number), row in _rows_in_memory(value, header, LABELLED):
        yield number, row


# The end of a file's name -> what reads its rows.
_READERS = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl, ".json": _json}
