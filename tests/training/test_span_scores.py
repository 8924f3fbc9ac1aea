"""Scores of spans: by hand, and against counts of classes by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from keras_bert.training.span_scores import span_report


def test_by_hand():
    true = [[(0, 5, "PER"), (9, 12, "LOC")], [], [(0, 2, "LOC")]]
    found = [[(0, 5, "PER"), (9, 11, "LOC")], [(1, 2, "ORG")], [(0, 2, "PER"), (0, 2, "LOC")]]
    report = span_report(true, found)
    assert (report["examples"], report["entities"]) == (3, 3)
    # Right: PER of the first text, LOC of the third; five were found, three are true.
    assert report["precision"] == pytest.approx(2 / 5)
    assert report["recall"] == pytest.approx(2 / 3)
    assert report["f1"] == pytest.approx(2 * 2 / 8)
    assert report["labels"]["ORG"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "entities": 0,
        "predicted": 1,
    }
    per, loc = report["labels"]["PER"], report["labels"]["LOC"]
    assert (per["precision"], per["recall"], per["f1"]) == (0.5, 1.0, pytest.approx(2 / 3))
    assert (loc["precision"], loc["recall"], loc["entities"], loc["predicted"]) == (0.5, 0.5, 2, 2)
    assert report["macro_f1"] == pytest.approx((2 / 3 + 0.5 + 0) / 3)


def test_a_place_in_another_text_is_another_span_and_twice_is_once():
    assert span_report([[(0, 1, "A")], []], [[], [(0, 1, "A")]])["f1"] == 0
    assert span_report([[(0, 1, "A")]], [[(0, 1, "A"), (0, 1, "A")]])["precision"] == 1


def test_nothing_there():
    report = span_report([[]], [[]])
    assert (report["precision"], report["recall"], report["f1"], report["macro_f1"]) == (0,) * 4
    assert report["labels"] == {}
    for true, found in (([], []), ([[]], [])):
        with pytest.raises(ValueError, match="as many predictions as texts, at least one"):
            span_report(true, found)


def test_against_scikit_learn():
    """Each span that is true or found is an example: its label there, or "" where it is not."""
    rng = np.random.default_rng(0)
    names = ["A", "B", "C"]

    def spans():
        starts = rng.choice(8, rng.integers(0, 6), replace=False)
        return [(int(s), int(s + rng.integers(1, 3)), str(rng.choice(names))) for s in starts]

    true, found = ([spans() for _ in range(200)] for _ in range(2))
    pairs = []
    for wanted, got in zip(true, found, strict=True):
        for span in {*wanted, *got}:
            pairs.append((span[2] if span in wanted else "", span[2] if span in got else ""))
    report = span_report(true, found)
    for average, keys in (("micro", ("precision", "recall", "f1")), ("macro", None)):
        scores = precision_recall_fscore_support(
            *zip(*pairs, strict=True), labels=names, average=average
        )
        values = [report[key] for key in keys] if keys else [report["macro_f1"]]
        assert values == pytest.approx(list(scores[:3] if keys else scores[2:3]))
    scores = precision_recall_fscore_support(*zip(*pairs, strict=True), labels=names)
    for i, name in enumerate(names):
        row = report["labels"][name]
        assert [row[key] for key in ("precision", "recall", "f1", "entities")] == pytest.approx(
            [values[i] for values in scores]
        )
    assert 0.05 < report["f1"] < 0.9
