"""Texts with choices: each layout gives the same batches; bad rows are named."""

import json

import numpy as np
import pytest

import keras_bert as kb

ROWS = [
    {"context": "the cat", "question": "sat on", "choices": ["a mat", "dog", "it"], "label": 0},
    {"context": "我爱吃", "question": "", "choices": ["中国人", "苹果", "a " * 30], "label": 1},
    {"context": "good", "question": "film", "choices": ["b", "c", "d"], "label": 2},
]
TEXTS = ["the cat sat on", "我爱吃", "good film"]


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.MultipleChoicePreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=14)


def batch(dataset):
    (found,) = dataset.as_numpy_iterator()
    return found


def test_every_layout_gives_what_the_preprocessor_makes(tmp_path, preprocess):
    jsonl, csv = tmp_path / "a.jsonl", tmp_path / "a.csv"
    jsonl.write_text("\n".join(json.dumps(row) for row in ROWS))
    lines = ["sent1,sent2,ending0,ending1,ending2,label"]
    for text, row in zip(TEXTS, ROWS, strict=True):
        lines.append(",".join([text, "", *row["choices"], str(row["label"])]))
    csv.write_text("\n".join(lines))
    expected = preprocess((TEXTS, [row["choices"] for row in ROWS]))
    for path in (jsonl, csv, ROWS):
        dataset = kb.data.choices(path, preprocess, shuffle=False)
        assert (dataset.num_examples, dataset.num_choices, dataset.truncated) == (3, 3, 1)
        inputs, labels, weights = batch(dataset)
        for name, value in expected.items():
            np.testing.assert_array_equal(inputs[name], value)
        assert labels["multiple_choice"].tolist() == [0, 1, 2]
        assert weights["multiple_choice"].tolist() == [1, 1, 1]
    assert dataset.lengths.tolist() == inputs["padding_mask"].sum(2).max(1).tolist()


def test_what_stands_before_the_endings(preprocess):
    row = {"sent1": "the cat sat", "sent2": "it was", "ending1": "on", "ending0": "in", "label": 1}
    found = batch(kb.data.choices([row], preprocess))[0]
    expected = preprocess((["the cat sat"], [["it was in", "it was on"]]))
    np.testing.assert_array_equal(found["token_ids"], expected["token_ids"])


def test_each_row_once_an_epoch(preprocess):
    rows = [
        {"text": f"cat {n}", "choices": ["a " * (n % 7), "b"], "label": n % 2} for n in range(50)
    ]
    dataset = kb.data.choices(rows, preprocess, batch_size=8)
    seen = []
    for inputs, labels, _ in dataset.as_numpy_iterator():
        assert inputs["token_ids"].shape[1] == 2
        for ids, label in zip(inputs["token_ids"], labels["multiple_choice"], strict=True):
            seen.append((tuple(ids[0][ids[0] > 0]), int(label)))
    expected = [
        (tuple(preprocess((r["text"], r["choices"]))["token_ids"].numpy()[0]), r["label"])
        for r in rows
    ]
    expected = [(tuple(i for i in ids if i > 0), label) for ids, label in expected]
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"label": 3}, "the number of a choice, from 0 to 2, in column 'label'; received '3'"),
        ({"label": -1}, "received '-1'"),
        ({"label": None}, "no value in column 'label'"),
        ({"choices": "a b c"}, "expected a list of str in column 'choices'"),
        ({"choices": ["a"], "label": 0}, "two or more choices"),
        ({"choices": ["a", "b"], "label": 0}, "2 choices; expected 3, as at row 1"),
        ({"context": 5}, "expected text"),
    ],
)
def test_bad_rows(preprocess, change, message):
    with pytest.raises(ValueError, match=f"row 2: .*{message}"):
        kb.data.choices([ROWS[0], {**ROWS[1], **change}], preprocess)


def test_no_column_of_choices(preprocess):
    with pytest.raises(ValueError, match="expected a column 'choices', or 'ending0'"):
        kb.data.choices([{"text": "a", "ending0": "b", "label": 0}], preprocess)
