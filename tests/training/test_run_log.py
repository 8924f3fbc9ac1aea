"""The run's folder: each file says what the history says, once, also after a kill."""

import json
import logging

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import run_log
from keras_bert.training.csv_log import CSVLog

CONFIG = kb.BertConfig(
    vocabulary_size=9, num_layers=1, hidden_dim=4, num_heads=2, max_sequence_length=8
)


def data(seed=0):
    rng = np.random.default_rng(seed)
    real = (np.arange(8) < rng.integers(2, 9, 10)[:, None]).astype("int32")
    ids = real * rng.integers(1, 9, real.shape)
    inputs = {"token_ids": ids, "segment_ids": 0 * real, "padding_mask": real}
    return inputs, {"classification": rng.integers(0, 2, 10)}


def fit(folder, seed=0, before=(), callbacks=(), **options):
    """Trains in epochs of five steps; returns Keras's history and the callback."""
    keras.utils.set_random_seed(seed)
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.compile(
        optimizer=kb.optimizers.adamw(1e-2, warmup_steps=2, total_steps=20),
        **kb.losses.classification(),
    )
    log = kb.RunLog(folder, peak=1e12)
    options = {"epochs": 3, "validation_data": data(1), **options}
    inputs, labels = data()
    history = model.fit(
        inputs, labels, batch_size=2, verbose=0, callbacks=[*before, log, *callbacks], **options
    ).history
    return history, log


class TakenUp(keras.callbacks.Callback):
    """Begins at a step, as a resumed run does, and passes over the first ones of its epoch."""

    def __init__(self, step, passed_over=0):
        super().__init__()
        self.step = step
        self.left = passed_over

    def on_epoch_begin(self, epoch, logs=None):
        if self.step:
            self.model.optimizer.iterations.assign(self.step)
            self.step = None
            self.model.test_on_batch(*data())  # makes the metrics, as writing them back does
            self.train, self.model.train_function = self.model.train_function, self.train_step

    def train_step(self, iterator):
        if not self.left:
            return self.train(iterator)
        self.left -= 1
        next(iterator)
        return {"loss": 9.0, "real_tokens": 50.0}


