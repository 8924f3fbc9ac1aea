"""Added tokens: found literally, as the `tokenizers` library finds them."""

import functools
import json

import pytest
import tensorflow as tf
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.text import tokenizer_json
from keras_bert.text.preprocessors import TextClassifierPreprocessor
from keras_bert.text.tokenizer import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [*"abcdeEéé1我爱苹果[]<>*+.", *("##" + c for c in "abcdeEé1我爱苹果"), "ab", "cde", "word"]
PIECES = list(dict.fromkeys(PIECES))
RAW = ["[E1]", "[E1", "<e>", "ab", "a.*b", "Éé", "e e", "我爱"]
NORMALIZED = ["[n]", "cd", "Eb", "d e", "爱苹果", "Ée1"]
VOCABULARY = [*SPECIAL, *(token for token in PIECES if token not in RAW), *RAW, *NORMALIZED]
ADDED = {**dict.fromkeys(RAW, False), **dict.fromkeys(NORMALIZED, True)}
MODES = [
    (lowercase, strip_accents, split_chinese)
    for lowercase in (True, False)
    for strip_accents in (True, False)
    for split_chinese in (True, False)
]


@functools.cache
def pair(mode, kind="both"):
    """Ours, and the library's own with the same options."""
    added = {t: n for t, n in ADDED.items() if kind == "both" or n == (kind == "normalized")}
    vocabulary = [t for t in VOCABULARY if t in added or t not in ADDED]
    values = tokenizer_json.build(vocabulary, *mode, added)
    library = tokenizers.Tokenizer.from_str(json.dumps(values))
    return BertTokenizer(vocabulary, *mode, added), library


def spans(values):
    return list(zip(*(part.numpy().tolist() for part in values), strict=True))


TEXT = st.text("abcdeEé\u0301É1我爱苹果[]<>*+.n\t \u00a0\u3000\u200b", max_size=25)
TEXT = st.lists(st.one_of(TEXT, st.sampled_from([*ADDED, "[N]", "CD", "D  E", " "])), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TEXT.map("".join), min_size=1, max_size=5),
    st.sampled_from(MODES),
    st.sampled_from(["both", "raw", "normalized"]),
)
def test_as_the_library_finds_them(texts, mode, kind):
    ours, library = pair(mode, kind)
    expected = library.encode_batch(texts, add_special_tokens=False)
    found = ours(texts)
    assert found.to_list() == [encoding.ids for encoding in expected]
    ids, starts, ends = ours.tokenize_with_offsets(texts)
    assert ids.to_list() == found.to_list()
    for text, *row in zip(texts, ids, starts, ends, strict=True):
        last = 0
        for index, start, end in spans(row):
            assert last <= start < end <= len(text)
            token = ours.vocabulary[index]
            if not ADDED.get(token, True):
                assert text[start:end] == token
            last = end


def test_known_text_and_places():
    vocabulary = [*SPECIAL, "good", "film", "##s", "s", "[", "]", "e", "##1", "[E1]", "Wörd"]
    tokenizer = BertTokenizer(vocabulary, added_tokens={"[E1]": False, "Wörd": True})
    text = "Good[E1]films [e1] swordS WO\u0308RD"
    ids, starts, ends = tokenizer.tokenize_with_offsets(text)
    pieces = [text[a:b] for a, b in zip(starts.numpy(), ends.numpy(), strict=True)]
    tokens = ["good", "[E1]", "film", "##s", "[", "e", "##1", "]", "s", "Wörd", "s", "Wörd"]
    assert [vocabulary[index] for index in ids.numpy()] == tokens
    assert pieces == [
        "Good", "[E1]", "film", "s", "[", "e", "1", "]", "s", "word", "S", "WO\u0308RD",
    ]  # fmt: skip
    assert tokenizer.detokenize(ids) == "good [E1] films [e1] s Wörd s Wörd"
    # A marker is nothing to be put in a word's place; a word of the domain is.
    assert set(tokenizer.ordinary_ids) == set(range(5, len(vocabulary))) - {
        vocabulary.index("[E1]")
    }


def test_a_list_is_of_raw_tokens_and_the_longest_is_found():
    vocabulary = [*SPECIAL, "a", "##b", "##c", "aab", "aabc"]
    tokenizer = BertTokenizer(vocabulary, added_tokens=["aab", "aabc"])
    assert tokenizer.added_tokens == {"aab": False, "aabc": False}
    assert tokenizer.tokenize_to_strings("aaabcab") == ["a", "aabc", "a", "##b"]
    # In other case it is no added token, and no piece.
    assert tokenizer.tokenize_to_strings("AAB") == ["[UNK]"]
    # Before other entries it is a piece too.
    tokenizer = BertTokenizer(vocabulary[:5] + vocabulary[:4:-1], added_tokens=["aab"])
    assert tokenizer.tokenize_to_strings("AAB xaab") == ["aab", "[UNK]", "aab"]


