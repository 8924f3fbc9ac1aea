"""The vocabulary: reading, writing and training the list of tokens."""

import collections
import io
import os
import unicodedata

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from keras_bert.added_token_files import SPECIAL_TOKENS
from keras_bert.text import files as files_lib
from keras_bert.vocabulary_files import split_lines

# Lines longer than this many characters are read in parts.
_READ_CHARACTERS = 1 << 20


def train_vocabulary(
    files,
    size=30_000,
    lowercase=True,
    min_frequency=2,
    alphabet_limit=8_000,
    show_progress=False,
):
    """Learns a WordPiece vocabulary from text files.

    Source: Wu et al. 2016, https://arxiv.org/abs/1609.08144, as the trainer of the `tokenizers`
    library implements it (pairs merged by frequency). The same text gives the same vocabulary on
    every run, whatever the hash seed and the number of threads; the library alone does not: it
    numbers the continuations in the order of a hash table, and numbers break its ties.

    Args:
        files: path, glob pattern or list of these; `.gz` and `.zst` are read through. Invalid
            UTF-8 is replaced. The files are read twice, line by line.
        size: int, most entries, special tokens included; short texts give fewer. Default 30,000.
        lowercase: bool, as `BertTokenizer`'s; accents are stripped along. Default True.
        min_frequency: int, times a piece must occur to be made of two. Default 2.
        alphabet_limit: int, most distinct characters, the rarest left out. Default 8,000: enough
            for Chinese.
        show_progress: bool, bars on standard error. Default False.

    Returns:
        List of str: [PAD], [UNK], [CLS], [SEP], [MASK], then the single characters, their
        continuations (`##x`) and the longer pieces in the order learnt.

    Raises:
        FileNotFoundError: a path does not exist or a pattern matches nothing.
        ValueError: the files are empty or hold no words, or `size` leaves no room for characters.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "corpus.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("low lower lowest\\n" * 3)
        >>> train_vocabulary(path, size=22)[19:]
        ['##ow', 'low', 'lowe']
    """
    paths = files_lib.expand_files(files)
    if size <= len(SPECIAL_TOKENS):
        raise ValueError(
            f"train_vocabulary: size must be greater than {len(SPECIAL_TOKENS)}, the number of "
            f"special tokens; received {size}"
        )
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    alphabet, continuations = _alphabet(paths, normalizer, size, alphabet_limit)
    if not alphabet:
        raise ValueError(f"train_vocabulary: no words in {', '.join(paths[:5])}")
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        # Named here, the continuations get their numbers from us, not from a hash table.
        special_tokens=[*SPECIAL_TOKENS, *continuations],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        continuing_subword_prefix="##",
        show_progress=show_progress,
    )
    tokenizer.train_from_iterator(_lines(paths), trainer)
    ids = tokenizer.get_vocab()
    pieces = sorted(ids, key=ids.get)
    first = [*SPECIAL_TOKENS, *alphabet, *continuations]
    known = set(first)
    return [*first, *(piece for piece in pieces if piece not in known)]


def _lines(paths):
    for path in paths:
        with io.TextIOWrapper(
            files_lib.open_binary(path), encoding="utf-8", errors="replace", newline="\n"
        ) as file:
            while line := file.readline(_READ_CHARACTERS):
                yield line


def _alphabet(paths, normalizer, size, limit):
    """The characters to keep, by code point, and the continuations of those that have one."""
    counts = collections.Counter()
    for line in _lines(paths):
        counts.update(normalizer.normalize_str(line))
    room = size - len(SPECIAL_TOKENS)
    kept = []
    for character in sorted(counts, key=lambda character: (-counts[character], character)):
        if character.isspace():
            continue
        room -= 1 if _stands_alone(character) else 2
        if room < 0 or len(kept) == limit:
            break
        kept.append(character)
    kept.sort()
    return kept, [f"##{character}" for character in kept if not _stands_alone(character)]


def _stands_alone(character):
    """Whether BERT makes this character a word of its own, so that it continues none."""
    if character.isascii():
        return not character.isalnum()
    code = ord(character)
    return (
        unicodedata.category(character)[0] == "P"
        or 0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2A6DF
        or 0x2A700 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


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
        return split_lines(path, file.read())


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
