"""Parallel text: two files, of which line n of one belongs to line n of the other."""

import os

from keras_bert.data.tables import Table
from keras_bert.text.files import read_text


def parallel_files(path):
    """The two files that a path means, tuple of str; None where it means none such.

    Args:
        path: tuple of two paths; or str with one comma, `"train.en,train.de"`.
    """
    is_path = (str, os.PathLike)
    if isinstance(path, tuple) and len(path) == 2 and all(isinstance(x, is_path) for x in path):
        return tuple(map(os.fspath, path))
    if isinstance(path, str) and path.count(",") == 1 and not os.path.exists(path):
        return tuple(part.strip() for part in path.split(","))
    return None


def read_parallel(source, target):
    """Reads two files line by line.

    Args:
        source, target: str, files of UTF-8 text, also with `.gz` or `.zst`. Line ends are `\\n` or
            `\\r\\n`.

    Returns:
        `Table` of dicts with `source` and `target`; places name the source's file and line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the files have different numbers of lines, or none.
    """
    sources, targets = _lines(source), _lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources):,} lines and {target} {len(targets):,}; expected as many "
            "in both, line n of one being line n of the other"
        )
    if not sources:
        raise ValueError(f"{source} and {target} are empty; expected a text a line")
    rows = [{"source": a, "target": b} for a, b in zip(sources, targets, strict=True)]
    return Table(rows, [(source, number) for number in range(1, len(rows) + 1)])


def _lines(path):
    text = read_text(path).removesuffix("\n")
    # On \n alone: str.splitlines would break at characters within a text.
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []
