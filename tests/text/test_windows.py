"""Windows of long texts, against the loops of run_squad in plain Python."""

import collections

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.text import windows

QUESTIONS = ["the cat", "", "q7 was it good", "在 the film 我 爱"]
CONTEXTS = [
    "The Cafe\u0301 cat sat ON a mat, was it good?" * 3,
    "",
    "x",
    "我爱吃苹果。\u200bdog\n" * 9,
]


def spans_of_squad(context_length, room, stride):
    """(start, length) of each window, as run_squad's loop makes them."""
    spans, start = [], 0
    while start < context_length:
        length = min(context_length - start, room)
        spans.append((start, length))
        if start + length == context_length:
            break
        start += min(length, stride)
    return spans or [(0, 0)]


def best_of_squad(spans, position):
    """The number of the window that shows most around a position, as run_squad's loop finds it."""
    best_score, best = None, None
    for number, (start, length) in enumerate(spans):
        end = start + length - 1
        if position < start or position > end:
            continue
        score = min(position - start, end - position) + 0.01 * length
        if best_score is None or score > best_score:
            best_score, best = score, number
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 400)), min_size=1, max_size=4),
    st.integers(12, 320),
    st.integers(1, 150),
)
def test_windows_are_those_of_run_squad(rows, sequence_length, stride):
    questions, contexts = (tf.constant(part, tf.int32) for part in zip(*rows, strict=True))
    cut = windows.cut_windows(questions, contexts, sequence_length, stride)
    found = list(zip(*(values.numpy().tolist() for values in cut), strict=True))
    is_most = windows.most_context(cut, contexts).to_list()
    expected, most = [], []
    for number, (question, context) in enumerate(rows):
        spans = spans_of_squad(context, sequence_length - question - 3, stride)
        expected += [(number, *span) for span in spans]
        for place, (start, length) in enumerate(spans):
            positions = range(start, start + length)
            most.append([best_of_squad(spans, position) == place for position in positions])
    assert found == expected
    assert is_most == most


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def reference(tokenizer, questions, contexts, sequence_length, stride, question_length):
    """Rows of the preprocessor as lists, without padding."""
    rows = []
    for number, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        asked = tokenizer(question).numpy().tolist()[:question_length]
        ids, starts, ends = (v.numpy().tolist() for v in tokenizer.tokenize_with_offsets(context))
        spans = spans_of_squad(len(ids), sequence_length - len(asked) - 3, stride)
        for place, (start, length) in enumerate(spans):
            part, before = slice(start, start + length), len(asked) + 2
            most = [best_of_squad(spans, start + i) == place for i in range(length)]
            rows.append(
                {
                    "token_ids": [2, *asked, 3, *ids[part], 3],
                    "segment_ids": [0] * before + [1] * (length + 1),
                    "padding_mask": [1] * (before + length + 1),
                    "starts": [-1] * before + starts[part] + [-1],
                    "ends": [-1] * before + ends[part] + [-1],
                    "most_context": [False] * before + most + [False],
                    "example": number,
                }
            )
    return rows


def as_rows(inputs, places):
    """The same of what the preprocessor returns, after looking at the padding."""
    values = {name: tensor.numpy() for name, tensor in {**inputs, **places}.items()}
    lengths = values["padding_mask"].sum(1)
    for name in ("token_ids", "segment_ids", "padding_mask", "most_context"):
        assert not any(
            row[length:].any() for row, length in zip(values[name], lengths, strict=True)
        )
    for name in ("starts", "ends"):
        assert all((row[n:] == -1).all() for row, n in zip(values[name], lengths, strict=True))
    return [
        {
            name: array[row].tolist() if array.ndim == 1 else array[row, :length].tolist()
            for name, array in values.items()
        }
        for row, length in enumerate(lengths)
    ]


