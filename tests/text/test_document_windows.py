"""Documents in windows: what is in which, against plain Python; what is kept of it."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

TEXTS = ["the cat sat on a mat . the dog sat .", "", "cat", "我爱吃苹果 the cat", "a b c d"]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def by_hand(ids, room, stride, windows):
    """Windows of one document."""
    found = []
    for start in range(0, windows * stride, stride):
        found.append([2, *ids[start : start + room], 3])
        if start + room >= len(ids):
            break
    return found


@pytest.mark.parametrize(
    "length, windows, stride",
    [(5, 8, None), (5, 8, 1), (6, 8, 3), (5, 2, 2), (4, 1, None), (32, 3, 9)],
)
def test_windows_hold_what_they_should(tokenizer, length, windows, stride):
    preprocess = kb.TextClassifierPreprocessor(tokenizer, length, windows=windows, stride=stride)
    expected = [
        by_hand(tokenizer(text).numpy().tolist(), length - 2, stride or length - 2, windows)
        for text in TEXTS
    ]
    found = preprocess(TEXTS)
    assert {value.dtype for value in found.values()} == {tf.int32}
    ids, mask = found["token_ids"].numpy(), found["padding_mask"].numpy()
    assert ids.shape[1] == max(map(len, expected))
    for row, rows in enumerate(expected):
        kept = [[int(x) for x in ids[row, i][mask[row, i] == 1]] for i in range(ids.shape[1])]
        assert kept == rows + [[]] * (ids.shape[1] - len(rows))
    assert not ids[mask == 0].any() and not found["segment_ids"].numpy().any()
    # A text alone, in a graph, and padded to what can be at most: the same.
    alone = preprocess(TEXTS[0])
    np.testing.assert_array_equal(
        alone["token_ids"], ids[0, : len(expected[0]), : max(map(len, expected[0]))]
    )
    padded = kb.TextClassifierPreprocessor(tokenizer, length, True, windows=windows, stride=stride)
    graph = tf.function(padded, input_signature=[tf.TensorSpec([None], tf.string)])
    wide = graph(tf.constant(TEXTS))["token_ids"]
    assert wide.shape == (len(TEXTS), windows, length)
    np.testing.assert_array_equal(wide[:, : ids.shape[1], : ids.shape[2]], ids)
    assert tf.reduce_sum(wide) == ids.sum()
    empty = preprocess(tf.constant([], tf.string))["token_ids"]
    assert empty.shape[:2] == (0, 1)


def test_labelled_documents_are_counted_and_cut(tokenizer):
    preprocess = kb.TextClassifierPreprocessor(tokenizer, 5, windows=3, stride=2)
    assert preprocess.most_tokens == 7
    rows = [(text, "ab"[i % 2]) for i, text in enumerate(TEXTS)]
    data = kb.data.classification(rows, preprocess, batch_size=2, shuffle=False)
    lengths = [len(tokenizer(text)) for text in TEXTS]
    assert data.truncated == sum(length > 7 for length in lengths) == 1
    assert data.lengths.tolist() == [min(length, 7) + 2 for length in lengths]
    assert "1 rows of 5 are longer than 9 tokens and are cut" in kb.data.summary(data)
    batches = [inputs for inputs, _, _ in data]
    expected = preprocess(TEXTS)["token_ids"].numpy()
    for start, inputs in zip(range(0, 5, 2), batches, strict=True):
        ids = inputs["token_ids"].numpy()
        wanted = expected[start : start + 2, : ids.shape[1], : ids.shape[2]]
        np.testing.assert_array_equal(ids, wanted)
        assert ids.sum() == expected[start : start + 2].sum()
    pairs = [("cat", "dog", "a"), ("dog", "cat", "b")]
    with pytest.raises(ValueError, match="windows=3 are of single texts; received a pair"):
        kb.data.classification(pairs, preprocess)


def test_windows_that_cannot_be(tokenizer):
    for wrong in (0, True, 1.5):
        with pytest.raises(ValueError, match="windows must be an int of at least 1, or None"):
            kb.TextClassifierPreprocessor(tokenizer, 8, windows=wrong)
    for wrong in (0, 7, True):
        with pytest.raises(ValueError, match="stride must be an int from 1 to 6"):
            kb.TextClassifierPreprocessor(tokenizer, 8, windows=2, stride=wrong)
    with pytest.raises(ValueError, match="stride=3 is of windows"):
        kb.TextClassifierPreprocessor(tokenizer, 8, stride=3)
