"""Which documents are read: one part of a held-out split, and without duplicates.

A document is chosen or left as a whole, though its windows may be in different blocks, and whatever
the windows, the lanes and the order are.
"""

import hashlib
import threading

import numpy as np

from keras_bert.data.documents import read_lines

PARTS = ("train", "held_out")
# Bytes of the first line that decide.
_HEAD_BYTES = 1_000
_MOST_KNOWN = 1 << 20


class Selection:
    """Says of the documents of a window whether they are taken. Threads may share it.

    A document is held out if a hash of its first line falls below the rate: no pass over the
    corpus is needed, and where a document stands twice, both are on the same side. White space
    around the line does not count, nor what is after its first 1,000 bytes.

    Args:
        corpus: a corpus.
        held_out_rate: float, share of the documents to be held out.
        part: str, `"train"` or `"held_out"`: the part to take.
        duplicates: a `keras_bert.data.duplicates.Duplicates` to be left out, or None.
    """

    def __init__(self, corpus, held_out_rate, part, duplicates=None):
        self._corpus = corpus
        self._rate, self._wants_held_out = held_out_rate, part == "held_out"
        self._duplicates = duplicates
        # For windows that begin within a document: whether it is held out.
        self._known, self._lock = {}, threading.Lock()

    def select(self, number, window, text):
        """The documents of a window that are taken.

        Args:
            number: int, the window's number in the corpus.
            window: a `Window`.
            text: its `Text`.

        Returns:
            `(text, duplicates)`: a `Text`, and how many documents that begin in the window were
            left out as duplicates.
        """
        if not text.sentences:
            return text, 0
        taken = np.ones(int(text.parts[-1]) + 1, bool)
        if self._rate > 0 or self._wants_held_out:
            taken = self._is_held_out(number, window) == self._wants_held_out
        doubled = 0
        if self._duplicates is not None:
            is_double = self._duplicates.of_window(number, len(taken))
            doubled = int((taken & is_double)[text.continues :].sum())
            taken &= ~is_double
        if taken.all():
            return text, doubled
        of_sentence = taken[text.parts]
        numbers = np.cumsum(taken) - 1
        return (
            text._replace(
                sentences=[s for s, kept in zip(text.sentences, of_sentence, strict=True) if kept],
                parts=numbers[text.parts[of_sentence]].astype(np.int32),
                continues=bool(text.continues and taken[0]),
            ),
            doubled,
        )

    def _is_held_out(self, number, window):
        """Bool `(documents,)` for the documents that a window has text of."""
        lines, _, continues = read_lines(window)
        found = []
        for place, line in enumerate(lines):
            if line and (place == 0 or not lines[place - 1]):
                if place == 0 and continues:
                    found.append(self._goes_on(number, window))
                else:
                    found.append(self._falls_below(self._head(number, window, lines, place)))
        return np.array(found, bool)

    def _goes_on(self, number, window):
        """Whether the document that window `number` begins in the middle of is held out."""
        walked, answer = [], None
        while answer is None:
            with self._lock:
                answer = self._known.get(number)
            if answer is not None:
                continue
            walked.append(number)
            after, window_after = number, window
            number -= 1
            # Where two borders fall together there is nothing between them.
            while not (window := self._corpus.read(number)).data:
                number -= 1
            lines, _, _ = read_lines(window)
            # Behind the last line end there is nothing, or the beginning of the line gone on with.
            last = len(lines) - (2 if window_after.inside == "document" else 1)
            if window_after.inside == "document" and not lines[last]:
                # It begins with the window after: the line before is empty.
                lines, _, _ = read_lines(window_after)
                answer = self._falls_below(self._head(after, window_after, lines, 0))
                continue
            place = last
            while place > 0 and lines[place - 1]:
                place -= 1
            if place > 0 or window.inside is None:
                answer = self._falls_below(self._head(number, window, lines, place))
        with self._lock:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known.update(dict.fromkeys(walked, answer))
        return answer

    def _head(self, number, window, lines, place):
        """The first bytes of line `place` of a window."""
        if place < len(lines) - 1:
            return lines[place].encode()[:_HEAD_BYTES]
        # It may go on in the windows after; white space where it was cut is part of it.
        head = window.data.rpartition(b"\n")[2]
        while len(head.lstrip()) < _HEAD_BYTES and number + 1 < self._corpus.num_windows:
            number += 1
            after = self._corpus.read(number)
            if after.inside != "line":
                break
            more, end, _ = after.data.partition(b"\n")
            head += more
            if end:
                break
        return head.decode("utf-8", errors="replace").strip().encode()[:_HEAD_BYTES]

    def _falls_below(self, head):
        digest = hashlib.blake2b(head, digest_size=8, person=b"held out").digest()
        return int.from_bytes(digest, "little") < self._rate * 2.0**64
