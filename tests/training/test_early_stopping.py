"""The end of training by a measure, and the weights of its best epoch."""

import numpy as np
import pytest
from training.tuned import classifier, dataset

import keras_bert as kb


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_the_best_epoch_is_given_back(monitor):
    """Random labels that the training set does not share: more training makes the rest worse."""
    model = classifier()
    model.compile(kb.optimizers.adamw(2e-2), **kb.losses.classification())
    stopping = kb.EarlyStopping(monitor, patience=3)
    dev = dataset(24, seed=5)
    history = model.fit(
        dataset(16), validation_data=dev, epochs=40, callbacks=[stopping], verbose=0
    ).history[monitor]
    best = int(np.argmin(history) if monitor == "val_loss" else np.argmax(history))
    assert len(history) == best + 1 + 3 < 40 and stopping.best_epoch == best
    assert history[best] != history[-1]
    logs = model.evaluate(dev, verbose=0, return_dict=True)
    assert logs[monitor.removeprefix("val_")] == pytest.approx(history[best], rel=1e-6)


def test_all_epochs_end_with_the_best_weights_too():
    model = classifier()
    model.compile(kb.optimizers.adamw(0.3), **kb.losses.classification())
    dev = dataset(24, seed=5)
    stopping = kb.EarlyStopping(patience=9)
    losses = model.fit(
        dataset(16), validation_data=dev, epochs=3, callbacks=[stopping], verbose=0
    ).history["val_loss"]
    assert len(losses) == 3 and np.argmin(losses) < 2
    assert model.evaluate(dev, verbose=0, return_dict=True)["loss"] == pytest.approx(min(losses))


def test_directions():
    for name in ("val_loss", "val_masked_lm_loss", "val_mean_absolute_error", "val_perplexity"):
        assert kb.EarlyStopping(name).mode == "min"
    for name in ("val_accuracy", "val_micro_f1", "val_recall_at_1"):
        assert kb.EarlyStopping(name).mode == "max"


def test_errors():
    model = classifier()
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    with pytest.raises(
        ValueError, match=r"'val_f1' is not among the measures accuracy, .*val_loss"
    ):
        model.fit(
            dataset(8),
            validation_data=dataset(8),
            callbacks=[kb.EarlyStopping("val_f1")],
            verbose=0,
        )
    with pytest.raises(ValueError, match="there is no validation data"):
        model.fit(dataset(8), callbacks=[kb.EarlyStopping("val_loss")], verbose=0)
    with pytest.raises(ValueError, match="at least 1; received 0"):
        kb.EarlyStopping(patience=0)
