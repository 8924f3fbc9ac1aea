"""Blocks: the windows whose documents are paired, masked and shuffled together.

    corpus -> windows (bytes) -> documents and sentences -> tokens -> plan -> examples

Each block is made alone, from its windows and from random numbers keyed by its place: (seed, epoch,
lane, block).
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_bert.data.documents import read_text
from keras_bert.text import pairs


class Counts(NamedTuple):
    """What went into the stream, and what could not.

    A document whose windows are in two blocks is counted once. `invalid_lines` had bytes that are
    no UTF-8, now U+FFFD; `long_lines` had over 10,000 characters and were cut; `skipped` pieces
    were too short to make an example; `unpaired` examples are real pairs only because their block
    held no other document. `duplicates` are documents left out because an equal one stands before;
    they and those of the other part of a held-out split are not in `documents`.
    """

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    examples: int = 0
    invalid_lines: int = 0
    long_lines: int = 0
    skipped: int = 0
    unpaired: int = 0
    duplicates: int = 0

    def plus(self, other):
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


def sum_counts(counts):
    """The sum of several `Counts`."""
    return functools.reduce(Counts.plus, counts, Counts())


class TokenizedBlock(NamedTuple):
    """The tokens of a block; `offsets`, `parts` and `documents` as in `keras_bert.text.pairs`.

    `continues_word` is bool `(tokens,)`, or None where the "##" pieces say it.
    """

    tokens: np.ndarray
    continues_word: np.ndarray | None
    offsets: np.ndarray
    parts: np.ndarray
    documents: np.ndarray
    counts: Counts


def read_block(
    corpus, windows, tokenizer, format, split_sentences=None, continuations=None, selection=None
):
    """Reads and tokenizes windows; returns a `TokenizedBlock`.

    Windows that touch are joined, so a document cut between them is whole again. The halves of a
    document whose middle is in another block are two parts of one document. So are the copies of
    what is in a window given twice: none is taken for a text unlike the other.

    Args:
        corpus: a corpus; one that has tokens needs nothing of what follows `windows`.
        windows: int `(windows,)`, in any order.
        tokenizer: a `BertTokenizer`.
        format, split_sentences: as for `read_text`.
        continuations: callable, which from sentences makes token ids, tokens of each sentence, and
            whether a token continues a word; by default the tokenizer alone.
        selection: a `keras_bert.data.selection.Selection` of documents; by default all are taken.
    """
    if corpus.has_tokens:
        return _read_tokens(corpus, windows)
    # The texts of windows, and which of them stands where: a window given twice is read once.
    texts, order, parts, documents = [], [], [], []
    counts = Counts()
    before = None
    windows, copies = np.unique(windows, return_counts=True)
    for number, copied in zip(windows.tolist(), copies.tolist(), strict=True):
        window = corpus.read(number)
        text = read_text(window, format, split_sentences)
        if selection is not None:
            text, duplicates = selection.select(number, window, text)
            counts = counts.plus(Counts(duplicates=duplicates * copied))
        if not text.sentences:
            continue
        # Whether the document at the beginning may be the one that the window before ended with.
        # Where windows between them are missing it may be another one; taken as the same it is
        # never a random second segment for itself.
        is_same = text.continues and before is not None and before.file == window.file
        touches = is_same and before.index + 1 == window.index
        first = len(documents) - touches
        new = int(text.parts[-1]) + 1
        ids = np.arange(new) + (documents[-1] + 1 - is_same if documents else 0)
        documents += ids[touches:].tolist()
        parts.append(text.parts + first)
        order += [len(texts)] * copied
        texts.append(text.sentences)
        for _ in range(copied - 1):
            parts.append(text.parts + len(documents))
            documents += ids.tolist()
        counts = counts.plus(
            Counts(
                documents=copied * (new - text.continues),
                invalid_lines=copied * text.invalid_lines,
                long_lines=copied * text.long_lines,
            )
        )
        before = window
    found = _tokenize(texts, tokenizer, continuations)
    tokens = np.concatenate([np.zeros(0, np.int32), *(found[i][0] for i in order)])
    lengths = np.concatenate([np.zeros(0, np.int64), *(found[i][1] for i in order)])
    parts = np.concatenate([np.zeros(0, np.int32), *parts])
    # Sentences without any token (of control characters, say) go, and parts that held no other.
    parts, lengths = parts[lengths > 0], lengths[lengths > 0]
    first_sentences = np.flatnonzero(np.diff(parts, prepend=-1))
    block = TokenizedBlock(
        tokens,
        np.concatenate([found[i][2] for i in order]) if continuations and order else None,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.append(first_sentences, len(parts)),
        np.array(documents, np.int64)[parts[first_sentences]],
        counts._replace(sentences=len(lengths), tokens=len(tokens)),
    )
    return _side_by_side(block) if (copies > 1).any() else block


def _tokenize(texts, tokenizer, continuations):
    """Token ids and tokens of each sentence, for each text; with `continuations` flags too."""
    if continuations is not None:
        return [continuations(sentences) for sentences in texts]
    if not texts:
        return []
    # All at once: calls are dear beside windows as small as these.
    ragged = tokenizer(tf.constant([line.encode() for text in texts for line in text]))
    ends = np.cumsum([len(text) for text in texts])
    lengths = np.split(ragged.row_lengths().numpy(), ends[:-1])
    tokens = np.split(ragged.flat_values.numpy(), np.cumsum([n.sum() for n in lengths])[:-1])
    return list(zip(tokens, lengths, strict=True))


def _side_by_side(block):
    """The block with the parts of each document one after the other, those of its copies too."""
    order = np.argsort(block.documents, kind="stable")
    sentences = _ranges(block.parts[order], np.diff(block.parts)[order])
    lengths = np.diff(block.offsets)[sentences]
    tokens = _ranges(block.offsets[sentences], lengths)
    return block._replace(
        tokens=block.tokens[tokens],
        continues_word=None if block.continues_word is None else block.continues_word[tokens],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        parts=np.concatenate([[0], np.cumsum(np.diff(block.parts)[order])]),
        documents=block.documents[order],
    )


def _ranges(starts, lengths):
    """The numbers of several ranges, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) + np.repeat(starts - ends + lengths, lengths)


