"""CoNLL files: a token and its tag a line, an empty line between sentences."""

import re

from keras_bert.text.bio import split_tag
from keras_bert.text.files import read_text

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
# Chinese characters, CJK punctuation and full-width forms: what is written without spaces.
_UNSPACED = re.compile(rf"{_CHINESE.pattern}|[\u3000-\u303f\uff00-\uffef]")


def read_sentences(file):
    """Reads the sentences of a CoNLL file.

    Columns are parted by tabs, or in a line without one by spaces; the first is the token, the
    last its tag. Lines that begin with `-DOCSTART-` are dropped.

    Args:
        file: str, a path; also `.gz` and `.zst`.

    Yields:
        tokens, tags: list of str; lines: list of int, from 1, where they stand.

    Raises:
        ValueError: a line has other columns than the first one, no token or a tag that is none;
            the message names file and line.
    """
    sentence, columns = ([], [], []), None
    # Split on \n alone: tokens may be other line ends of Unicode.
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip(" \t") or line.startswith("-DOCSTART-"):
            if sentence[0]:
                yield sentence
            sentence = ([], [], [])
            continue
        parts = line.split("\t") if "\t" in line else [part for part in line.split(" ") if part]
        columns = columns or max(len(parts), 2)
        if len(parts) != columns or not parts[0].strip(" "):
            raise ValueError(
                f"{file}, line {number}: expected {columns} columns, a token first and its tag "
                f"last, parted by tabs or spaces; received {line!r}"
            )
        try:
            split_tag(parts[-1])
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from None
        for values, value in zip(sentence, (parts[0], parts[-1], number), strict=True):
            values.append(value)
    if sentence[0]:
        yield sentence


def join_tokens(tokens):
    """Writes tokens as the text that a person would have typed.

    Between two tokens stands a space, but between Chinese characters, CJK punctuation and
    full-width forms there is none; in a sentence with Chinese characters there is none between any
    two tokens of one character either, so that years and names come together again.

    Args:
        tokens: list of str, one or more.

    Returns:
        text: str.
        places: list of (start, end), where each token stands in it, in characters.

    Example:
        >>> join_tokens(["在", "1", "9", "年", "，"])[0], join_tokens(["in", "1", "9"])
        ('在19年，', ('in 1 9', [(0, 2), (3, 4), (5, 6)]))
    """
    is_chinese = any(_CHINESE.search(token) for token in tokens)
    text, places = "", []
    for token in tokens:
        if text:
            before = text[places[-1][0] :]
            unspaced = _UNSPACED.match(before[-1]) and _UNSPACED.match(token)
            if not unspaced and not (is_chinese and len(before) == len(token) == 1):
                text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
    return text, places
