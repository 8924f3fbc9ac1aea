"""Several labels, numbers, weights of classes and texts of no class, as batches hold them."""

import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=12)


def read(rows, preprocess, **options):
    dataset = kb.data.classification(rows, preprocess, shuffle=False, **options)
    (batch,) = dataset.as_numpy_iterator()
    return dataset, batch


@pytest.mark.parametrize(
    "values",
    [
        ["b|a", "", "c"],
        [["b", "a"], [], ["c"]],
        ['["b", "a"]', "[]", '["c"]'],
        [" b | a ", " ", "c"],
    ],
)
def test_several_labels(preprocess, values):
    rows = [{"text": "x", "labels": value} for value in values]
    dataset, (_, labels, weights) = read(rows, preprocess, problem_type="multi_label")
    assert dataset.labels == ["a", "b", "c"]
    assert labels["classification"].tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert weights["classification"].tolist() == [1, 1, 1]
    assert dataset.label_counts == {"a": 1, "b": 1, "c": 1}
    _, (_, labels, _) = read(rows, preprocess, problem_type="multi_label", labels=["c", "b", "a"])
    assert labels["classification"].tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0]]


def test_a_column_for_each_label(tmp_path, preprocess):
    path = tmp_path / "a.tsv"
    path.write_text("text\tsport\tmoney\nx\t1\t0\ny\t1\t1\n")
    options = {"problem_type": "multi_label", "label_column": ["money", "sport"]}
    dataset, (_, labels, _) = read(path, preprocess, **options)
    assert dataset.labels == ["money", "sport"]
    assert labels["classification"].tolist() == [[0, 1], [1, 1]]
    path.write_text("text\tsport\tmoney\nx\t1\t0\ny\t1\t2\n")
    with pytest.raises(ValueError, match=r"a\.tsv, line 3: expected 0 or 1 in column 'money'"):
        read(path, preprocess, **options)


def test_numbers(tmp_path, preprocess):
    path = tmp_path / "a.tsv"
    path.write_text("sentence1\tsentence2\tscore\nx\ty\t4.5\ny\tz\t-1e-1\n")
    dataset, (inputs, labels, weights) = read(path, preprocess, problem_type="regression")
    assert dataset.labels == ["score"] and dataset.label_counts == {}
    np.testing.assert_array_equal(labels["regression"], np.float32([[4.5], [-0.1]]))
    assert weights["regression"].tolist() == [1, 1] and inputs["segment_ids"].max() == 1
    rows = [{"text": "x", "a": 1, "b": 2.5}]
    dataset, (_, labels, _) = read(
        rows, preprocess, problem_type="regression", label_column=["b", "a"]
    )
    assert dataset.labels == ["b", "a"] and labels["regression"].tolist() == [[2.5, 1.0]]
    with pytest.raises(ValueError, match="expected 1 numbers a row"):
        read(rows, preprocess, problem_type="regression", label_column=["b", "a"], labels=["c"])


@pytest.mark.parametrize("value", ["good", "", "nan", "inf", None, [1.0]])
def test_what_is_no_number(preprocess, value):
    with pytest.raises(ValueError, match=r"row 2: .*column 'score'"):
        read(
            [{"text": "x", "score": 1}, {"text": "x", "score": value}],
            preprocess,
            problem_type="regression",
        )


@pytest.mark.parametrize("value", ['["a"', [{"a": 1}], {"a": 1}, None, "a||b"])
def test_what_is_no_list_of_labels(preprocess, value):
    with pytest.raises(ValueError, match=r"row 1: .*'labels'"):
        read([{"text": "x", "labels": value}], preprocess, problem_type="multi_label")


def test_labels_that_are_not_known(preprocess):
    rows = [{"text": "x", "labels": "a|b"}]
    with pytest.raises(ValueError, match=r"row 1: the label 'b' is not among labels=\['a', 'c'\]"):
        read(rows, preprocess, problem_type="multi_label", labels=["a", "c"])
    many = [str(number) + "x" for number in range(50)]
    with pytest.raises(ValueError, match=r"is not among labels=.* and 30 more"):
        read([("x", "y")], preprocess, labels=many)


def test_weights_of_classes(preprocess):
    rows = [("x", "common")] * 3 + [("y", "rare")]
    _, (_, _, weights) = read(rows, preprocess, class_weights="balanced")
    # 4 rows / (2 classes * 3 rows), 4 / (2 * 1)
    np.testing.assert_allclose(weights["classification"], [2 / 3] * 3 + [2])
    _, (_, _, weights) = read(rows, preprocess, class_weights={"rare": 5})
    assert weights["classification"].tolist() == [1, 1, 1, 5]
    _, (_, _, weights) = read(
        rows, preprocess, class_weights="balanced", labels=["common", "rare", "never"]
    )
    np.testing.assert_allclose(weights["classification"], [2 / 3] * 3 + [2])
    for wrong in ("balance", {"never": 1}, {"rare": -1}, {"rare": "much"}, 2.0):
        with pytest.raises(ValueError, match="class_weights: expected"):
            read(rows, preprocess, class_weights=wrong)


def test_texts_of_no_class(preprocess):
    rows = [("x", "oos"), ("y", "b"), ("z", "a"), ("w", "b")]
    dataset, (_, labels, weights) = read(
        rows, preprocess, out_of_scope="oos", class_weights="balanced"
    )
    assert dataset.labels == ["a", "b"] and dataset.out_of_scope == "oos"
    assert labels["classification"].tolist() == [0, 1, 0, 1]
    # The weights of the classes know nothing of the others: 3 rows / (2 * 2), 3 / (2 * 1).
    np.testing.assert_allclose(weights["classification"], [0, 0.75, 1.5, 0.75])
    assert dataset.label_counts == {"a": 1, "b": 2, "oos": 1}
    dataset, (_, labels, weights) = read(
        rows[:1], preprocess, out_of_scope="oos", labels=["a", "b"]
    )
    assert (labels["classification"].tolist(), weights["classification"].tolist()) == ([0], [0])


def test_options_that_do_not_fit(preprocess):
    with pytest.raises(ValueError, match=r"problem_type must be one of .* received 'multi'"):
        read([("x", "y")], preprocess, problem_type="multi")
    for options in ({"class_weights": "balanced"}, {"out_of_scope": "oos"}):
        with pytest.raises(ValueError, match="are for one class a row"):
            read([("x", "y")], preprocess, problem_type="multi_label", **options)
    with pytest.raises(ValueError, match="one class has one column"):
        read([{"text": "x", "a": "1", "b": "2"}], preprocess, label_column=["a", "b"])


def test_lengths_cuts_and_equal_texts(preprocess):
    rows = [("cat " * n, "x") for n in (1, 9, 10, 11, 30)] + [("cat ", "y")]
    dataset = kb.data.classification(rows, preprocess)
    # [CLS] and [SEP] beside the words, 12 tokens at most.
    assert dataset.lengths.tolist() == [3, 11, 12, 12, 12, 3]
    assert dataset.truncated == 2
    equal = dataset.digests[:, None] == dataset.digests
    assert equal.sum() == 6 + 2 and equal[0, 5]
    pairs = kb.data.classification([("cat", "cat " * n, "x") for n in (7, 8, 9)], preprocess)
    assert pairs.lengths.tolist() == [11, 12, 12] and pairs.truncated == 1
