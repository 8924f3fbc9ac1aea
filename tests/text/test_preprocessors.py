"""Packed inputs, against the same computed in plain Python."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.text.packing import pack
from keras_bert.text.preprocessors import MaskedLMPreprocessor, TextClassifierPreprocessor
from keras_bert.text.tokenizer import BertTokenizer

TEXTS = ["The cat sat on a mat.", "", "good", "我爱吃苹果 and it was good, bad!"]
OTHERS = ["A dog", "in the film.", "", "the dog sat of and to in a film"]
SPECIAL = {"cls_id": 2, "sep_id": 3, "pad_id": 0}


@functools.lru_cache(maxsize=1)
def tokenizer_of(vocabulary):
    return BertTokenizer(list(vocabulary))


@pytest.fixture
def tokenizer(tiny_vocabulary):
    return tokenizer_of(tuple(tiny_vocabulary))


def packed_in_python(firsts, seconds, length, pad_to_length):
    """Rows of (ids, segments, mask), popping from the longer one token at a time."""
    rows = []
    for number, first in enumerate(firsts):
        a = list(first)
        b = None if seconds is None else list(seconds[number])
        while len(a) + len(b or []) > length - (2 if b is None else 3):
            (a if b is None or len(a) > len(b) else b).pop()
        ids = [2, *a, 3] if b is None else [2, *a, 3, *b, 3]
        segments = [0] * (len(a) + 2) + [1] * (len(ids) - len(a) - 2)
        rows.append((ids, segments, [1] * len(ids)))
    width = length if pad_to_length else max((len(row[0]) for row in rows), default=0)
    names = ("token_ids", "segment_ids", "padding_mask")
    return {
        name: [row[place] + [0] * (width - len(row[0])) for row in rows]
        for place, name in enumerate(names)
    }


def as_lists(inputs):
    return {name: values.numpy().tolist() for name, values in inputs.items()}


sequences = st.lists(st.integers(5, 30), max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(sequences, sequences), min_size=1, max_size=5),
    st.booleans(),
    st.integers(4, 20),
    st.booleans(),
)
def test_packing_any_sequences(rows, is_pair, length, pad_to_length):
    firsts, seconds = map(list, zip(*rows, strict=True))
    arguments = [tf.ragged.constant(part, tf.int32, ragged_rank=1) for part in (firsts, seconds)]
    packed = pack(
        arguments[0],
        arguments[1] if is_pair else None,
        **SPECIAL,
        sequence_length=length,
        pad_to_sequence_length=pad_to_length,
    )
    expected = packed_in_python(firsts, seconds if is_pair else None, length, pad_to_length)
    assert as_lists(packed) == expected
    assert {values.dtype for values in packed.values()} == {tf.int32}


@pytest.mark.parametrize(("length", "pad_to_length"), [(7, False), (40, False), (12, True)])
@pytest.mark.parametrize("is_pair", [False, True])
def test_classifier_inputs(tokenizer, is_pair, length, pad_to_length):
    preprocess = TextClassifierPreprocessor(tokenizer, length, pad_to_length)
    texts = (TEXTS, OTHERS) if is_pair else TEXTS
    ids = [tokenizer(part).to_list() for part in (TEXTS, OTHERS)]
    expected = packed_in_python(ids[0], ids[1] if is_pair else None, length, pad_to_length)
    assert as_lists(preprocess(texts)) == expected
    # In the graph: the same, and batches of one, padded no further than to themselves.
    data = tf.data.Dataset.from_tensor_slices(texts)
    call = (lambda *parts: preprocess(parts)) if is_pair else preprocess
    (batch,) = data.batch(9).map(call)
    assert as_lists(batch) == expected
    for number, (one, eager) in enumerate(
        zip(data.map(call), zip(*texts, strict=True) if is_pair else texts, strict=True)
    ):
        rows = [[part[number]] for part in ids]
        alone = packed_in_python(rows[0], rows[1] if is_pair else None, length, pad_to_length)
        alone = {name: values[0] for name, values in alone.items()}
        assert as_lists(one) == alone == as_lists(preprocess(eager))
    assert batch["token_ids"].shape[0] == 4
    width = preprocess.sequence_length if pad_to_length else None
    signature = data.batch(9).map(call).element_spec
    assert {spec.shape[1] for spec in signature.values()} == {width}


def masked_in_python(tokenizer, texts, length, slots):
    rows = []
    for text in texts:
        ids = []
        for part in text.split("[MASK]"):
            ids += [*tokenizer(part).numpy().tolist(), tokenizer.mask_id]
        rows.append([2, *ids[:-1][: length - 2], 3])
    positions = [[i for i, index in enumerate(row) if index == 4][:slots] for row in rows]
    width = max(1, *map(len, positions))
    return {
        "token_ids": [row + [0] * (max(map(len, rows)) - len(row)) for row in rows],
        "segment_ids": [[0] * max(map(len, rows)) for _ in rows],
        "padding_mask": [[1] * len(r) + [0] * (max(map(len, rows)) - len(r)) for r in rows],
        "mask_positions": [row + [0] * (width - len(row)) for row in positions],
        "mask_weights": [[1.0] * len(p) + [0.0] * (width - len(p)) for p in positions],
    }


MASKED = [
    "The [MASK] sat.",
    "no gap",
    "[MASK][MASK] on[MASK]",
    "",
    "我[MASK]苹果 [mask]" + " a" * 30,
]


@pytest.mark.parametrize(("length", "slots"), [(128, 20), (8, 2)])
def test_masked_inputs(tokenizer, length, slots):
    preprocess = MaskedLMPreprocessor(tokenizer, length, slots)
    expected = masked_in_python(tokenizer, MASKED, length, slots)
    assert as_lists(preprocess(MASKED)) == expected
    assert expected["mask_positions"][2][:2] == [1, 2]
    data = tf.data.Dataset.from_tensor_slices(MASKED)
    (batch,) = data.batch(9).map(preprocess)
    assert as_lists(batch) == expected
    for text, one in zip(MASKED, data.map(preprocess), strict=True):
        alone = masked_in_python(tokenizer, [text], length, slots)
        alone = {name: values[0] for name, values in alone.items()}
        assert as_lists(one) == alone == as_lists(preprocess(text))
    fixed = MaskedLMPreprocessor(tokenizer, length, slots, pad_to_sequence_length=True)(MASKED)
    assert fixed["token_ids"].shape == (5, length) and fixed["mask_weights"].shape == (5, slots)
    width = len(expected["mask_weights"][0])
    for name, values in as_lists(fixed).items():
        kept = width if name.startswith("mask_") else len(expected["token_ids"][0])
        assert [row[:kept] for row in values] == expected[name]
        assert not np.any([row[kept:] for row in values])


def test_exported_graph(tokenizer, tmp_path):
    classify = TextClassifierPreprocessor(tokenizer, 9)
    mask = MaskedLMPreprocessor(tokenizer, 9)
    strings = tf.TensorSpec([None], tf.string)
    module = tf.Module()
    module.pair = tf.function(lambda a, b: classify((a, b)), input_signature=[strings, strings])
    module.mask = tf.function(mask, input_signature=[strings])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for size in (4, 1):
        pair = tf.constant(TEXTS[:size]), tf.constant(OTHERS[:size])
        assert as_lists(loaded.pair(*pair)) == as_lists(classify((TEXTS[:size], OTHERS[:size])))
        assert as_lists(loaded.mask(tf.constant(MASKED[:size]))) == as_lists(mask(MASKED[:size]))


@pytest.mark.parametrize("kind", [TextClassifierPreprocessor, MaskedLMPreprocessor])
def test_directory_round_trip(tokenizer, tmp_path, kind):
    kind(tokenizer, 17).save(tmp_path)
    again = kind.from_preset(tmp_path, pad_to_sequence_length=True)
    assert again.sequence_length == 17 and again.pad_to_sequence_length
    assert again.tokenizer.vocabulary == tokenizer.vocabulary
    assert kind.from_preset(tmp_path, sequence_length=5).sequence_length == 5
    tokenizer.save(tmp_path)
    assert kind.from_preset(tmp_path).sequence_length == 128


def test_bad_input(tokenizer):
    with pytest.raises(ValueError, match=r"at least 3, .* received 2"):
        TextClassifierPreprocessor(tokenizer, 2)
    with pytest.raises(ValueError, match=r"must be an int; received 8\.0"):
        MaskedLMPreprocessor(tokenizer, 8.0)
    with pytest.raises(ValueError, match="must be a positive int; received 0"):
        MaskedLMPreprocessor(tokenizer, 8, mask_selection_length=0)
    with pytest.raises(ValueError, match=r"at least 4, for a pair .* received 3"):
        TextClassifierPreprocessor(tokenizer, 3)(("a", "b"))
    preprocess = TextClassifierPreprocessor(tokenizer)
    with pytest.raises(ValueError, match=r"equally many texts; received shapes \(2,\) and \(1,\)"):
        preprocess((["a", "b"], ["c"]))
    with pytest.raises(ValueError, match="received 3 parts"):
        preprocess(("a", "b", "c"))
