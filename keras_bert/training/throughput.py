"""Real tokens per second while training."""

import time

import keras


class Throughput(keras.callbacks.Callback):
    """Shows real tokens per second, padding not counted, in the progress bar and the history.

    Every model here counts its real tokens (`real_tokens` among the logs); this callback divides
    them by the time they took. The first step of an epoch is left out: in the first epoch it
    compiles, in the later ones it waits for the data to start.

    Example:
        >>> model.fit(data, steps_per_epoch=100, callbacks=[Throughput()])
        ... 100/100 - loss: 9.1 - tokens_per_second: 51200
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._start = self._rate = None

    def on_train_batch_end(self, batch, logs=None):
        # Until the epoch ends Keras logs the mean over the replicas of a strategy, not the sum.
        tokens = logs.pop("real_tokens") * self._replicas()
        now = time.perf_counter()
        if self._start is None:
            self._start = (now, tokens)
            return
        self._rate = (tokens - self._start[1]) / max(now - self._start[0], 1e-9)
        logs["tokens_per_second"] = self._rate

    def on_epoch_end(self, epoch, logs=None):
        logs.pop("real_tokens")
        logs.pop("val_real_tokens", None)
        if self._rate is not None:
            logs["tokens_per_second"] = self._rate

    def _replicas(self):
        if keras.backend.backend() != "tensorflow":
            return 1
        return self.model.distribute_strategy.num_replicas_in_sync
