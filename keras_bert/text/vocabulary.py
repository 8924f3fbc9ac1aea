"""The vocabulary: reading, writing and training the list of tokens."""

import os

from keras_bert.text import files as files_lib

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def load_vocabulary(path):
    """Reads a `vocab.txt`: one token a line, the line number (from 0) is its id.

    Lines end at `\\n` alone (a `\\r` before it is dropped): the Chinese BERT vocabulary holds
    U+2028 as a token, where `str.splitlines` would break. The last line may lack its end.

    Args:
        path: str or path-like.

    Returns:
        List of str.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty or not UTF-8.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "vocab.txt")
        >>> save_vocabulary(["[PAD]", "[UNK]", "apple"], path)
        >>> load_vocabulary(path)
        ['[PAD]', '[UNK]', 'apple']
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"vocabulary: no such file: {path!r}; expected a vocab.txt with one token a line "
            "(keras_bert.text.train_vocabulary makes one from text)"
        )
    with files_lib.open_binary(path) as file:
        data = file.read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"vocabulary: {path!r} is not UTF-8: {error}") from error
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise ValueError(f"vocabulary: {path!r} is empty; expected one token a line")
    return [line.removesuffix("\r") for line in lines]


def save_vocabulary(vocabulary, path):
    """Writes a `vocab.txt`, one token a line, whole or not at all.

    Args:
        vocabulary: list of str.
        path: str or path-like; its folder must exist.

    Raises:
        ValueError: a token holds a line end.
        OSError: the file cannot be written; a former file stays as it was.

    Example: see `load_vocabulary`.
    """
    for index, token in enumerate(vocabulary):
        if "\n" in token or token.endswith("\r"):
            raise ValueError(
                f"vocabulary: token {index}, {token!r}, holds a line end and cannot be written "
                "one token a line"
            )
    files_lib.write_atomically(path, "".join(f"{token}\n" for token in vocabulary))
