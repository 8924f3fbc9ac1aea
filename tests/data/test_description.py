"""The summary before training: its numbers are those of the rows."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.description import count_shared


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=22)


def test_balance_lengths_cuts_and_shared_rows(preprocess):
    rows = [("cat " * n + "dog", "long" if n > 8 else "短") for n in range(30)]
    train = kb.data.classification(rows, preprocess, labels=["long", "短", "never"])
    dev = kb.data.classification([*rows[:4], ("new", "短")], preprocess, labels=train.labels)
    text = kb.data.summary(train, dev)
    lines = [line.split() for line in text.split("\n")]
    assert lines[0] == ["30", "rows"]
    assert ["long", "21", "70.0", "%"] in lines and ["短", "9", "30.0", "%"] in lines
    assert ["without", "a", "row:", "never"] in lines
    # n + 1 words with [CLS] and [SEP], at most 22: 3, 4, ..., 22 and 10 longer ones.
    assert "tokens a row: 3 to 22, half up to 18, 95 % up to 22" in text
    assert "10 rows of 30 are longer than 22 tokens and are cut (33.3 %)" in text
    assert "4 of the 5 rows to measure on are in the training set too" in text
    assert count_shared(dev, train) == 4
    bars = [line for line in text.split("\n") if "-" in line and "%" in line]
    shares = [float(line.split()[-2]) for line in bars]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    edges = [tuple(map(int, line.split()[0].split("-"))) for line in bars]
    for (low, high), share in zip(edges, shares, strict=True):
        count = np.sum((train.lengths >= low) & (train.lengths <= high))
        assert share == pytest.approx(100 * count / 30, abs=0.06)


def test_one_class_many_classes_and_numbers(preprocess):
    one = kb.data.classification([("a", "x")] * 3, preprocess)
    assert "all rows have one label" in kb.data.summary(one)
    assert "no row is cut" in kb.data.summary(one)
    many = kb.data.classification(
        [("a", f"c{n:02}") for n in range(40) for _ in range(n + 1)], preprocess
    )
    text = kb.data.summary(many)
    assert "40 labels, the 10 most and the 10 least frequent" in text
    assert "c39 " in text and "c00 " in text and "c20 " not in text
    numbers = kb.data.classification(
        [{"text": "a", "score": 1}], preprocess, problem_type="regression"
    )
    assert "label" not in kb.data.summary(numbers)
    skipped = kb.data.classification([("a", "x"), ("b", None)], preprocess, skip_bad_rows=True)
    assert "1 bad rows were left out" in kb.data.summary(skipped)