def events(folder, part):
    """Reads all scalars as TensorBoard does: name -> list of (step, value)."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = accumulator.EventAccumulator(str(folder / "tensorboard" / part))
    reader.Reload()
    return {
        name: [(event.step, event.value) for event in reader.Scalars(name)]
        for name in reader.Tags()["scalars"]
    }


def test_every_file_holds_the_history(tmp_path):
    history, log = fit(tmp_path)
    assert len(history["loss"]) == len(set(history["loss"])) == 3
    assert {"val_accuracy", "tokens_per_second", "share_of_peak", "minutes_left"} <= set(history)
    # Warm-up over 2 of 20 steps, then down to 0.
    assert history["learning_rate"] == pytest.approx([1e-2 * left / 18 for left in (15, 10, 5)])
    assert log.history == {"step": [5, 10, 15], "epoch": [1, 2, 3], **history}
    assert json.loads((tmp_path / "history.json").read_text()) == log.history

    names, *rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()]
    assert names == list(log.history)
    assert [[float(value) for value in row] for row in rows] == [
        list(row) for row in zip(*log.history.values(), strict=True)
    ]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "curves.png",
        "history.json",
        "log.csv",
        "tensorboard",
    ]
    train, validation = events(tmp_path, "train"), events(tmp_path, "validation")
    assert {*train, *(f"val_{name}" for name in validation)} == set(history)
    for name, column in history.items():
        found = validation[name[4:]] if name.startswith("val_") else train[name]
        assert found == [(5 * i, np.float32(v)) for i, v in enumerate(column, start=1)]


def test_a_resumed_run_has_each_epoch_once(tmp_path):
    first, _ = fit(tmp_path)
    with open(tmp_path / "log.csv", "a") as file:
        file.write("20,4,0.12")  # torn by a kill
    # The last whole checkpoint was that of step 7: rows and points of 10 and 15 are written anew.
    second, log = fit(tmp_path, seed=1, callbacks=[TakenUp(7)], initial_epoch=1)
    assert log.history["step"] == [5, 12, 17] and log.history["epoch"] == [1, 2, 3]
    assert second["loss"] != first["loss"][1:]
    for name in ("loss", "val_loss", "learning_rate"):
        assert log.history[name] == [first[name][0], *second[name]]
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert json.loads((tmp_path / "history.json").read_text()) == log.history
    found = events(tmp_path, "train")["loss"]
    assert [step for step, _ in found] == [5, 12, 17]
    assert [value for _, value in found] == pytest.approx(log.history["loss"])


def test_an_epoch_that_was_over_is_not_written_again(tmp_path):
    first, _ = fit(tmp_path, epochs=1)
    _, log = fit(tmp_path, seed=1, callbacks=[TakenUp(5, passed_over=5)])
    assert log.history["step"] == [5, 10, 15]
    for name in ("loss", "tokens_per_second"):
        assert log.history[name][0] == first[name][0]
    assert [step for step, _ in events(tmp_path, "train")["loss"]] == [5, 10, 15]


def test_a_run_from_step_0_begins_anew(tmp_path):
    fit(tmp_path)
    history, log = fit(tmp_path, seed=1, epochs=2, validation_data=None)
    assert log.history == {"step": [5, 10], "epoch": [1, 2], **history}
    assert events(tmp_path, "validation") == {}
    assert [step for step, _ in events(tmp_path, "train")["loss"]] == [5, 10]


def test_values_that_some_epochs_lack_or_that_are_not_finite(tmp_path):
    class Odd(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["loss"] = float("nan")

    history, log = fit(tmp_path, before=[Odd()], validation_freq=2)
    assert log.history["val_loss"] == [None, *history["val_loss"], None]
    assert np.isnan(log.history["loss"][1])
    loss = json.loads((tmp_path / "history.json").read_text())["loss"]
    assert loss == [history["loss"][0], None, history["loss"][2]]  # JSON has no nan
    again = CSVLog(str(tmp_path / "log.csv"), start=10)
    np.testing.assert_equal(again.columns()["loss"], log.history["loss"][:2])
    again.add({"step": 12, "epoch": 3, "loss": float("inf")})
    again.add({"step": 12, "epoch": 3, "loss": float("inf"), "new": 0.1})
    again = CSVLog(str(tmp_path / "log.csv"), start=12)
    np.testing.assert_equal(again.columns()["loss"], [*log.history["loss"][:2], float("inf")])
    assert again.columns()["new"] == [None, None, 0.1]


def test_only_the_chief_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(run_log, "is_chief", lambda: False)
    history, _ = fit(tmp_path / "run", epochs=1)
    assert "tokens_per_second" in history and "learning_rate" in history
    assert not (tmp_path / "run").exists()


def test_two_of_them_show_the_same_once(tmp_path):
    history, log = fit(tmp_path, callbacks=[kb.Throughput()], epochs=1)
    assert "real_tokens" not in history and "real_tokens" not in log.history
    assert history["tokens_per_second"] == log.history["tokens_per_second"]


def test_another_file_of_this_name_is_left_alone(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.0\n")
    with pytest.raises(ValueError, match=r"log\.csv: expected .* first line is 'epoch,loss'"):
        fit(tmp_path)
    assert (tmp_path / "log.csv").read_text() == "epoch,loss\n0,1.0\n"


def test_a_run_goes_on_without_matplotlib(tmp_path, monkeypatch, caplog):
    def missing(*_):
        raise ImportError("pictures need matplotlib")

    monkeypatch.setattr(run_log.plots, "curves", missing)
    with caplog.at_level(logging.WARNING, "keras_bert"):
        _, log = fit(tmp_path, epochs=2)
    assert caplog.text.count("pictures need matplotlib") == 1
    assert log.history["step"] == [5, 10]
