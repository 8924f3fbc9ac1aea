"""Fixtures of the text tests: real vocabularies and every assigned character."""

import unicodedata

import pytest

from keras_bert.text.vocabulary import SPECIAL_TOKENS, load_vocabulary


@pytest.fixture(scope="session")
def assigned():
    """All assigned code points but surrogates, as str of length 1."""
    characters = map(chr, range(0x110000))
    return [c for c in characters if unicodedata.category(c) not in ("Cs", "Cn")]


@pytest.fixture(scope="session")
def all_characters_vocabulary(assigned):
    """Every character twice, as a word and as a continuation: no difference hides behind [UNK]."""
    letters = [c for c in assigned if unicodedata.category(c) != "Co" and c != "\n"]
    return [*SPECIAL_TOKENS, *letters, *("##" + c for c in letters)]


@pytest.fixture(scope="session")
def chinese_vocabulary(shared_data):
    return load_vocabulary(shared_data / "vocabs" / "bert-base-chinese" / "vocab.txt")


@pytest.fixture(scope="session")
def multilingual_vocabulary(shared_data):
    return load_vocabulary(shared_data / "vocabs" / "bert-base-multilingual-cased" / "vocab.txt")
