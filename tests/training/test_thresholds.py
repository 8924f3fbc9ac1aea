"""Thresholds against a search through all of them."""

import numpy as np
import pytest

import keras_bert as kb


def f1(told, true):
    return 2 * (told & true).sum() / max(told.sum() + true.sum(), 1)


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_of_each_label_has_the_best_f1(seed):
    rng = np.random.default_rng(seed)
    true = rng.random((40, 3)) < [0.1, 0.5, 0.9]
    p = np.clip(0.3 * true + rng.random((40, 3)) * 0.7, 0, 1).round(1 if seed % 2 else 6)
    found = kb.thresholds.label_thresholds(p, true)
    assert len(found) == 3 and len(set(found)) > 1
    for label, threshold in enumerate(found):
        scores = {t: f1(p[:, label] >= t, true[:, label]) for t in np.linspace(0, 1, 2001)}
        mine = f1(p[:, label] >= threshold, true[:, label])
        assert mine == pytest.approx(max(scores.values()), abs=1e-9)
        # Of equally good ones that nearest to 0.5, to the width of a gap between probabilities.
        best = [t for t, score in scores.items() if score == pytest.approx(mine, abs=1e-9)]
        gap = np.diff(np.unique([0, *p[:, label], 1])).max()
        assert abs(threshold - 0.5) <= min(abs(t - 0.5) for t in best) + gap


def test_labels_that_never_are_right_and_always_are():
    p = np.array([[0.2, 0.2], [0.6, 0.7]])
    assert kb.thresholds.label_thresholds(p, [[0, 1], [0, 1]]) == [0.5, 0.0]
    for wrong in (np.zeros((0, 2)), np.zeros((2, 3))):
        with pytest.raises(ValueError, match="label_thresholds: expected"):
            kb.thresholds.label_thresholds(wrong, np.zeros((len(wrong), 2)))


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_of_scope_has_the_best_balance(seed):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, 60)
    true[:12] = -1
    logits = rng.normal(0, 1, (60, 4))
    logits[np.arange(60), true] += np.where(true < 0, 0, 2)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    def balance(threshold):
        told = np.where(p.max(1) < threshold, -1, p.argmax(1))
        return (told == true)[true >= 0].mean() + (told == true)[true < 0].mean()

    found = kb.thresholds.out_of_scope_threshold(p, true)
    assert balance(found) == pytest.approx(max(map(balance, np.linspace(0, 1, 5001))), abs=1e-9)
    assert 0 < found < 1


def test_scope_without_texts_of_one_kind():
    for true in ([0, 1], [-1, -1]):
        with pytest.raises(ValueError, match="texts of the classes and texts of none"):
            kb.thresholds.out_of_scope_threshold([[0.9, 0.1], [0.2, 0.8]], true)
