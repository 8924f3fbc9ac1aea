"""Pairs of sentences from raw text: the second one follows the first, or is drawn at random."""

import itertools

import numpy as np

from keras_bert.data.corpus import Window
from keras_bert.data.documents import FORMATS, read_text
from keras_bert.data.settings import check_choice
from keras_bert.text import files
from keras_bert.text.sentences import split_sentences

NEXT, RANDOM = 0, 1


def draw_pairs(path, seed=0, format="sentences"):
    """Draws pairs of sentences from text files, half of them real.

    Source: Devlin et al. 2018, section 3.1, of single sentences: each but the last of its document
    is followed by the next one, or, for a half of them drawn at random, by one of another document.

    Args:
        path: str or path-like, a glob, or a list of these, also `.gz` and `.zst`. An empty line
            ends a document, and so does the end of a file.
        seed: int, decides all draws. Default 0.
        format: str, `"sentences"`, one a line, or `"prose"`, running text.

    Returns:
        List of dicts with `sentence1`, `sentence2` and `label`, int: **0 = next, 1 = random**.
        Where the sentence drawn reads as the one that follows, the pair is a real one.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is in another encoding than UTF-8; there are fewer than two documents,
            or no document of two sentences.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "texts.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("One.\\nTwo.\\n\\nA.\\nB.\\n")
        >>> sorted(pair["label"] for pair in draw_pairs(path))
        [0, 1]
    """
    check_choice("format", format, FORMATS)
    documents = _documents(path, format)
    sentences = list(itertools.chain(*documents))
    if len(documents) < 2:
        raise ValueError(
            f"{path}: all the text is one document, and random sentences are drawn from others; "
            "separate the documents by empty lines"
        )
    ends = np.cumsum([len(document) for document in documents])
    starts = ends - np.diff(ends, prepend=0)
    # Sentences with one behind them, and the document of each.
    firsts = np.setdiff1d(np.arange(len(sentences)), ends - 1)
    if not firsts.size:
        raise ValueError(f"{path}: no document has two sentences; expected one sentence a line")
    own = np.searchsorted(ends, firsts, side="right")
    rng = np.random.default_rng([seed, len(sentences)])
    is_random = rng.permutation(len(firsts)) < len(firsts) // 2
    # A number among the sentences of other documents: those of the own one are passed over.
    drawn = rng.integers(0, len(sentences) - (ends - starts)[own])
    drawn = np.where(drawn < starts[own], drawn, drawn + (ends - starts)[own])
    pairs = []
    for first, other, drawn_one in zip(firsts, drawn, is_random, strict=True):
        following = sentences[first + 1]
        second = sentences[other] if drawn_one else following
        label = NEXT if second == following else RANDOM
        pairs.append({"sentence1": sentences[first], "sentence2": second, "label": label})
    return pairs


def _documents(path, format):
    """Lists of sentences, one a document."""
    documents = []
    for file in files.expand_files(path):
        window = Window(0, 0, files.read_text(file).encode("utf-8"), None)
        text = read_text(window, format, split_sentences)
        borders = [*np.flatnonzero(np.diff(text.parts, prepend=-1)), len(text.sentences)]
        documents += [text.sentences[a:b] for a, b in itertools.pairwise(borders)]
    return documents
