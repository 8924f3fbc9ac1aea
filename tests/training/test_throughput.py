"""Throughput: real tokens by a clock, in the history."""

import types

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import throughput
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
    assert set(history) == {
        "accuracy",
        "loss",
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
