"""Throughput: tokens by a clock, the share of the peak, and the time left."""

import types

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import throughput
from keras_bert.training.peak import training_peak
from keras_bert.training.stopping import StopAfter

CONFIG = kb.BertConfig(
    vocabulary_size=9, num_layers=1, hidden_dim=4, num_heads=2, max_sequence_length=8
)
LENGTHS = np.array([8, 8, 1, 2, 3, 4, 5, 5, 7, 1])


def inputs():
    real = (np.arange(8) < LENGTHS[:, None]).astype("int32")
    return {"token_ids": 3 * real, "segment_ids": 0 * real, "padding_mask": real}


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by 1, 2, 3, ... seconds from reading to reading."""
    readings = iter(np.cumsum(np.arange(100.0)))
    fake = types.SimpleNamespace(perf_counter=lambda: float(next(readings)))
    monkeypatch.setattr(throughput, "time", fake)


def test_counts_real_tokens_only(clock):
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.compile(optimizer="sgd", **kb.losses.classification())
    labels = {"classification": np.arange(10) % 2}
    history = model.fit(
        inputs(),
        labels,
        validation_data=(inputs(), labels),
        batch_size=2,
        shuffle=False,
        epochs=2,
        verbose=0,
        callbacks=[kb.Throughput()],
    ).history
    # Five batches of 16, 3, 7, 10 and 8 tokens; the first only starts the clock. The readings lie
    # 1 + 2 + 3 + 4 seconds apart in the first epoch, 6 + 7 + 8 + 9 in the second.
    assert history["tokens_per_second"] == pytest.approx([28 / 10, 28 / 30])
    assert "real_tokens" not in history and "val_real_tokens" not in history
    # Six parameters' worth: 4 x 4 x 4 in the attention, 2 x 4 x 16 in the feed-forward part.
    flops = [6 * 192 * 28 / 10, 6 * 192 * 28 / 30]
    peak = training_peak(model)
    assert history["share_of_peak"] == pytest.approx([flop / peak for flop in flops])
    # After the first epoch 5 steps are left, and 4 steps took 1 + 2 + 3 + 4 seconds.
    assert history["minutes_left"] == pytest.approx([5 * (10 / 4) / 60, 0])
    assert set(history) == {
        "accuracy",
        "loss",
        "minutes_left",
        "share_of_peak",
        "tokens_per_second",
        "val_accuracy",
        "val_loss",
    }

    # One step an epoch leaves nothing to measure.
    history = model.fit(inputs(), labels, verbose=0, callbacks=[kb.Throughput()]).history
    assert set(history) == {"accuracy", "loss"}


def test_stop_after_ends_in_the_middle_of_an_epoch_and_still_validates():
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.compile(optimizer="sgd", **kb.losses.classification())
    labels = {"classification": np.arange(10) % 2}
    history = model.fit(
        inputs(),
        labels,
        validation_data=(inputs(), labels),
        batch_size=2,
        epochs=3,
        verbose=0,
        callbacks=[StopAfter(7)],
    ).history
    assert int(model.optimizer.iterations) == 7
    assert len(history["loss"]) == len(history["val_loss"]) == 2


def test_masked_tokens_count_for_the_head(clock):
    model = kb.BertMaskedLM(kb.BertBackbone(CONFIG))
    model.compile(optimizer="sgd", **kb.losses.masked_lm())
    positions = np.zeros((10, 3), "int32")
    positions[[2, 4, 4, 9], [0, 0, 1, 0]] = 1  # the first batch's two rows have none
    history = model.fit(
        {**inputs(), "mask_positions": positions},
        {"masked_lm": positions},
        sample_weight={"masked_lm": (positions > 0).astype("float32")},
        batch_size=2,
        shuffle=False,
        verbose=0,
        callbacks=[kb.Throughput(peak=1e6)],
    ).history
    head = 4 * 4 + 4 * 9
    assert history["share_of_peak"] == pytest.approx([6 * (192 * 28 + head * 4) / 10 / 1e6])
    assert "masked_tokens" not in history


class TakenUp(keras.callbacks.Callback):
    """What resuming does: `done` steps lie behind, and those of the first epoch are passed over."""

    def __init__(self, done, passed_over):
        super().__init__()
        self.done, self.left = done, passed_over

    def on_train_begin(self, logs=None):
        self.model.optimizer.iterations.assign(self.done)
        train = self.model.train_function

        def step(iterator):
            if not self.left:
                return train(iterator)
            self.left -= 1
            next(iterator)
            return {"loss": 0.5, "real_tokens": 1e6}

        self.model.train_function = step

    def on_epoch_begin(self, epoch, logs=None):
        if self.left:
            self.model.real_tokens.total.assign(1e6)


class Shown(keras.callbacks.Callback):
    """Keeps what the progress bar is given."""

    def on_train_begin(self, logs=None):
        self.minutes, self.rates = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.minutes.append(logs.get("minutes_left"))
        self.rates.append(logs.get("tokens_per_second"))


@pytest.mark.parametrize("place", [0, 2])
def test_time_left_after_a_resume_in_the_middle_of_an_epoch(clock, place):
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.compile(optimizer="sgd", **kb.losses.classification())
    shown = Shown()
    callbacks = [kb.Throughput(peak=1e9), shown]
    callbacks.insert(place, TakenUp(done=7, passed_over=2))
    model.fit(
        inputs(),
        {"classification": np.arange(10) % 2},
        batch_size=2,
        shuffle=False,
        initial_epoch=1,
        epochs=3,
        verbose=0,
        callbacks=callbacks,
    )
    # Steps 8, 9 and 10 are trained in the first epoch here; 8 only starts the clock.
    left = [None, None, None, 6 * 1 / 60, 5 * (3 / 2) / 60]
    # In the next the first step, 3 seconds later, starts that epoch's clock.
    left += [None, 3 * (10 / 4) / 60, 2 * (15 / 5) / 60, 1 * (21 / 6) / 60, 0]
    assert shown.minutes == pytest.approx(left)
    assert shown.rates[3:5] == pytest.approx([10 / 1, (10 + 8) / 3])
    assert int(model.optimizer.iterations) == 15


def test_time_left_ends_at_the_last_step_asked_for(clock):
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.compile(optimizer="sgd", **kb.losses.classification())
    labels = {"classification": np.arange(10) % 2}
    model.fit(inputs(), labels, batch_size=2, verbose=0)  # five steps behind it
    shown = Shown()
    model.fit(
        inputs(),
        labels,
        batch_size=2,
        epochs=3,
        verbose=0,
        callbacks=[kb.Throughput(total_steps=12, peak=1e9), shown, StopAfter(12)],
    )
    minutes = [None, 5 * 1, 4 * (3 / 2), 3 * (6 / 3), 2 * (10 / 4), None, 0]
    assert [m and 60 * m for m in shown.minutes] == pytest.approx(minutes)
