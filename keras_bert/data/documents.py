"""From the bytes of a window to sentences and the documents they belong to."""

import re
from typing import NamedTuple

import numpy as np

FORMATS = ("sentences", "prose")
# A longer line is no sentence; it is cut into pieces at white space.
_LONGEST_LINE, _LONGEST_PIECE = 10_000, 1_000
# As many characters as fit up to white space or the end, or else as many as fit at all.
_PIECE = re.compile(rf"\S(?:.{{0,{_LONGEST_PIECE - 1}}}(?!\S)|.{{0,{_LONGEST_PIECE - 1}}})", re.S)


class Text(NamedTuple):
    """The sentences of a window.

    `parts` is int32 `(sentences,)`: which document of the window, from 0 on, a sentence is in.
    `continues` says that document 0 began in an earlier window. `invalid_lines` counts lines with
    bytes that are no UTF-8, `long_lines` those cut into pieces.
    """

    sentences: list
    parts: np.ndarray
    continues: bool
    invalid_lines: int
    long_lines: int


def read_text(window, format="sentences", split_sentences=None):
    """Decodes a window and splits it into documents and sentences.

    Lines end at `\\n` only. An empty line, or one of white space alone, ends a document. Bytes that
    are no UTF-8 become U+FFFD. A sentence of more than 10,000 characters is cut at white space
    into pieces of at most 1,000; nothing but the white space between them is lost.

    Args:
        window: a `keras_bert.data.corpus.Window`.
        format: str, `"sentences"` for one sentence a line, or `"prose"`, where the lines of a
            document are running text to be split into sentences.
        split_sentences: callable from str to a list of str; needed for `"prose"`.

    Returns:
        A `Text`.
    """
    lines, invalid_lines, continues = read_lines(window)
    if format == "prose":
        lines = _prose_lines(lines, split_sentences)

    sentences, parts, part, long_lines = [], [], 0, 0
    is_new = False
    for number, line in enumerate(lines):
        if not line:
            is_new = True
            continue
        if is_new and parts:
            part += 1
        is_new = False
        if len(line) <= _LONGEST_LINE:
            sentences.append(line)
            parts.append(part)
        else:
            pieces = [piece.rstrip() for piece in _PIECE.findall(line)]
            sentences += pieces
            parts += [part] * len(pieces)
            # The line that a window begins within is counted where it begins.
            long_lines += not (number == 0 and window.inside == "line")
    return Text(sentences, np.array(parts, np.int32), continues, invalid_lines, long_lines)


def read_lines(window):
    """The lines of a window without white space around them.

    White space is no sentence, so a document is the lines between two empty ones.

    Returns:
        `(lines, invalid_lines, continues)`, the latter two as in `Text`.
    """
    lines, invalid_lines = _decode(window.data)
    lines = [line.strip() for line in lines]
    return lines, invalid_lines, window.inside is not None and lines[0] != ""


def count_documents(corpus, limit):
    """Documents in a corpus, counted up to a limit: reading stops there, in bounded memory."""
    found = 0
    for number in range(corpus.num_windows):
        window = corpus.read(number)
        if corpus.has_tokens:
            found += int(np.sum(window.arrays["continues"] == 0))
        elif (text := read_text(window)).sentences:
            found += int(text.parts[-1]) + 1 - (text.continues and found > 0)
        if found >= limit:
            break
    return min(found, limit)


def _decode(data):
    """Lines of text, and how many held bytes that are no UTF-8."""
    try:
        return data.decode("utf-8").split("\n"), 0
    except UnicodeDecodeError:
        pass
    lines, invalid = [], 0
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("utf-8", errors="replace"))
            invalid += 1
    return lines, invalid


def _prose_lines(lines, split_sentences):
    """Sentences of running text, with an empty line where a document ends."""
    sentences, paragraph = [], []
    for line in [*lines, ""]:
        if line:
            paragraph.append(line)
        else:
            if paragraph:
                text = "\n".join(paragraph)
                # A document stays one, whatever its sentences are.
                sentences += list(filter(None, split_sentences(text))) or [text]
            sentences.append("")
            paragraph = []
    return sentences
