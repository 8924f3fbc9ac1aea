"""A text with each of its choices is packed as a pair."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

TEXTS = ["the cat sat on", "我爱吃"]
CHOICES = [["a mat .", "dog", "it was in film"], ["苹果", "中国人", ""]]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def test_each_choice_is_a_pair_with_the_text(tokenizer):
    preprocess = kb.MultipleChoicePreprocessor(tokenizer, sequence_length=9)
    pairs = kb.TextClassifierPreprocessor(tokenizer, 9, pad_to_sequence_length=True)
    found = preprocess((TEXTS, CHOICES))
    for i, text in enumerate(TEXTS):
        expected = pairs(([text] * 3, CHOICES[i]))
        for name, value in expected.items():
            width = found[name].shape[2]
            np.testing.assert_array_equal(found[name][i], value[:, :width])
    assert found["padding_mask"].numpy().sum(2).tolist() == [[9, 8, 9], [8, 9, 6]]
    assert preprocess.uncut_lengths((TEXTS, CHOICES)).numpy().tolist() == [[10, 8, 11], [8, 9, 6]]
    one = preprocess((TEXTS[1], CHOICES[1]))
    np.testing.assert_array_equal(one["token_ids"], found["token_ids"][1])
    graph = tf.function(lambda a, b: preprocess((a, b)))(tf.constant(TEXTS), tf.constant(CHOICES))
    for name, value in found.items():
        np.testing.assert_array_equal(graph[name], value)
    static = kb.MultipleChoicePreprocessor(tokenizer, 12, pad_to_sequence_length=True)
    assert static((TEXTS, CHOICES))["token_ids"].shape == (2, 3, 12)


def test_bad_input(tokenizer):
    with pytest.raises(ValueError, match="at least 4"):
        kb.MultipleChoicePreprocessor(tokenizer, 3)
    with pytest.raises(ValueError, match=r"as many choices; received \[1, 2\]"):
        kb.MultipleChoicePreprocessor(tokenizer)((TEXTS, [["a"], ["b", "c"]]))
