"""The official score of SemEval 2010 task 8, by hand and by a confusion matrix."""

import re

import numpy as np
import pytest

from keras_bert.training.relation_scores import directed_f1

LABELS = ["A-B(e1,e2)", "A-B(e2,e1)", "C-D(e1,e2)", "Other", "E-F(e2,e1)"]


def test_by_hand():
    true = ["A-B(e1,e2)", "A-B(e1,e2)", "A-B(e2,e1)", "C-D(e1,e2)", "Other", "Other"]
    told = ["A-B(e1,e2)", "A-B(e2,e1)", "Other", "C-D(e1,e2)", "C-D(e1,e2)", "Other"]
    report = directed_f1(*([LABELS.index(label) for label in x] for x in (true, told)), LABELS)
    # A-B: one right of three that have it and of two that were told it (one the wrong way round);
    # C-D: one of one, told twice; E-F: never. Other has no row.
    rows = report["relations"]
    assert rows["A-B"] == {"precision": 1 / 2, "recall": 1 / 3, "f1": 2 / 5, "examples": 3}
    assert rows["C-D"] == {"precision": 1 / 2, "recall": 1, "f1": 2 / 3, "examples": 1}
    assert rows["E-F"] == {"precision": 0, "recall": 0, "f1": 0, "examples": 0}
    assert report["macro_f1"] == pytest.approx((2 / 5 + 2 / 3) / 3)


def test_as_the_scorers_tables_give_it():
    """The scorer's own way: a matrix of relations, and beside it those the wrong way round."""
    rng = np.random.default_rng(0)
    true, told = rng.integers(0, 5, (2, 400))
    names = ["A-B", "C-D", "E-F", "Other"]
    row = [names.index(re.sub(r"\(.*", "", label)) for label in LABELS]
    matrix, wrong_way = np.zeros((4, 4)), np.zeros(4)
    for t, p in zip(true, told, strict=True):
        if row[t] == row[p] and t != p:
            wrong_way[row[t]] += 1
        else:
            matrix[row[t], row[p]] += 1
    scores = []
    for i in range(3):
        precision = matrix[i, i] / (matrix[:, i].sum() + wrong_way[i])
        recall = matrix[i, i] / (matrix[i].sum() + wrong_way[i])
        scores.append(2 * precision * recall / (precision + recall))
    assert directed_f1(true, told, LABELS)["macro_f1"] == pytest.approx(np.mean(scores))
    assert directed_f1([0, 1], [0, 1], ["born in", "Other"]) is None
