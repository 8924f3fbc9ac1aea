"""Marked entities: where they stand, in texts of any length and in the raw characters."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.text.relation_preprocessor import MARKERS, mark_entities


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture(scope="module")
def preprocess(tokenizer):
    return kb.RelationPreprocessor(tokenizer, sequence_length=16)


def tokens(preprocess, row):
    return [preprocess.tokenizer.vocabulary[i] for i in np.asarray(row)]


def test_positions_are_those_of_the_opening_marks(preprocess):
    text = "the <e1>cat</e1> sat on <e2>a mat</e2> ."
    inputs = preprocess(text)
    found = tokens(preprocess, inputs["token_ids"])
    assert found == ("[CLS] the <e1> cat </e1> sat on <e2> a mat </e2> . [SEP]".split())
    assert inputs["entity_positions"].numpy().tolist() == [2, 7]
    turned = preprocess("<e2>我</e2>爱<e1>苹果</e1>")
    assert tokens(preprocess, turned["token_ids"]) == (
        "[CLS] <e2> 我 </e2> 爱 <e1> 苹 果 </e1> [SEP]".split()
    )
    assert turned["entity_positions"].numpy().tolist() == [5, 1]
    assert turned["segment_ids"].numpy().sum() == 0
    batch = preprocess([text, "<e2>我</e2>爱<e1>苹果</e1>"])
    assert batch["entity_positions"].numpy().tolist() == [[2, 7], [5, 1]]
    assert batch["padding_mask"].numpy().sum(1).tolist() == [13, 10]


def test_of_a_long_text_the_part_with_the_entities_is_kept(preprocess):
    near = "<e1>cat</e1> sat on <e2>mat</e2> ."
    for before in (0, 3, 5, 6, 40):
        inputs = preprocess("dog " * before + near + " dog" * 40)
        found = tokens(preprocess, inputs["token_ids"])
        assert len(found) == 16
        first, second = inputs["entity_positions"].numpy()
        assert found[first : first + 3] == ["<e1>", "cat", "</e1>"]
        assert found[second : second + 3] == ["<e2>", "mat", "</e2>"]
        # The beginning, as long as both are within reach: 14 tokens, 8 from mark to mark.
        assert (found[1] == "<e1>") == (before in (0, 40))
    far = preprocess("<e1>cat</e1>" + " dog" * 40 + "<e2>mat</e2>")
    assert far["entity_positions"].numpy().tolist() == [1, 0]
    assert preprocess("no marks")["entity_positions"].numpy().tolist() == [0, 0]
    assert preprocess(["x", "<e1>x</e1>"])["entity_positions"].numpy().tolist() == [[0, 0], [1, 0]]
    assert preprocess.uncut_lengths(["dog", "dog " * 40 + near]).numpy().tolist() == [3, 51]


def test_the_same_in_the_graph_and_padded(preprocess, tokenizer):
    texts = ["the <e1>cat</e1> sat on <e2>a mat</e2> .", "<e2>a</e2> <e1>b</e1>", "dog " * 30]
    expected = preprocess(texts)
    for found in (
        tf.function(preprocess)(tf.constant(texts)),
        next(iter(tf.data.Dataset.from_tensor_slices(texts).batch(3).map(preprocess))),
    ):
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value)
    static = kb.RelationPreprocessor(tokenizer, 20, pad_to_sequence_length=True)(texts)
    assert static["token_ids"].shape == (3, 20)
    none = preprocess(tf.constant([], tf.string))
    assert none["entity_positions"].shape == (0, 2)


def test_the_marks_join_the_vocabulary_once(tokenizer, tmp_path):
    preprocess = kb.RelationPreprocessor(tokenizer, 16)
    size = tokenizer.vocabulary_size
    assert preprocess.tokenizer.vocabulary[size:] == list(MARKERS)
    assert kb.RelationPreprocessor(preprocess.tokenizer).tokenizer is preprocess.tokenizer
    preprocess.save(tmp_path)
    again = kb.RelationPreprocessor.from_preset(tmp_path)
    assert again.sequence_length == 16 and again.tokenizer.vocabulary_size == size + 4
    text = "a <E1> b <e1>cat</e1> <e2>dog</e2>"
    np.testing.assert_array_equal(again(text)["token_ids"], preprocess(text)["token_ids"])
    with pytest.raises(ValueError, match="at least 6"):
        kb.RelationPreprocessor(tokenizer, 5)


@given(st.text(alphabet="ab é我\U0001f600\u0301", min_size=4, max_size=12), st.data())
@settings(deadline=None, max_examples=40)
def test_marks_are_set_by_characters(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=4, max_size=4)))
    first, second = cuts[:2], cuts[2:]
    a, b, c, d = cuts
    parts = text[:a], text[a:b], text[b:c], text[c:d], text[d:]
    for spans, marks in (
        ([first, second], MARKERS),
        ([second, first], [*MARKERS[2:], *MARKERS[:2]]),
    ):
        expected = parts[0] + "".join(
            x for pair in zip(marks, parts[1:], strict=True) for x in pair
        )
        assert mark_entities(text, spans).numpy().decode() == expected


@pytest.mark.parametrize(
    "spans",
    [
        [[0, 0], [2, 3]],
        [[0, 3], [2, 4]],
        [[2, 4], [0, 3]],
        [[-1, 1], [2, 3]],
        [[0, 1], [2, 99]],
        [[1, 0], [2, 3]],
    ],
)
def test_spans_that_are_none(spans):
    with pytest.raises(tf.errors.InvalidArgumentError, match="two spans that are not empty"):
        mark_entities(["fine one", "abcdef"], [[[0, 1], [2, 3]], spans])
    with pytest.raises(tf.errors.InvalidArgumentError, match="two spans that are not empty"):
        tf.function(mark_entities)(tf.constant(["abcdef"]), tf.constant([spans]))


def test_touching_spans_are_fine():
    assert mark_entities("abcd", [[1, 2], [2, 4]]).numpy() == b"a<e1>b</e1><e2>cd</e2>"
