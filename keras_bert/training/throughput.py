"""Real tokens per second while training."""

import time

import keras


class Throughput(keras.callbacks.Callback):
    """Shows real tokens per second, padding not counted, in the progress bar and the history.

    Every model here counts its real tokens (`real_tokens` among the logs); this callback divides
    them by the time they took. The first step of a `fit` is left out: it compiles.

    Example:
        >>> model.fit(data, steps_per_epoch=100, callbacks=[Throughput()])
        ... 100/100 - loss: 9.1 - tokens_per_second: 51200
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._start = None

    def on_train_batch_end(self, batch, logs=None):
        tokens = logs.pop("real_tokens")
        if self._start is None:
            self._start = (time.perf_counter(), tokens)
        else:
            self._add(logs, tokens)

    def on_epoch_end(self, epoch, logs=None):
        tokens = logs.pop("real_tokens")
        logs.pop("val_real_tokens", None)
        if self._start[1] != tokens:
            logs["tokens_per_second"] = self._rate

    def _add(self, logs, tokens):
        seconds = time.perf_counter() - self._start[0]
        self._rate = (tokens - self._start[1]) / max(seconds, 1e-9)
        logs["tokens_per_second"] = self._rate
