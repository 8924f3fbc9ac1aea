"""Character offsets into the raw text, against what the reference makes of the raw piece."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tokenizer_exact import TRICKY, tricky_pair

from keras_bert.text.tokenizer import BertTokenizer

# Two tokens may come from these; the final form of a sigma hangs on its neighbours.
SPLIT_OR_SHAPED = "İ\u0130Σσς각"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(TRICKY, max_size=40), min_size=1, max_size=6),
    st.sampled_from([(True, None), (False, None), (True, False), (False, True)]),
)
def test_the_raw_piece_normalizes_to_the_token(texts, mode):
    tokenizer, reference = tricky_pair(*mode)
    ids, starts, ends = tokenizer.tokenize_with_offsets(texts)
    assert ids.to_list() == tokenizer(texts).to_list()
    for text, *row in zip(texts, ids.to_list(), starts.to_list(), ends.to_list(), strict=True):
        last = 0
        for index, start, end in zip(*row, strict=True):
            piece = text[start:end]
            assert 0 <= start < end <= len(text)
            if not set(piece) & set(SPLIT_OR_SHAPED):
                assert start >= last
                if index != tokenizer.unk_id:
                    expected = tokenizer.vocabulary[index].removeprefix("##")
                    assert "".join(reference.words(piece)) == expected
            last = end


def pieces(tokenizer, text):
    _, starts, ends = tokenizer.tokenize_with_offsets(text)
    return [text[a:b] for a, b in zip(starts.numpy(), ends.numpy(), strict=True)]


def test_known_texts(tiny_vocabulary):
    tokenizer = BertTokenizer(tiny_vocabulary)
    assert pieces(tokenizer, "The Cafe\u0301 \u200bsa\u00adt!") == [
        "The", "C", "a", "f", "e\u0301", "sa\u00adt", "!",
    ]  # fmt: skip
    assert pieces(tokenizer, "我İ爱") == ["我", "İ", "爱"]
    # A mark at the start of a text belongs to no letter, and not to the text before it.
    assert [row.tolist() for row in tokenizer.tokenize_with_offsets(["on", "\u0301on"])[2].numpy()
            ] == [[2], [3]]  # fmt: skip
    assert pieces(tokenizer, "") == []


def test_long_word_is_one_piece(tiny_vocabulary):
    tokenizer = BertTokenizer(tiny_vocabulary)
    text = "a " + "é" * 201 + ". " + "e" * 200
    ids, starts, ends = tokenizer.tokenize_with_offsets([text])
    assert ids[0, :3].numpy().tolist() == [tokenizer.token_to_id(t) for t in ("a", "[UNK]", ".")]
    assert (starts[0, 1].numpy(), ends[0, 1].numpy()) == (2, 203)
    assert ids.row_lengths().numpy().tolist() == [3 + 200]


def test_characters_of_every_plane(assigned, all_characters_vocabulary):
    tokenizer = BertTokenizer(all_characters_vocabulary)
    # Between two letters any character may grow, shrink or vanish; the letters stay where they are.
    texts = [f"x {c}\u0301 y" for c in assigned]
    _, starts, ends = tokenizer.tokenize_with_offsets(texts)
    assert np.all(starts[:, :1].flat_values.numpy() == 0)
    assert np.all(starts[:, -1:].flat_values.numpy() == 5)
    assert np.all(ends[:, -1:].flat_values.numpy() == 6)
