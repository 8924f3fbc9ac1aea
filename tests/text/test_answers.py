"""Answers from the scores of tokens, against loops over every span of every window."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.text.answers import SPAN_TYPES, best_answers, best_spans


def some_windows(rng, examples, width):
    """Logits and places of 1 to 3 windows for each example, some without text."""
    rows = []
    for example in range(examples):
        for _ in range(rng.integers(1, 4)):
            before, length = rng.integers(1, 4), rng.integers(0, width - 4)
            if example == 1:
                length = 0
            starts, most = np.full(width, -1), np.zeros(width, bool)
            starts[before : before + length] = rng.integers(0, 50) + np.arange(length) * 2
            most[before : before + length] = rng.random(length) < 0.7
            rows.append((example, starts, np.where(starts >= 0, starts + 2, -1), most))
    rng.shuffle(rows)
    example, starts, ends, most = (np.array(part) for part in zip(*rows, strict=True))
    places = {"starts": starts.astype("int32"), "ends": ends.astype("int32"), "most_context": most}
    logits = [rng.normal(0, 2, starts.shape).astype("float32") for _ in range(2)]
    return logits, places, example.astype("int32")


def by_loops(logits, places, example, count, longest, threshold):
    answers = []
    for number in range(count):
        spans, no_answer = [], math.inf
        for row in np.flatnonzero(example == number):
            start, end = (np.float64(values[row]) for values in logits)
            no_answer = min(no_answer, start[0] + end[0])
            for first in range(len(start)):
                for last in range(first, min(first + longest, len(start))):
                    begin, stop = places["starts"][row, first], places["ends"][row, last]
                    if places["most_context"][row, first] and begin >= 0 and stop >= 0:
                        spans.append((start[first] + end[last], int(begin), int(stop)))
        total = sum(math.exp(score) for score, _, _ in spans)
        if threshold is not None or not spans:
            total += math.exp(no_answer)
        best = max(spans, default=(-math.inf, -1, -1), key=lambda span: span[0])
        told = best
        if not spans or (threshold is not None and no_answer - best[0] > threshold):
            told = (no_answer, -1, -1)
        answers.append((told[1:], math.exp(told[0]) / total, best[1:], no_answer - best[0]))
    return answers


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 5),
    st.sampled_from([1, 2, 5, 30]),
    st.sampled_from([None, 0.0, -2.5, 3.0]),
)
def test_every_span_is_looked_at(seed, count, longest, threshold):
    logits, places, example = some_windows(np.random.default_rng(seed), count, 12)
    spans = best_spans(*logits, places, longest)
    assert {name: values.dtype for name, values in spans.items()} == SPAN_TYPES
    found = best_answers(spans, example, count, threshold)
    rows = by_loops(logits, places, example, count, longest, threshold)
    found = {name: values.numpy() for name, values in found.items()}
    for number, (span, score, best, difference) in enumerate(rows):
        assert (found["start"][number], found["end"][number]) == span
        assert found["score"][number] == pytest.approx(score, rel=1e-4)
        assert (found["best_start"][number], found["best_end"][number]) == best
        if best[0] >= 0:
            assert found["difference"][number] == pytest.approx(difference, abs=1e-4)
        else:
            assert found["difference"][number] > 1e29


def test_the_same_in_a_graph_and_in_parts():
    rng = np.random.default_rng(5)
    logits, places, example = some_windows(rng, 4, 20)
    whole = best_spans(*logits, places, 7)
    graph = tf.function(best_spans, reduce_retracing=True)
    parts = [
        graph(*(v[r] for v in logits), {name: v[r] for name, v in places.items()}, 7)
        for r in (slice(0, 3), slice(3, None))
    ]
    joined = {name: tf.concat([part[name] for part in parts], 0) for name in whole}
    for threshold in (None, 1.0):
        one = best_answers(whole, example, 4, threshold)
        other = tf.function(best_answers)(joined, example, 4, threshold)
        for name, values in one.items():
            np.testing.assert_allclose(values, other[name], rtol=1e-6)


def test_padding_and_the_question_are_no_answer():
    """The highest logits stand before and behind the text."""
    logits = [[[9.0, 8, 1, 2, 0, 9]], [[9.0, 8, 0, 1, 1, 9]]]
    places = {
        "starts": tf.constant([[-1, -1, 0, 4, -1, -1]]),
        "ends": tf.constant([[-1, -1, 3, 7, -1, -1]]),
        "most_context": tf.constant([[False, False, True, True, False, False]]),
    }
    found = best_answers(best_spans(*logits, places, 30), [0], 1)
    assert (found["start"].numpy(), found["end"].numpy()) == (4, 7)
    # e^(2+1) among e^(1+0), e^(1+1), e^(2+1).
    expected = math.e**3 / (math.e + math.e**2 + math.e**3)
    assert float(found["score"][0]) == pytest.approx(expected, rel=1e-5)
    none = best_answers(best_spans(*logits, places, 30), [0], 1, no_answer_threshold=14.9)
    assert none["start"].numpy() == -1 and float(none["difference"][0]) == 15.0
    some = best_answers(best_spans(*logits, places, 30), [0], 1, no_answer_threshold=15.0)
    assert some["start"].numpy() == 4
