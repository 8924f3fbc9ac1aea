"""Finding a learning rate: a short training whose rate rises from step to step."""

import contextlib
import math
from typing import NamedTuple

import keras
import numpy as np

from keras_bert.training.distribution import num_workers
from keras_bert.training.state import read_state, write_state

# The test is over where the loss is this many times the lowest one, both smoothed.
_DIVERGED = 4.0
# What the running mean that is watched for it keeps of itself.
_KEPT = 0.8
_GROUPS = ("model", "metrics")


class FoundRate(NamedTuple):
    """What `find_learning_rate` finds.

    `rates`: list of float, the learning rate of each step; `losses`: list of float, the loss of its
    batch before the step; `smoothed`: list of float, their means over neighbouring steps;
    `suggestion`: float, a tenth of the rate at which `smoothed` is lowest.
    """

    rates: list
    losses: list
    smoothed: list
    suggestion: float


def find_learning_rate(model, data, lowest=1e-7, highest=1.0, steps=100, **fit_options):
    """Trains for some steps with a rising learning rate, to see which rates a model can take.

    The rate rises by the same factor from step to step, until the loss is four times its lowest
    value, is not finite, or the steps are over. Where it is too small nothing is learned, where it
    is too large the loss rises. Suggested is a tenth of the rate of the lowest smoothed loss: a
    peak for `kb.optimizers.adamw(rate, warmup_steps=..., total_steps=...)`. Look at the curve: one
    that never falls suggests nothing. Source: Smith 2015, https://arxiv.org/abs/1506.01186, section
    3.3, the learning-rate range test.

    Weights, dropout's seeds, the optimizer and its moments are afterwards what they were before;
    data with `set_epoch` begins again at its first epoch.

    Args:
        model: a compiled model; the test has an optimizer of the same settings but the rate.
        data: what `fit` takes as its first argument; it is gone through again as often as needed.
        lowest, highest: float, the first and the last rate. Defaults 1e-7 and 1.0.
        steps: int, at least 10. Default 100.
        **fit_options: others of `BertModel.fit`, such as `r_drop`, `fgm` or `micro_batches`.

    Returns:
        `FoundRate`; `kb.plots.learning_rates` draws it.

    Raises:
        ValueError: rates that do not rise, too few steps, a model that is not compiled; Keras does
            not run on TensorFlow; several workers; or the loss was never finite.

    Example:
        >>> model.compile(kb.optimizers.adamw(3e-5), **kb.losses.classification())
        >>> found = kb.find_learning_rate(model, train)
        >>> kb.plots.learning_rates(found, "learning_rate.png")
        >>> model.compile(kb.optimizers.adamw(found.suggestion), **kb.losses.classification())
    """
    _check(model, lowest, highest, steps)
    own, state = model.optimizer, read_state(model, _GROUPS)
    test = _RangeTest(steps)
    try:
        with model.distribute_strategy.scope():
            model.optimizer = _with_rising_rate(own, lowest, highest, steps)
        model.train_function = None  # a compiled step knows its optimizer
        with contextlib.suppress(FloatingPointError):
            # As many passes as it takes: the test ends itself.
            model.fit(data, epochs=steps, verbose=0, callbacks=[test], **fit_options)
    finally:
        model.optimizer, model.train_function, model.stop_training = own, None, False
        write_state(model, state, _GROUPS)
        if hasattr(data, "set_epoch"):
            data.set_epoch(0)
    losses = test.losses
    if not losses:
        raise ValueError(
            f"find_learning_rate: the loss is not finite at the first step, of rate {lowest}; look "
            "at the data and the model"
        )
    rates = [lowest * (highest / lowest) ** (step / (steps - 1)) for step in range(len(losses))]
    smoothed = _smoothed(losses, reach=max(1, steps // 20))
    best = int(np.argmin(smoothed))
    return FoundRate(rates, losses, smoothed, rates[best] / 10)


class _RangeTest(keras.callbacks.Callback):
    """Keeps the loss of each batch, and ends the training where it has risen or is over."""

    def __init__(self, steps):
        super().__init__()
        self.steps, self.losses, self._mean, self._lowest = steps, [], 0.0, math.inf

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # the loss is then this batch's

    def on_train_batch_end(self, batch, logs=None):
        # Not that of the logs: a mean over replicas, whatever their rows.
        self.losses.append(float(self.model.get_metrics_result()["loss"]))
        self._mean = _KEPT * self._mean + (1 - _KEPT) * self.losses[-1]
        mean = self._mean / (1 - _KEPT ** len(self.losses))  # the first ones weigh as much
        self._lowest = min(self._lowest, mean)
        if len(self.losses) == self.steps or mean > _DIVERGED * self._lowest > 0:
            self.model.stop_training = True


def _with_rising_rate(optimizer, lowest, highest, steps):
    """A new optimizer of the same settings."""
    config = optimizer.get_config()
    # "Decay" by a factor above 1.
    config["learning_rate"] = keras.optimizers.schedules.ExponentialDecay(
        lowest, decay_steps=steps - 1, decay_rate=highest / lowest
    )
    if "on_nonfinite" in config:
        config["on_nonfinite"] = "stop"
    return type(optimizer).from_config(config)


def _smoothed(losses, reach):
    """The mean of each loss and of `reach` on either side, fewer at the ends."""
    return [
        float(np.mean(losses[max(0, step - reach) : step + reach + 1]))
        for step in range(len(losses))
    ]


def _check(model, lowest, highest, steps):
    if not 0 < lowest < highest or steps < 10:
        raise ValueError(
            "find_learning_rate: expected 0 < lowest < highest and 10 steps or more; received "
            f"lowest={lowest}, highest={highest}, steps={steps}"
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            "find_learning_rate: expected a compiled model, in float16 with "
            "kb.optimizers.adamw(..., loss_scale='dynamic'); received one with the optimizer "
            f"{type(optimizer).__name__}"
        )
    if keras.backend.backend() != "tensorflow" or num_workers() > 1:
        raise ValueError(
            "find_learning_rate: runs on TensorFlow and one worker; Keras runs on "
            f"{keras.backend.backend()}, with {num_workers()} workers. Find the rate by itself"
        )