def test_texts_that_are_empty_long_or_no_utf8():
    tokenizer, _ = pair(MODES[0])
    assert tokenizer(["", "[E1]", " "]).to_list() == [[], [tokenizer.token_to_id("[E1]")], []]
    assert tokenizer([]).to_list() == []
    assert [part.to_list() for part in tokenizer.tokenize_with_offsets([])] == [[], [], []]
    text = "c" * 201 + "[E1]" + "c" * 200
    ids, starts, ends = tokenizer.tokenize_with_offsets(text)
    assert ids[:3].numpy().tolist() == [
        1,
        tokenizer.token_to_id("[E1]"),
        tokenizer.token_to_id("c"),
    ]
    assert spans((starts, ends))[:3] == [(0, 201), (201, 205), (205, 206)]
    assert tokenizer(text).numpy().tolist() == ids.numpy().tolist()
    raw = tf.constant([b"\xff[E1]\xc3 c", b"c\xe6\x88[E1]"])
    ids, starts, ends = tokenizer.tokenize_with_offsets(raw)
    marker, c = tokenizer.token_to_id("[E1]"), tokenizer.token_to_id("c")
    assert ids.to_list() == [[marker, c], [c, marker]] == tokenizer(raw).to_list()
    assert starts.to_list() == [[1, 7], [0, 2]] and ends.to_list() == [[5, 8], [1, 6]]


def test_in_graphs_and_datasets(tmp_path):
    tokenizer, _ = pair(MODES[0])
    texts = ["ab[E1] cd", "", "我爱 E e e", "[E1][E1"]
    expected = [part.to_list() for part in tokenizer.tokenize_with_offsets(texts)]
    data = tf.data.Dataset.from_tensor_slices(texts).batch(2).map(tokenizer)
    assert [row for batch in data for row in batch.to_list()] == expected[0]
    module = tf.Module()
    module.tokenize = tf.function(
        tokenizer.tokenize_with_offsets, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert [part.to_list() for part in loaded.tokenize(tf.constant(texts))] == expected
    packed = TextClassifierPreprocessor(tokenizer, sequence_length=8)(("[E1]c", "cd"))
    ids = [2, tokenizer.token_to_id("[E1]"), tokenizer.token_to_id("c"), 3]
    assert packed["token_ids"].numpy().tolist() == [*ids, tokenizer.token_to_id("cd"), 3]


def test_many_tokens():
    added = [f"[token {number}]" for number in range(5_000)]
    tokenizer = BertTokenizer([*SPECIAL, *added], added_tokens=added)
    assert tokenizer("[token 4999] [token 49]").numpy().tolist() == [5004, 54]
    longer = [f"[{'x' * 90}{number}]" for number in range(2_000)]
    with pytest.raises(ValueError, match=r"2000 added tokens have .* expected at most"):
        BertTokenizer([*SPECIAL, *longer], added_tokens=longer)


@pytest.mark.parametrize(
    ("added", "error", "message"),
    [
        (["[E2]"], ValueError, r"the added token '\[E2\]' is not in the vocabulary of 10 tokens"),
        (["[MASK]"], ValueError, r"'\[MASK\]' cannot be an added token"),
        (["##s"], ValueError, "no ## at its start"),
        ([" a"], ValueError, "no white space at its ends"),
        (["a" * 201], ValueError, "expected 1 to 200 characters"),
        ({"\u0301": True}, ValueError, "'' cannot be found in texts"),
        ({"Word": True, "word": True}, ValueError, "'Word' and 'word' are both 'word' once"),
        ("[E1]", TypeError, "expected a list of str, or a dict of str to bool"),
        (7, TypeError, "received 7"),
        ({"word": 1}, TypeError, "received 'word': 1"),
        ([7], TypeError, "received 7: False"),
    ],
)
def test_what_cannot_be_an_added_token(added, error, message):
    vocabulary = [*SPECIAL, "##s", " a", "\u0301", "Word", "word", "a" * 201][:11]
    vocabulary = vocabulary if added == ["a" * 201] else vocabulary[:10]
    with pytest.raises(error, match=message):
        BertTokenizer(vocabulary, added_tokens=added)
