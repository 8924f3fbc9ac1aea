"""Stop and go on: checkpoints while training, and the way back to the last one."""

import contextlib
import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras

from keras_bert.training import checkpoint_files
from keras_bert.training.differences import differences, listed
from keras_bert.training.distribution import is_chief, num_workers
from keras_bert.training.exchange import from_chief, gather_over_workers, plain_from_chief
from keras_bert.training.state import read_state, signature, write_state, zeros_like_state
from keras_bert.training.termination import Termination, leave

# Several workers must agree on leaving; asking costs a message, so not at every step.
_ASK_EVERY = 10


class Resume(keras.callbacks.Callback):
    """Saves all of a run every so many steps, and goes on from there when it is started again.

    The same command, started again after a kill, finds the last whole checkpoint, and `fit` goes
    on in the middle of the epoch. On the CPU, with a fixed seed and the same devices, the weights
    come out bit for bit as if nothing had happened. Saved are weights, optimizer, the state of
    dropout's seeds, metrics, step, and the place in the data. The chief writes, in the background;
    a checkpoint is there as a whole or not at all, and its checksum is tested before it is used.
    SIGTERM saves and leaves with exit code 143.

    It works in the `fit` of this package's models, on TensorFlow. Data of `kb.data.pretraining`
    begins at `position`, at the cost of a block; other data is passed over up to its place.

    Args:
        directory: str or path-like, the folder of the run's checkpoints.
        every_steps: int, steps between checkpoints. Default 1,000.
        keep: int, checkpoints kept, the newest. Default 2: one before a damaged one.
        accept_changed_data: bool, go on although the corpus or a setting of the data has changed
            since the checkpoint. Default False: refused, with what changed.

    Attributes:
        position: where `kb.data.pretraining` has to `start`; None at the beginning.
        step: int, steps done before this start.

    Raises:
        ValueError: a number out of range; no checkpoint is whole; Keras does not run on
            TensorFlow. In `fit`: the checkpoint is of another model, optimizer, tokenizer, seed or
            corpus; the differences are listed.
        OSError: in `fit`, the last checkpoint cannot be written. An earlier one that cannot be is
            a warning, and training goes on.

    Example:
        >>> resume = Resume("runs/tiny", every_steps=500)
        >>> data = kb.data.pretraining("corpus/*.txt", tokenizer, start=resume.position)
        >>> model.fit(data, steps_per_epoch=1_000, epochs=100, callbacks=[resume])
    """

    def __init__(self, directory, every_steps=1_000, keep=2, accept_changed_data=False):
        super().__init__()
        for name, value in (("every_steps", every_steps), ("keep", keep)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"Resume: {name} is {value!r}; expected a whole number from 1 on")
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"Resume: needs Keras on TensorFlow; Keras runs on {keras.backend.backend()}"
            )
        self.directory = os.fspath(directory)
        self.every_steps = every_steps
        self.keep = keep
        self.accept_changed_data = accept_changed_data
        self._pending = None
        self._find()

    @property
    def position(self):
        self._find_anew()
        return self._notes and self._notes["position"]

    @property
    def step(self):
        self._find_anew()
        return self._notes["step"] if self._notes else 0

    # === Around fit ===

    @contextlib.contextmanager
    def around_fit(self, data, is_one_iterator):
        """What `fit` of our models runs in, so that all is undone however it ends.

        Args:
            data: what it trains on.
            is_one_iterator: bool, whether epochs go on in the data (`steps_per_epoch` is given),
                or each begins anew.
        """
        self._find_anew()
        self._stream = getattr(data, "stream", None)
        self._is_one_iterator = is_one_iterator
        self._check_data()
        if self._notes and hasattr(data, "set_epoch"):
            data.set_epoch(self._notes["epoch"])
        with ThreadPoolExecutor(1, "keras_bert_save") as self._writer, Termination() as self._term:
            try:
                yield
            finally:
                self._wait()
                self._is_stale = True  # another fit, of a notebook say, goes on after this one

    def on_train_begin(self, logs=None):
        self._begin = self._done = self._notes["step"] if self._notes else 0
        self._epoch, self._batch = 0, 0
        self._metrics = None  # those of training, while others stand in the model
        self._is_first_epoch = self._notes is not None
        self._has_begun = False
        self._train_function = None
        if self._notes is None:
            return
        self._check_model()
        arrays = self._arrays()
        write_state(self.model, arrays, ("model", "optimizer"))
        steps = self.params.get("steps")
        self._epoch, self._batch = self._notes["epoch"], self._notes["batch"]
        self._metrics = {name: arrays[name] for name in arrays if name.startswith("metrics/")}
        if steps and self._notes["steps_per_epoch"] not in (None, steps):
            self._epoch, self._batch = divmod(self._done, steps)
            self._metrics = None  # they are of another span of steps
        self.model._initial_epoch = self._epoch  # as Keras's own BackupAndRestore does it
        if is_chief():
            print(f"going on from step {self._done:,}, saved in {self._found.path}")

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None
        if self._has_begun:  # the epoch is over, for those who ended it early too
            self._epoch, self._batch = self._epoch + 1, 0
        if any((self._notes or {}).get(name) != value for name, value in self._where().items()):
            self._save()
        self._wait(is_last=True)
        if self._term.is_requested:
            leave(f"SIGTERM: training had just ended; step {self._done:,} is saved")

    # === Steps ===

    def on_epoch_begin(self, epoch, logs=None):
        self._has_begun = True
        if epoch != self._epoch:
            self._epoch, self._batch = epoch, 0
        if self._metrics is not None:  # Keras has just reset them
            write_state(self.model, self._metrics, ("metrics",))
            self._metrics = None
        if self._is_first_epoch:
            self._is_first_epoch = False
            self._pass_over(self._batch)

    def on_epoch_end(self, epoch, logs=None):
        if self._train_function is not None:  # it may have ended while steps were passed over
            self.model.train_function, self._train_function = self._train_function, None

    def on_train_batch_end(self, batch, logs=None):
        passed = batch + 1 - self._batch
        if passed <= 0:  # done before this start
            return
        before, self._batch, self._done = self._done, batch + 1, self._done + passed
        if self._is_asked(before):
            self._leave()
        if self._done // self.every_steps > before // self.every_steps:
            self._save()

    def on_test_begin(self, logs=None):
        self._metrics = read_state(self.model, ("metrics",))

    def on_test_batch_end(self, batch, logs=None):
        if self._term.is_requested and num_workers() == 1:
            self._leave()

    def on_test_end(self, logs=None):
        self._metrics = None

    def _pass_over(self, batches):
        """Lets the first steps of an epoch go by: they were done before this start."""
        model, execution = self.model, self.model.steps_per_execution
        left = 0 if self._stream else self._done if self._is_one_iterator else batches
        if not batches and not left:
            return
        train = self._train_function = model.train_function
        logs = model.get_metrics_result()
        logs = {name: float(value) for name, value in logs.items()}
        passed = 0

        def passing_over(iterator):
            nonlocal left, passed
            passed += execution
            for _ in range(left):
                next(iterator)
            left = 0
            if passed > batches:  # only where an epoch ended
                model.train_function = train
                return train(iterator)
            if passed == batches:
                model.train_function = train
            return dict(logs)

        model.train_function = passing_over

    # === Leaving ===

    def _is_asked(self, before):
        if num_workers() == 1:
            return self._term.is_requested
        if self._done // _ASK_EVERY == before // _ASK_EVERY:
            return False
        return bool(gather_over_workers(int(self._term.is_requested)).any())

    def _leave(self):
        self._save()
        self._wait(is_last=True)
        leave(
            f"SIGTERM: step {self._done:,} is saved in {self.directory}; start the same command to "
            "go on"
        )

    # === Saving ===

    def _where(self):
        return {"step": self._done, "epoch": self._epoch, "batch": self._batch}

    def _save(self):
        arrays = read_state(self.model)
        if self._metrics is not None:
            arrays |= self._metrics
        position = None
        if self._stream:
            places = self._stream.places_after(self._done - self._begin)
            position = gather_over_workers(places).max(axis=0).tolist()
        notes = {
            **self._where(),
            "steps_per_epoch": self.params.get("steps"),
            "position": position,
            "data": self._stream and self._stream.fingerprint(),
            "variables": signature(self.model),
            "workers": num_workers(),
        }
        if is_chief():
            self._wait()
            self._pending = self._writer.submit(
                checkpoint_files.write, self.directory, self._done, arrays, notes, self.keep
            )

    def _wait(self, is_last=False):
        """Waits for the writing of the last checkpoint."""
        pending, self._pending = self._pending, None
        try:
            if pending:
                pending.result()
        except OSError as error:
            if is_last:
                raise
            warnings.warn(
                f"a checkpoint could not be written ({error}); training goes on, and the one "
                f"before is still in {self.directory}",
                stacklevel=2,
            )

    # === Going on ===

    def _find(self):
        """Finds the last checkpoint; the chief decides, for others may not see the same files."""
        self._found = checkpoint_files.find_last(self.directory) if is_chief() else None
        self._notes = plain_from_chief(self._found and self._found.notes)
        self._is_stale = False

    def _find_anew(self):
        if self._is_stale:
            self._find()

    def _arrays(self):
        """The arrays of the checkpoint, which the chief reads and the others are sent."""
        read = self._found.arrays() if is_chief() else {}
        shapes = zeros_like_state(self.model)  # all send and receive in the order of these
        return {name: from_chief(read.get(name, zeros)) for name, zeros in shapes.items()}

    def _check_model(self):
        found = differences(self._notes["variables"], signature(self.model), "variable")
        if found:
            raise ValueError(
                f"the checkpoint in {self.directory} is of another model or optimizer: "
                f"{listed(found)}. Make the model as it was, or name another folder"
            )

    def _check_data(self):
        if self._notes is None or self.accept_changed_data:
            return
        found = differences(
            self._notes["data"], self._stream and self._stream.fingerprint(), "data"
        )
        if found:
            raise ValueError(
                f"the data is not that of the checkpoint in {self.directory}: {listed(found)}. Put "
                "it back, name another folder, or pass accept_changed_data=True to go on with it "
                "as it is"
            )
        position = self._notes["position"]
        if self._stream and self._stream.start.plain() != position:
            raise ValueError(
                f"the data starts at {self._stream.start.plain()}, but the run stands at "
                f"{position}; pass start=resume.position to kb.data.pretraining"
            )
