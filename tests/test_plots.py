"""Curves: what is drawn, over what, and that a picture is whole or not there."""

import matplotlib.figure
import numpy as np
import pytest

from keras_bert import plots


def drawn(history, name):
    """Returns the axis on which a measure was drawn, and its lines as lists of points."""
    axis = matplotlib.figure.Figure().subplots()
    plots._curve(axis, history, name)
    return axis, [list(zip(*line.get_data(), strict=True)) for line in axis.lines]


def test_a_history_of_keras_is_drawn_over_its_epochs():
    axis, lines = drawn({"loss": [3.0, 2.0], "val_loss": [4.0, 2.5]}, "loss")
    assert lines == [[(1, 3.0), (2, 2.0)], [(1, 4.0), (2, 2.5)]]
    assert axis.get_xlabel() == "epoch" and axis.get_yscale() == "linear"


def test_a_run_is_drawn_over_its_steps_without_what_is_no_number():
    history = {
        "step": [10, 20, 30],
        "loss": [3.0, float("nan"), 1.0],
        "val_loss": [None, 2.0, None],
    }
    axis, lines = drawn(history, "loss")
    assert lines == [[(10, 3.0), (30, 1.0)], [(20, 2.0)]]
    assert axis.get_xlabel() == "step"


@pytest.mark.parametrize(
    ("column", "scale"), [([900.0, 8.0], "log"), ([20.0, 8.0], "linear"), ([None], "linear")]
)
def test_perplexity_that_falls_far_is_drawn_on_a_logarithmic_scale(column, scale):
    axis, _ = drawn({"masked_lm_perplexity": column}, "masked_lm_perplexity")
    assert axis.get_yscale() == scale


def test_many_points_have_no_marks():
    for points, marker in ((40, "."), (41, "None")):
        axis, _ = drawn({"loss": list(np.linspace(3, 1, points))}, "loss")
        assert axis.lines[0].get_marker() == marker


def test_a_picture_is_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "curves.png"
    history = {"step": [1, 2], "epoch": [1, 2], "loss": [2.0, 1.0], "minutes_left": [1.0, 0.0]}
    plots.curves(history, path)
    before = path.read_bytes()
    assert before.startswith(b"\x89PNG")

    def full(self, name, **options):
        with open(name, "wb") as file:
            file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", full)
    with pytest.raises(OSError, match="No space left"):
        plots.curves(history, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.png"]


def test_an_empty_history_is_refused(tmp_path):
    with pytest.raises(ValueError, match="train for an epoch first"):
        plots.curves({"step": [], "minutes_left": []}, tmp_path / "curves.png")
