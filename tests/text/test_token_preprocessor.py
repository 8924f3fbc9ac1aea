"""Words and their places: where the raw text says they are, however it is called."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_bert as kb

TEXTS = [
    "The café, CAFÉ and 我爱 it!",
    "",
    "e\u0301clair x\u200by 😀 a",
    "\u3000 sat \ud7ff 中1国",
    "dog " * 30,
]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture(scope="module")
def preprocess(tokenizer):
    return kb.TokenClassifierPreprocessor(tokenizer, sequence_length=24)


@pytest.fixture(scope="module")
def graph(preprocess):
    """`with_words` of any batch, traced once: what an export does."""
    return tf.function(preprocess.with_words, input_signature=[tf.TensorSpec([None], tf.string)])


def words_of(text, words):
    """The raw text of each word of a row."""
    first = words["mask"].numpy() == 1
    places = zip(words["starts"].numpy()[first], words["ends"].numpy()[first], strict=True)
    return [text[start:end] for start, end in places]


def test_inputs_are_those_of_the_text_classifier(tokenizer, preprocess):
    inputs = preprocess(TEXTS)
    for name, value in kb.TextClassifierPreprocessor(tokenizer, 24)(TEXTS).items():
        np.testing.assert_array_equal(inputs[name], value)


def test_words_are_whole_though_their_pieces_are_many(preprocess):
    _, words = preprocess.with_words(TEXTS)
    rows = [{key: value[row] for key, value in words.items()} for row in range(len(TEXTS))]
    assert words_of(TEXTS[0], rows[0]) == "The café , CAFÉ and 我 爱 it !".split()
    assert words_of(TEXTS[1], rows[1]) == []
    assert words_of(TEXTS[2], rows[2]) == ["e\u0301clair", "x\u200by", "😀", "a"]
    assert words_of(TEXTS[3], rows[3]) == ["sat", "\ud7ff", "中", "1", "国"]
    assert words["cut"].numpy().tolist() == [0, 0, 0, 0, 8]
    # caf and ##e are letters here: four pieces, of which the first alone stands for the word.
    assert rows[0]["mask"].numpy().tolist()[:8] == [0, 1, 1, 0, 0, 0, 1, 1]


def test_a_word_that_is_cut_keeps_its_end(tokenizer):
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, sequence_length=4)
    inputs, words = preprocess.with_words("cat xyz")
    assert tokenizer.tokenize_to_strings("cat xyz") == ["cat", "x", "##y", "##z"]
    assert inputs["token_ids"].shape == (4,) and words["cut"].numpy() == 2
    assert words_of("cat xyz", words) == ["cat", "xyz"]


def test_predicates_mark_their_pieces(preprocess, tokenizer):
    text = "the dog xyz sat"
    start = text.index("xyz")
    inputs = preprocess(text, (start, start + 3))
    assert tokenizer.tokenize_to_strings(text) == ["the", "dog", "x", "##y", "##z", "sat"]
    assert inputs["segment_ids"].numpy().tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    batch = preprocess([text, "我爱吃", ""], [(0, 3), (1, 2), (0, 0)])
    assert batch["segment_ids"].numpy().tolist() == [
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0] * 8,
    ]
    np.testing.assert_array_equal(batch["token_ids"], preprocess([text, "我爱吃", ""])["token_ids"])


@pytest.mark.parametrize("padded", [False, True])
def test_the_same_eagerly_in_tf_data_and_one_by_one(tokenizer, padded):
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, 24, pad_to_sequence_length=padded)
    predicates = [(4, 8), (0, 0), (0, 2), (2, 5), (0, 3)]
    eager = preprocess.with_words(TEXTS, predicates)
    data = tf.data.Dataset.from_tensor_slices({"t": TEXTS, "p": predicates}).batch(5)
    mapped = next(iter(data.map(lambda x: preprocess.with_words(x["t"], x["p"]))))
    for part, other in zip(eager, mapped, strict=True):
        assert set(part) == set(other)
        for name, value in part.items():
            np.testing.assert_array_equal(value, other[name])
            assert value.dtype == tf.int32
            if padded and name != "cut":
                assert value.shape == (5, 24)
    for row, (text, predicate) in enumerate(zip(TEXTS, predicates, strict=True)):
        for part, single in zip(eager, preprocess.with_words(text, predicate), strict=True):
            for name, value in single.items():
                whole = part[name][row].numpy()
                length = value.shape[0] if value.shape.rank else None
                np.testing.assert_array_equal(whole[:length] if length else whole, value)
                assert not length or padded or not whole[length:].any()


ALPHABET = "aé e\u0301XÄ ß,.!我爱 中１😀\u200b\u0130\tﬁ가\u3000#"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(ALPHABET, max_size=15), min_size=1, max_size=4))
def test_places_hold_on_accented_mixed_and_odd_text(graph, texts):
    """Words, read from the raw text: in order, nothing visible between them, none within."""
    _, words = graph(tf.constant(texts))
    for row, text in enumerate(texts):
        one = {key: value[row] for key, value in words.items()}
        first = one["mask"].numpy() == 1
        starts, ends = one["starts"].numpy()[first], one["ends"].numpy()[first]
        assert (starts < ends).all() and (ends[:-1] <= starts[1:]).all()
        between = [text[a:b] for a, b in zip([0, *ends], [*starts, len(text)], strict=True)]
        for gap in between if not words["cut"][row] else between[:-1]:
            # A combining accent that leads a text stands on no letter.
            assert re.fullmatch(r"\s*", gap.replace("\u200b", "").replace("\u0301", "")), gap
        for word in words_of(text, one):
            assert not re.search(r"[ \t\u3000]", word)
            if len(re.sub("[\u200b\u0301]", "", word)) > 1:
                assert not re.search("[,.!#我爱中]", word), word


def test_bad_arguments(tokenizer, preprocess):
    with pytest.raises(ValueError, match="sequence_length must be at least 3"):
        kb.TokenClassifierPreprocessor(tokenizer, 2)
    with pytest.raises(TypeError, match="expected str"):
        preprocess([1])
