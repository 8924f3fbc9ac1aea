"""The detokenizer in the graph against the one in Python, on real and on random tokens."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.text.detokenizer import Detokenizer

SENTENCES = [
    "i don't eat apples, sorry!",
    'she said "no", and "yes" (3.5 of 1,000) at 10:30.',
    "state-of-the-art models/data & 'quotes' don't we'll they're",
    "我爱吃苹果。",
    "「中国」人，abc 我 12 个",
    "$5 #1 @me 50% ok",
    "",
]
PIECES = [
    *"\" ' ` - / _ & \\ , . : ; ! ? ( ) [ ] { } $ # @ %".split(),
    *"… ’ ” ‘ “ 。 ， 「 」 （ ） 《 》 — ·".split(),
    *"s t re ve ll d m a app 1 23 4x x5 我 爱 果 𠀀 か é".split(),
    *"##s ##e ##les ##1 ##5x ##我 ##爱 ##。 ##. ##' ##re ## ##re".split(),
]


@pytest.fixture(scope="module")
def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return kb.BertTokenizer(list(dict.fromkeys([*special, *PIECES])))


def told(texts):
    return [text.decode() for text in texts.numpy()]


def test_equals_python_on_random_tokens(tokenizer):
    """Whatever follows whatever, in rows of all lengths, special tokens among them."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 13, 4000)
    ids = rng.integers(0, tokenizer.vocabulary_size, (4000, 12))
    ids[np.arange(12) >= lengths[:, None]] = tokenizer.pad_id
    detokenize = Detokenizer(tokenizer)
    found = told(detokenize(ids))
    expected = tokenizer.detokenize(ids)
    assert found == expected
    assert len(set(expected)) > 3000 and "[UNK]" in "".join(expected)
    assert told(tf.function(detokenize)(tf.constant(ids[:7], tf.int32))) == expected[:7]


def test_equals_python_on_sentences(tiny_vocabulary):
    characters = sorted(set("".join(SENTENCES)) - {" "})
    vocabulary = list(dict.fromkeys([*tiny_vocabulary, *characters, "don", "app", "##les"]))
    tokenizer = kb.BertTokenizer(
        list(dict.fromkeys([*vocabulary, *(f"##{c}" for c in characters if c.isascii())]))
    )
    ids = tokenizer(SENTENCES)
    found = told(Detokenizer(tokenizer)(ids.to_tensor(tokenizer.pad_id)))
    assert found == tokenizer.detokenize(ids)
    for text in (SENTENCES[0], *SENTENCES[3:4], ""):
        assert text in found


def test_no_rows_and_no_tokens(tokenizer):
    detokenize = Detokenizer(tokenizer)
    assert told(detokenize(np.zeros((0, 5), "int32"))) == []
    assert told(detokenize(np.zeros((2, 0), "int32"))) == ["", ""]
    assert told(detokenize(np.zeros((2, 3), "int32"))) == ["", ""]