@pytest.mark.parametrize(
    ("length", "stride", "asked"), [(16, 4, 4), (12, 30, 2), (384, None, None)]
)
def test_eager_graph_and_batch_give_the_same(tokenizer, length, stride, asked):
    preprocess = kb.SpanPreprocessor(tokenizer, length, stride, asked)
    texts = (QUESTIONS, CONTEXTS)
    expected = reference(tokenizer, *texts, length, preprocess.stride, preprocess.question_length)
    result = preprocess(texts)
    assert as_rows(*result) == expected
    assert {v.dtype for v in result[0].values()} == {tf.int32}
    counts = collections.Counter(row["example"] for row in expected)
    assert len(counts) == 4 and (max(counts.values()) > 3) == (length < 384)
    data = tf.data.Dataset.from_tensor_slices(texts)
    (batch,) = data.batch(9).map(lambda *parts: preprocess(parts))
    assert as_rows(*batch) == expected
    for number, one in enumerate(data.map(lambda *parts: preprocess(parts))):
        alone = [{**row, "example": 0} for row in expected if row["example"] == number]
        assert as_rows(*one) == alone == as_rows(*preprocess((QUESTIONS[number], CONTEXTS[number])))
    fixed = kb.SpanPreprocessor(tokenizer, length, stride, asked, pad_to_sequence_length=True)
    inputs, places = fixed(texts)
    assert as_rows(inputs, places) == expected
    assert inputs["token_ids"].shape[1] == places["ends"].shape[1] == length


def test_exported_graph(tokenizer, tmp_path):
    preprocess = kb.SpanPreprocessor(tokenizer, 16, 4, 4)
    strings = tf.TensorSpec([None], tf.string)
    module = tf.Module()
    module.cut = tf.function(lambda a, b: preprocess((a, b)), input_signature=[strings, strings])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for size in (4, 1):
        texts = (QUESTIONS[:size], CONTEXTS[:size])
        assert as_rows(*loaded.cut(*map(tf.constant, texts))) == as_rows(*preprocess(texts))


def test_pieces_stand_where_they_say(tokenizer):
    preprocess = kb.SpanPreprocessor(tokenizer, 16, 4, 4)
    _, places = preprocess((QUESTIONS, CONTEXTS))
    told = [""] * len(CONTEXTS)
    for row, example in enumerate(places["example"].numpy()):
        for start, end in zip(places["starts"][row], places["ends"][row], strict=True):
            told[example] += CONTEXTS[example][start:end] if start >= 0 else ""
    assert "Cafe\u0301" in told[0] and "dog" in told[3] and told[1:3] == ["", "x"]
    # Once each, in the window with most around it.
    shown = np.bincount(places["example"], places["most_context"].numpy().sum(1))
    lengths = tokenizer(CONTEXTS).row_lengths().numpy()
    assert shown.tolist() == lengths.tolist()


def test_directory_and_defaults(tokenizer, tmp_path):
    kb.SpanPreprocessor(tokenizer, 96).save(tmp_path)
    again = kb.SpanPreprocessor.from_preset(tmp_path)
    assert (again.sequence_length, again.stride, again.question_length) == (96, 32, 24)
    plain = kb.SpanPreprocessor(tokenizer)
    assert (plain.sequence_length, plain.stride, plain.question_length) == (384, 128, 64)
    assert kb.SpanPreprocessor(tokenizer, 512).stride == 128


def test_bad_input(tokenizer):
    for arguments, message in [
        ({"sequence_length": 2}, "at least 3, .* received 2"),
        ({"stride": 0}, "stride must be a positive int; received 0"),
        ({"question_length": 1.5}, r"question_length must be a positive int; received 1\.5"),
        ({"max_answer_length": True}, "max_answer_length must be a positive int; received True"),
        (
            {"sequence_length": 20, "question_length": 17},
            "no room .* sequence_length of 21 or more",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            kb.SpanPreprocessor(tokenizer, **arguments)
    preprocess = kb.SpanPreprocessor(tokenizer)
    for texts, message in [
        (["a", "b"], r"expected a tuple \(question, context\).*received list"),
        (("a", "b", "c"), "received 3 parts"),
        ((["a", "b"], ["c"]), r"a context for each question; received shapes \(2,\) and \(1,\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            preprocess(texts)