def _read_tokens(corpus, windows):
    """The block of windows whose tokens are made already."""
    read = [corpus.read(number).arrays for number in windows.tolist()]

    def joined(name, dtype):
        arrays = [arrays[name].astype(dtype) for arrays in read]
        return np.concatenate([np.zeros(0, dtype), *arrays])

    tokens, lengths = joined("tokens", np.int32), joined("lengths", np.int64)
    has_words = bool(read) and "continues_word" in read[0]
    documents = joined("documents", np.uint64).view(np.int64)
    block = TokenizedBlock(
        tokens,
        joined("continues_word", bool) if has_words else None,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([[0], np.cumsum(joined("sentences", np.int64))]),
        documents,
        Counts(
            documents=int(np.sum(joined("continues", np.uint8) == 0)),
            sentences=len(lengths),
            tokens=len(tokens),
        ),
    )
    return _side_by_side(block) if len(np.unique(documents)) < len(documents) else block


def plan_block(block, pairing, sequence_length, short_sequence_rate, sep_id, rng):
    """Plans the examples of a block.

    Returns:
        `(block, plan)`: the block with its counts, for `"none"` with `[SEP]` between documents.
    """
    text = block.offsets, block.parts
    if pairing == "none":
        tokens, plan = pairs.plan_full_sentences(block.tokens, *text, sequence_length, sep_id)
        if block.continues_word is not None:
            places = block.offsets[block.parts[1:-1]]
            block = block._replace(continues_word=np.insert(block.continues_word, places, False))
        block = block._replace(tokens=tokens)
    elif pairing == "sop":
        plan = pairs.plan_sop(*text, sequence_length, rng, short_sequence_rate)
    else:
        plan = pairs.plan_nsp(*text, block.documents, sequence_length, rng, short_sequence_rate)
    counts = block.counts._replace(
        examples=len(plan.first_start), skipped=plan.skipped, unpaired=plan.unpaired
    )
    return block._replace(counts=counts), plan
