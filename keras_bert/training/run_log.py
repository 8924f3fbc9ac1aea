"""A run's folder of figures: log.csv, history.json, TensorBoard's events, curves.png."""

import json
import logging
import math
import os
import time

import keras
from keras import ops

from keras_bert import plots
from keras_bert.text.files import write_atomically
from keras_bert.training.csv_log import CSVLog
from keras_bert.training.distribution import is_chief
from keras_bert.training.event_files import EventFile
from keras_bert.training.step_count import steps_taken
from keras_bert.training.throughput import COUNTS, Throughput


class RunLog(keras.callbacks.Callback):
    """Writes what an epoch gave to a folder, and goes on there when a run is resumed.

    | file | what is in it |
    |---|---|
    | `log.csv` | a row an epoch: `step` (the optimizer's), `epoch` (1 = the first), measures |
    | `history.json` | the same as columns: name -> list; `null` where an epoch has no value |
    | `tensorboard/` | `train` and `validation` as two runs, over the optimizer's step |
    | `curves.png` | the curves over steps; needs the extra `plots` |

    Beside the measures there are `learning_rate` (of the next step) and what `Throughput` shows,
    which this callback holds: there is no need for another. When training begins, rows behind the
    optimizer's step are cut, so a run that was killed and resumed has each epoch once, and a run
    from step 0 begins its files anew. JSON and PNG are replaced whole; a row of the CSV that a
    kill tore is cut. Under a strategy with several workers only the chief writes.

    Args:
        directory: str or path-like, the run's folder; made as needed.
        total_steps, peak: as in `Throughput`.
        tensorboard: bool, whether events are written. Default True.

    Raises:
        ValueError: the folder holds a log.csv of something else.
        OSError: the folder may not be written, or the disk is full.

    Example:
        >>> log = RunLog("runs/tiny")
        >>> model.fit(data, steps_per_epoch=1_000, epochs=100, callbacks=[log])
        >>> log.history["loss"][-1]  # of all epochs since step 0, resumed or not
        2.31
    """

    def __init__(self, directory, total_steps=None, peak=None, tensorboard=True):
        super().__init__()
        self.directory = os.fspath(directory)
        self.tensorboard = tensorboard
        self.history = {}
        self._throughput = Throughput(total_steps, peak)
        self._plots_missing = False

    # Keras sets these on the callbacks of its own list only.
    def set_model(self, model):
        super().set_model(model)
        self._throughput.set_model(model)

    def set_params(self, params):
        super().set_params(params)
        self._throughput.set_params(params)

    def on_train_begin(self, logs=None):
        self._throughput.on_train_begin(logs)
        self._csv = self._events = None
        self._next_drawing = 0.0
        self._is_drawn = True

    def on_epoch_begin(self, epoch, logs=None):
        self._throughput.on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self._throughput.on_train_batch_begin(batch, logs)
        if self._csv is None and is_chief():
            # By now every other callback has restored what it restores.
            self._open(steps_taken(self.model))

    def on_train_batch_end(self, batch, logs=None):
        self._throughput.on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._throughput.on_epoch_end(epoch, logs)
        rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        logs["learning_rate"] = rate
        if self._csv is None:
            return
        step = steps_taken(self.model)
        if step == self._start and self._csv.has(step):
            return  # an epoch that was over before this start
        measures = {name: float(value) for name, value in logs.items() if name not in COUNTS}
        self._csv.add({"step": step, "epoch": epoch + 1, **measures})
        self._write_history()
        training = {k: v for k, v in measures.items() if not k.startswith("val_")}
        held_out = {k.removeprefix("val_"): v for k, v in measures.items() if k not in training}
        for part, scalars in (("train", training), ("validation", held_out)):
            if self._events and scalars:
                self._events[part].add(step, scalars)
        self._is_drawn = False
        if time.monotonic() > self._next_drawing:
            self._draw()

    def on_train_end(self, logs=None):
        if not self._is_drawn:
            self._draw()
        for events in (self._events or {}).values():
            events.close()

    def _open(self, start):
        self._start = start
        os.makedirs(self.directory, exist_ok=True)
        self._csv = CSVLog(os.path.join(self.directory, "log.csv"), start)
        self._write_history()
        if self.tensorboard:
            folder = os.path.join(self.directory, "tensorboard")
            self._events = {
                part: EventFile(os.path.join(folder, part), start)
                for part in ("train", "validation")
            }

    def _write_history(self):
        self.history = self._csv.columns()
        # JSON has no numbers that are not finite.
        plain = {
            name: [v if v is not None and math.isfinite(v) else None for v in column]
            for name, column in self.history.items()
        }
        path = os.path.join(self.directory, "history.json")
        write_atomically(path, json.dumps(plain, indent=2) + "\n")

    def _draw(self):
        if self._plots_missing:
            return
        begin = time.monotonic()
        try:
            plots.curves(self.history, os.path.join(self.directory, "curves.png"))
        except ImportError as error:
            logging.getLogger("keras_bert").warning("no picture: %s", error)
            self._plots_missing = True
        self._is_drawn = True
        # Pictures take at most a fiftieth of the time.
        self._next_drawing = time.monotonic() + 50 * (time.monotonic() - begin)
