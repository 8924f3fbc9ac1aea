"""Google's tokenizer, written anew in plain Python from what it does; slow, and the truth here.

What it does, in order: clean (drop NUL, U+FFFD, Cc and Cf; make tab, newline, carriage return and
Zs a space), set Chinese characters apart, split at whitespace, lower-case and strip accents (NFD
without Mn), set punctuation apart, then greedy longest match first.
"""

import functools
import unicodedata

CHINESE_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
ASCII_SYMBOLS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@functools.cache
def clean(character, split_chinese=True):
    """What a raw character is before splitting: itself, a space, itself in spaces, or nothing."""
    category = unicodedata.category(character)
    if character in " \t\n\r" or category == "Zs":
        return " "
    if character in "\0\ufffd" or category in ("Cc", "Cf"):
        return ""
    code = ord(character)
    if split_chinese and any(first <= code <= last for first, last in CHINESE_BLOCKS):
        return f" {character} "
    return character


@functools.cache
def is_punctuation(character):
    return character in ASCII_SYMBOLS or unicodedata.category(character).startswith("P")


def normalize_word(word, lowercase, strip_accents):
    if lowercase:
        word = word.lower()
    if strip_accents:
        word = unicodedata.normalize("NFD", word)
        word = "".join(c for c in word if unicodedata.category(c) != "Mn")
    return word


class ReferenceTokenizer:
    """Ids of one text at a time; `lowercase` also strips accents unless told otherwise."""

    def __init__(self, vocabulary, lowercase=True, strip_accents=None, split_chinese=True):
        self.ids = {token: index for index, token in enumerate(vocabulary)}
        self.lowercase = lowercase
        self.strip_accents = lowercase if strip_accents is None else strip_accents
        self.split_chinese = split_chinese
        self.pieces = functools.lru_cache(maxsize=200_000)(self._pieces)

    def __call__(self, text):
        return [self.ids[piece] for word in self.words(text) for piece in self.pieces(word)]

    def words(self, text):
        words = []
        for word in "".join(clean(c, self.split_chinese) for c in text).split():
            word = normalize_word(word, self.lowercase, self.strip_accents)
            spaced = "".join(f" {c} " if is_punctuation(c) else c for c in word)
            words.extend(spaced.split())
        return words

    def _pieces(self, word):
        if len(word) > 200:
            return ("[UNK]",)
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in self.ids:
                    break
            else:
                return ("[UNK]",)
            pieces.append(prefix + word[start:end])
            start = end
        return tuple(pieces)
