"""Texts with two entities: both layouts give the same rows; bad ones are named."""

import json

import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.RelationPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=16)


MARKED = [
    ("the <e1>cat</e1> sat on <e2>a mat</e2> .", "on(e1,e2)"),
    ("<e2>我</e2>爱<e1>苹果</e1>", "Other"),
    ("<e1>dog</e1> " + "film " * 30 + "<e2>cat</e2>", "Other"),
]
SPANS = [
    {"text": "the cat sat on a mat .", "head": [4, 7], "tail": [15, 20], "relation": "on(e1,e2)"},
    {
        "text": "我爱苹果",
        "head": {"start": 2, "end": 4},
        "tail": {"start": 0, "end": 1},
        "relation": "Other",
    },
    {
        "text": "dog " + "film " * 30 + "cat",
        "head": [0, 3],
        "tail": [154, 157],
        "relation": "Other",
    },
]


def batch(dataset):
    (found,) = dataset.as_numpy_iterator()
    return found


def test_both_layouts_give_what_the_preprocessor_makes(tmp_path, preprocess):
    tsv, jsonl = tmp_path / "a.tsv", tmp_path / "a.jsonl"
    tsv.write_text(
        "id\trelation\tsentence\n" + "".join(f"7\t{label}\t{text}\n" for text, label in MARKED)
    )
    jsonl.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in SPANS))
    expected = preprocess([text for text, _ in MARKED])
    assert expected["entity_positions"].numpy().tolist() == [[2, 7], [5, 1], [1, 0]]
    for path in (tsv, jsonl, SPANS):
        dataset = kb.data.relations(path, preprocess, shuffle=False)
        assert dataset.labels == ["Other", "on(e1,e2)"]
        assert (dataset.num_examples, dataset.truncated) == (3, 1)
        assert dataset.label_counts == {"Other": 2, "on(e1,e2)": 1}
        inputs, labels, weights = batch(dataset)
        assert set(inputs) == set(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(inputs[name], value)
        assert labels["relation"].tolist() == [1, 0, 0]
        assert weights["relation"].tolist() == [1, 1, 1]
    weighed = kb.data.relations(SPANS, preprocess, shuffle=False, class_weights="balanced")
    np.testing.assert_allclose(batch(weighed)[2]["relation"], [1.5, 0.75, 0.75])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"head": [4, 99]}, r"the span \[4, 99\] in column 'head' is empty or outside"),
        ({"head": [4, 4]}, "is empty or outside"),
        ({"head": [15, 16]}, "overlap"),
        ({"head": ["4", "7"]}, r"expected \[start, end\] in column 'head'"),
        ({"tail": None}, r"expected \[start, end\] in column 'tail'"),
        ({"head": None, "tail": None}, "expected <e1> once in the text; found 0"),
        ({"relation": ""}, "no label in column 'relation'"),
        ({"text": 3}, "expected text in the columns text"),
    ],
)
def test_bad_rows(preprocess, change, message):
    rows = [SPANS[1], {**SPANS[0], **change}]
    with pytest.raises(ValueError, match=f"row 2: .*{message}"):
        kb.data.relations(rows, preprocess)
    assert kb.data.relations(rows, preprocess, skip_bad_rows=True).skipped == 1


def test_marks_that_come_twice_and_labels_that_are_not_known(preprocess):
    rows = [{"text": "<e1>a</e1> <e1>b</e1> <e2>c</e2>", "label": "x"}]
    with pytest.raises(ValueError, match="row 1: expected <e1> once in the text; found 2"):
        kb.data.relations(rows, preprocess)
    with pytest.raises(ValueError, match="row 1: the label 'on"):
        kb.data.relations(SPANS, preprocess, labels=["Other", "in"])
