"""Search of settings: what is drawn, which is best, going on, failures."""

import math

import pytest

import keras_bert as kb

SPACE = {
    "rate": {"min": 1e-5, "max": 1e-1, "log": True},
    "layers": {"min": 1, "max": 4},
    "decay": [0.8, 0.9],
    "share": {"min": 0.0, "max": 1.0, "step": 0.25},
}


def recorder(cut_at=None):
    """A run that is best where the rate is near 1e-3, and the settings of each trial."""
    seen = {}

    def run(settings, trial):
        if trial == cut_at:
            raise KeyboardInterrupt
        seen[trial] = settings
        distance = abs(math.log10(settings["rate"]) + 3)
        return {"accuracy": 1 - distance / 10, "loss": distance, "other": float(trial)}

    return run, seen


def test_draws_and_the_best(tmp_path):
    run, seen = recorder()
    rows = kb.search(run, SPACE, 20, tmp_path, "accuracy", seed=4)
    assert sorted(seen) == list(range(20)) == sorted(row["trial"] for row in rows)
    assert [seen[row["trial"]] for row in rows] == [row["settings"] for row in rows]
    accuracies = [row["measures"]["accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True) and accuracies[0] > accuracies[-1]
    assert [row["measures"]["other"] for row in rows] == [float(row["trial"]) for row in rows]
    columns = {name: [settings[name] for settings in seen.values()] for name in SPACE}
    assert {*columns["layers"]} == {1, 2, 3, 4} and {*columns["decay"]} == {0.8, 0.9}
    assert {*columns["share"]} <= {0, 0.25, 0.5, 0.75, 1} and len({*columns["share"]}) > 2
    assert min(columns["rate"]) >= 1e-5 and max(columns["rate"]) <= 1e-1
    assert 4 <= sum(rate < 1e-3 for rate in columns["rate"]) <= 16  # even by the logarithm
    again, seen_again = recorder()
    kb.search(again, SPACE, 20, tmp_path / "again", "accuracy", seed=4)
    assert seen_again == seen
    less = kb.search(recorder()[0], SPACE, 20, tmp_path / "loss", "loss", seed=4)
    assert [row["trial"] for row in less] == [row["trial"] for row in rows]


def test_it_goes_on(tmp_path):
    whole, expected = recorder()
    best = kb.search(whole, SPACE, 6, tmp_path / "whole", "accuracy", seed=1)
    run, seen = recorder(cut_at=3)
    with pytest.raises(KeyboardInterrupt):
        kb.search(run, SPACE, 6, tmp_path / "cut", "accuracy", seed=1)
    assert sorted(seen) == [0, 1, 2]
    run, more = recorder()
    assert kb.search(run, SPACE, 6, tmp_path / "cut", "accuracy", seed=1) == best
    assert sorted(more) == [3, 4, 5] and {**seen, **more} == expected
    run, more = recorder()
    assert len(kb.search(run, SPACE, 8, tmp_path / "cut", "accuracy", seed=1)) == 8
    assert sorted(more) == [6, 7]
    with pytest.raises(ValueError, match="expected the same space"):
        kb.search(run, {"rate": [0.1]}, 8, tmp_path / "cut", "accuracy")
    run, anew = recorder()
    rows = kb.search(run, {"rate": [0.1, 0.2]}, 8, tmp_path / "cut", "accuracy", overwrite=True)
    assert len(anew) == len(rows) == 2  # there are no more


def test_failures(tmp_path):
    def run(settings, trial):
        if trial < 2:
            raise FloatingPointError("the loss is not finite")
        return {"f1": settings["rate"]}

    space = {"rate": [0.1, 0.2, 0.3, 0.4]}
    rows = kb.search(run, space, 4, tmp_path / "a", "f1")
    assert [row["trial"] for row in rows] in ([2, 3], [3, 2])

    with pytest.raises(ValueError, match="no trial succeeded"):
        kb.search(lambda settings, trial: run(settings, 0), space, 4, tmp_path / "none", "f1")

    def broken(settings, trial):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        kb.search(broken, space, 4, tmp_path / "b", "f1")
    with pytest.raises(ValueError, match="'f2' is not among what is measured, f1"):
        kb.search(lambda settings, trial: {"f1": 0.5}, space, 4, tmp_path / "c", "f2")
    for wrong in ({"min": 2, "max": 1}, {"min": 0, "max": 1, "log": True}, [], 3, {"min": 1}):
        with pytest.raises(ValueError, match="rate is to be a list of values, or a range"):
            kb.search(run, {"rate": wrong}, 4, tmp_path / "d", "f1")
    with pytest.raises(ValueError, match="a dict of names with lists or ranges; received"):
        kb.search(run, {}, 4, tmp_path / "d", "f1")
    with pytest.raises(ValueError, match="trials must be an int of at least 1; received 0"):
        kb.search(run, space, 0, tmp_path / "d", "f1")
