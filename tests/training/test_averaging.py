"""Running averages of the weights against NumPy, measured and given back."""

import keras
import numpy as np
import pytest
from training.tuned import classifier, dataset, weights_of

import keras_bert as kb


class Recorder(keras.callbacks.Callback):
    """The weights after each step, and at the end of each epoch, as it finds them."""

    def on_train_begin(self, logs=None):
        self.steps, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(self.model.get_weights())


def averages(steps, keep=0.8):
    result, found = steps[0], [steps[0]]
    for weights in steps[1:]:
        result = [keep * old + (1 - keep) * new for old, new in zip(result, weights, strict=True)]
        found.append(result)
    return found


def close(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


def compiled(average):
    model = classifier()
    model.compile(kb.optimizers.adamw(2e-2, average=average), **kb.losses.classification())
    return model


def test_the_model_ends_with_averages_that_were_measured():
    plain, model = compiled(None), compiled(0.8)
    data, dev = dataset(24), dataset(24, seed=5)
    alone, recorder = Recorder(), Recorder()
    plain.fit(data, epochs=3, callbacks=[alone], verbose=0)
    history = model.fit(
        data,
        epochs=3,
        validation_data=dev,
        callbacks=[kb.AveragedWeights(), recorder],
        verbose=0,
    ).history["val_loss"]
    # Training itself is as without, bit for bit.
    for one, other in zip(alone.steps, recorder.steps, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    expected = averages(recorder.steps)[2::3]
    for found, wanted, loss in zip(recorder.epochs, expected, history, strict=True):
        close(found, wanted)
        plain.set_weights(found)
        logs = plain.evaluate(dev, verbose=0, return_dict=True)
        assert logs["loss"] == pytest.approx(loss, rel=1e-5)
    close(model.get_weights(), expected[-1])
    last = zip(expected[-1], recorder.steps[-1], strict=True)
    assert max(np.abs(a - b).max() for a, b in last) > 0.01


def test_early_stopping_keeps_the_best_averages():
    model, recorder = compiled(0.8), Recorder()
    stopping = kb.EarlyStopping(patience=2)
    losses = model.fit(
        dataset(16),
        epochs=30,
        validation_data=dataset(24, seed=5),
        callbacks=[kb.AveragedWeights(), recorder, stopping],
        verbose=0,
    ).history["val_loss"]
    assert len(losses) == np.argmin(losses) + 1 + 2
    close(model.get_weights(), averages(recorder.steps)[1::2][int(np.argmin(losses))])


def test_without_the_callback_and_with_a_weight_that_has_no_gradient():
    """The pooler of a tagger: averages keep to their own weights."""
    keras.utils.set_random_seed(0)
    model = kb.BertTokenClassifier(classifier().backbone, ["a", "b"])
    model.compile(kb.optimizers.adamw(2e-2, average=0.8), **kb.losses.token_classification())
    data = dataset(16).map(lambda x, y, w: (x, {"token_classification": x["token_ids"] % 2}))
    recorder, before = Recorder(), weights_of(model)
    model.fit(data, epochs=2, callbacks=[recorder], verbose=0)
    close(model.get_weights(), averages(recorder.steps)[-1])
    assert any("pooler" in path for path in before)


def test_errors():
    for wrong in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1, or None"):
            kb.optimizers.adamw(1e-3, average=wrong)
    with pytest.raises(ValueError, match="keeps no averages"):
        compiled(None).fit(dataset(8), callbacks=[kb.AveragedWeights()], verbose=0)
