"""Names of text files from paths, globs and lists, and reading them, compressed or not."""

import glob
import gzip
import io
import logging
import os

from keras_bert.text import zstd

# What files of this encoding begin with.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_logger = logging.getLogger(__name__)


def expand_files(files):
    """Turns paths and globs into a sorted list of existing, non-empty files.

    Args:
        files: str or path-like, or a list of these. Each is the path of a file or a glob pattern
            (`*`, `?`, `[...]`, and `**` for any depth). A name that exists is taken as it stands,
            so a file called `a[1].txt` needs no escaping. Empty files among others are passed
            over, counted and named in a warning of the logger `keras_bert`.

    Returns:
        List of str, sorted, each file once. Same files, same order on every machine.

    Raises:
        TypeError: `files` is neither a path nor a list of paths.
        FileNotFoundError: a path does not exist, or a pattern matches no file.
        ValueError: the list is empty, or a path is a folder, or every file is empty.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "b.txt").write_text("two"), (folder / "a.txt").write_text("one")
        >>> [os.path.basename(path) for path in expand_files(str(folder / "*.txt"))]
        ['a.txt', 'b.txt']
    """
    if isinstance(files, (str, os.PathLike)):
        files = [files]
    elif isinstance(files, bytes) or not hasattr(files, "__iter__"):
        raise TypeError(
            f"files: expected a path, a glob pattern or a list of these; received {files!r}"
        )
    patterns = [os.fspath(name) for name in files]
    if not patterns:
        raise ValueError("files: expected at least one path or glob pattern; received none")
    found = set()
    for pattern in patterns:
        if os.path.isdir(pattern):
            raise ValueError(
                f"files: {pattern!r} is a folder; name its files, for instance "
                f"{os.path.join(pattern, '*.txt')!r}"
            )
        if os.path.exists(pattern):
            found.add(pattern)
            continue
        matches = [name for name in glob.glob(pattern, recursive=True) if os.path.isfile(name)]
        if not matches:
            kind = "no file matches the pattern" if glob.has_magic(pattern) else "no such file:"
            raise FileNotFoundError(f"files: {kind} {pattern!r} (looked from {os.getcwd()!r})")
        found.update(matches)
    filled = sorted(name for name in found if os.path.getsize(name) > 0)
    if not filled:
        raise ValueError(
            f"files: nothing to read, every file is empty: {', '.join(sorted(found)[:5])}"
        )
    if empty := sorted(found.difference(filled)):
        logging.getLogger("keras_bert").warning(
            "%d of %d files are empty and passed over: %s",
            len(empty),
            len(found),
            ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else ""),
        )
    return filled


def open_binary(path):
    """Opens a file for reading bytes, unpacked where its name ends in `.gz` or `.zst`.

    Args:
        path: str or path-like.

    Returns:
        A binary file object; use it in a `with` statement.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: it is a `.zst` file and zstandard is not installed.
        ValueError: in reading, a `.zst` file proves damaged.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "lines.txt.gz")
        >>> with gzip.open(path, "wb") as file:
        ...     _ = file.write(b"one line")
        >>> with open_binary(path) as file:
        ...     file.read()
        b'one line'
    """
    path = os.fspath(path)
    if path.endswith(".gz"):
        return gzip.open(path, "rb")
    if path.endswith(".zst"):
        return io.BufferedReader(zstd.ZstdReader(path), 1 << 16)
    return open(path, "rb")


def read_text(path):
    """Reads a whole UTF-8 file, unpacked as by `open_binary`, without a byte order mark.

    Args:
        path: str or path-like.

    Returns:
        str. Bytes that are no UTF-8 are replaced by U+FFFD, with a warning that counts them.

    Raises:
        FileNotFoundError, ModuleNotFoundError, ValueError: as `open_binary`; ValueError also where
            the file is in another encoding than UTF-8.
    """
    with open_binary(path) as stream:
        data = stream.read()
    if data.startswith(_UTF16):
        raise ValueError(f"{path}: UTF-16; expected UTF-8. Convert it: iconv -f UTF-16 -t UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", errors="replace")
        bad = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
        line = data.count(b"\n", 0, error.start) + 1
        if bad > len(text) // 10:  # no text with a slip in it, but another encoding
            raise ValueError(
                f"{path}, line {line}: not UTF-8, and nor is much of what follows. Convert it, for "
                "instance: iconv -f GB18030 -t UTF-8"
            ) from None
        _logger.warning(
            "%s: replaced %d invalid UTF-8 sequences by U+FFFD, the first on line %d",
            path,
            bad,
            line,
        )
        return text


def write_atomically(path, text):
    """Writes a UTF-8 text file whole or not at all: a kill or a full disk keeps the former file.

    Args:
        path: str or path-like; its folder must exist.
        text: str, written as it is (no translation of line ends).

    Raises:
        OSError: the disk is full, the folder is missing or may not be written.
    """
    path = os.fspath(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
