"""How fast training goes: real tokens per second, share of the arithmetic peak, time left."""

import time

import keras

from keras_bert.training.arithmetic import useful_flops
from keras_bert.training.peak import training_peak
from keras_bert.training.step_count import steps_taken

# What models count for this callback; no measure of the model.
COUNTS = ("real_tokens", "masked_tokens")


class Throughput(keras.callbacks.Callback):
    """Shows in the progress bar and the history how fast training goes and how long it lasts.

    `tokens_per_second`: real tokens, padding not counted, over the time they took. The first step
    of an epoch is left out: in the first epoch it compiles, in the later ones it waits for the
    data to start. `share_of_peak`: useful arithmetic (`training.arithmetic`) over the peak of all
    devices (`training.peak`: a table of GPUs and TPUs; a CPU is measured once, by a matrix product
    in the layers' dtype). `minutes_left`: by the mean time of a step of this `fit` so far,
    validation included.

    Steps that a resumed run passes over, because they were trained before, count for nothing: an
    epoch's clock starts with the first step that moves the optimizer.

    Args:
        total_steps: int or None, the optimizer's step at which training ends if that is before the
            last epoch does, as with `StopAfter`. Default None.
        peak: float or None, FLOP/s of all devices together. Default None: looked up or measured.

    Example:
        >>> model.fit(data, steps_per_epoch=100, callbacks=[Throughput()])
        ... 100/100 - loss: 9.1 - minutes_left: 0.4 - share_of_peak: 0.62 - tokens_per_second: 51200
    """

    def __init__(self, total_steps=None, peak=None):
        super().__init__()
        self.total_steps = total_steps
        self.peak = peak

    def on_train_begin(self, logs=None):
        # Asked once: on JAX every look at `model` in a callback costs the next step some time.
        model = self.model
        self._config = model.config
        self._peak = training_peak(model) if self.peak is None else self.peak
        self._replicas = 1
        if keras.backend.backend() == "tensorflow":
            self._replicas = model.distribute_strategy.num_replicas_in_sync
        self._origin = None  # time and steps trained when the first step of this fit was done
        self._trained = 0
        self._steps = self.params.get("steps")

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._batch = -1
        self._before = self._start = None
        self._is_training = False
        self._rates = {}

    def on_train_batch_begin(self, batch, logs=None):
        # By now every other callback has restored what it restores.
        if self._before is None:
            self._before = steps_taken(self.model)

    def on_train_batch_end(self, batch, logs=None):
        steps, self._batch = batch - self._batch, batch
        # Until the epoch ends Keras logs the mean over the replicas of a strategy, not the sum.
        counts = [logs.pop(name, 0.0) * self._replicas for name in COUNTS]
        if not self._has_moved() or not counts[0]:
            return
        now = time.perf_counter()
        self._trained += steps
        if self._origin is None:
            self._origin = (now, self._trained)
        if self._start is None:
            self._start = (now, counts)
            return
        seconds = max(now - self._start[0], 1e-9)
        tokens, masked = (
            count - first for count, first in zip(counts, self._start[1], strict=True)
        )
        self._rates = {"tokens_per_second": tokens / seconds}
        if self._peak:
            flops = useful_flops(self._config, tokens, masked)
            self._rates["share_of_peak"] = flops / seconds / self._peak
        left = self._steps_left()
        if left is not None:
            step = (now - self._origin[0]) / (self._trained - self._origin[1])
            self._rates["minutes_left"] = left * step / 60
        logs.update(self._rates)

    def on_epoch_end(self, epoch, logs=None):
        self._steps = self._steps or self._batch + 1
        for name in COUNTS:
            logs.pop(name, None)
            logs.pop(f"val_{name}", None)
        logs.update(self._rates)

    def _has_moved(self):
        """Whether the optimizer has moved in this epoch; asked of the device until it has."""
        if not self._is_training:
            self._is_training = steps_taken(self.model) > self._before
            if self._is_training and self._origin is None:
                # The optimizer's step when this fit had trained none.
                self._first = self._before
        return self._is_training

    def _steps_left(self):
        """The number of steps still to come, or None as long as no one knows it."""
        ends = []
        if self._steps:
            ends.append((self.params["epochs"] - self._epoch) * self._steps - self._batch - 1)
        if self.total_steps is not None:
            ends.append(self.total_steps - self._first - self._trained)
        return max(min(ends), 0) if ends else None
