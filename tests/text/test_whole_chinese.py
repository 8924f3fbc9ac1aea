"""Without Chinese splitting: against the reference, and the `tokenizers` library's words."""

import functools

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_tokenizer import ReferenceTokenizer
from test_tokenizer_exact import MODES, TRICKY

from keras_bert.text.tokenizer import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def pair(vocabulary, mode):
    return (
        BertTokenizer(vocabulary, *mode, split_chinese=False),
        ReferenceTokenizer(vocabulary, *mode, split_chinese=False),
    )


@pytest.mark.parametrize(
    "mode", [MODES[0], *(pytest.param(mode, marks=pytest.mark.slow) for mode in MODES[1:])]
)
def test_every_assigned_code_point(assigned, all_characters_vocabulary, mode):
    tokenizer, reference = pair(all_characters_vocabulary, mode)
    texts = [f"a{c}b {c}" for c in assigned]
    found = tokenizer(texts).to_list()
    assert [t for t, ids in zip(texts, found, strict=True) if ids != reference(t)] == []


@functools.cache
def tricky_pair(mode):
    words = sorted(set(TRICKY + TRICKY.lower()) - {"\n"})
    return pair([*SPECIAL, *words, *("##" + c for c in words), "我愛", "##愛你"], mode)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(TRICKY + "我愛你", max_size=40), max_size=6), st.sampled_from(MODES))
def test_random_text(texts, mode):
    tokenizer, reference = tricky_pair(mode)
    expected = [reference(text) for text in texts]
    assert tokenizer(texts).to_list() == expected
    ids, starts, ends = tokenizer.tokenize_with_offsets(texts)
    assert ids.to_list() == expected
    for text, *row in zip(texts, starts.to_list(), ends.to_list(), strict=True):
        assert all(0 <= start < end <= len(text) for start, end in zip(*row, strict=True))


def test_known_text_and_places(tmp_path):
    vocabulary = [*SPECIAL, "我爱", "##你", "我", "爱", "你", ",", "，", "cafe", "##s"]
    tokenizer = BertTokenizer(vocabulary, split_chinese=False)
    text = "我爱你，CAFÉs\u3000我 爱你我"
    ids, starts, ends = tokenizer.tokenize_with_offsets(text)
    assert [vocabulary[index] for index in ids.numpy()] == [
        "我爱", "##你", "，", "cafe", "##s", "我", "[UNK]",
    ]  # fmt: skip
    assert [text[a:b] for a, b in zip(starts.numpy(), ends.numpy(), strict=True)] == [
        "我爱", "你", "，", "CAFÉ", "s", "我", "爱你我",
    ]  # fmt: skip
    assert BertTokenizer(vocabulary).tokenize_to_strings("我爱你") == ["我", "爱", "你"]
    tokenizer.save(tmp_path)
    again = BertTokenizer.from_preset(tmp_path)
    assert again.split_chinese is False
    function = tf.function(again, input_signature=[tf.TensorSpec([None], tf.string)])
    assert function(tf.constant([text, ""])).to_list() == [ids.numpy().tolist(), []]


@pytest.mark.parametrize("letter", ["a", "我", "é"])
def test_long_words(letter):
    tokenizer, reference = pair([*SPECIAL, "a", "##a", "我", "##我", "e", "##e", "."], MODES[0])
    text = f"{letter * 200} a.{letter * 201}.a"
    ids, starts, ends = tokenizer.tokenize_with_offsets([text, ""])
    assert ids.to_list() == tokenizer([text, ""]).to_list() == [reference(text), []]
    assert ids[0, -3].numpy() == 1 and ids.row_lengths().numpy()[0] == 205
    assert (starts[0, -3].numpy(), ends[0, -3].numpy()) == (203, 404)
