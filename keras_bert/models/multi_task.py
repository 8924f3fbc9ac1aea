"""Several task models on one backbone, trained together."""

import keras
from keras import ops

from keras_bert.models.base import expected_warnings
from keras_bert.models.task import TaskModel
from keras_bert.training.nonfinite import check_float16, with_nonfinite


class BertMultiTask(keras.Model):
    """Trains task models that share a backbone, a batch of one task after another.

    Source: Liu et al. 2019, https://arxiv.org/abs/1901.11504 (MT-DNN), algorithm 1: each step is
    that of one task, with its own loss, on its own head and the backbone; all share an optimizer.
    A head and its moments change by its own task's steps alone. The models stay what they are:
    each is evaluated, saved (`kb.save_preset`) and exported (`kb.export_saved_model`) by itself.

    Args:
        tasks: dict, a task's name -> task model; two or more, made of one and the same
            `BertBackbone`.

    Attributes:
        tasks: that dict.
        backbone: `BertBackbone`, of all of them.

    Raises:
        ValueError: fewer than two tasks; one that is no task model, or stands on another backbone;
            a name with `/` in it, or that is none; Keras runs on another backend than TensorFlow.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny"))
        >>> model = BertMultiTask({
        ...     "sentiment": BertTextClassifier(backbone, ["bad", "good"]),
        ...     "ner": BertTokenClassifier(backbone, ["O", "B-PER", "I-PER"]),
        ... })
        >>> losses = {"sentiment": classification(), "ner": token_classification()}
        >>> model.compile(adamw(3e-5), losses)
        >>> data = kb.data.mixed({"sentiment": sentences, "ner": entities}, seed=0)
        >>> model.fit(data, steps_per_epoch=500, epochs=3, validation_data={"ner": dev})
        >>> kb.save_preset("runs/ner", model.tasks["ner"], preprocess)
    """

    def __init__(self, tasks, name="bert_multi_task"):
        super().__init__(name=name)
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"BertMultiTask needs Keras on TensorFlow; Keras runs on {keras.backend.backend()}"
            )
        if not isinstance(tasks, dict) or len(tasks) < 2:
            raise ValueError(
                "BertMultiTask: expected a dict of two or more task models by their names; "
                f"received {tasks if not isinstance(tasks, dict) else list(tasks)}"
            )
        for task, model in tasks.items():
            if not isinstance(task, str) or not task or "/" in task:
                raise ValueError(f"BertMultiTask: a task's name must be a str; received {task!r}")
            if not isinstance(model, TaskModel):
                raise ValueError(
                    f"BertMultiTask: {task} is a {type(model).__name__}; expected a task model, "
                    "such as BertTextClassifier(backbone, labels)"
                )
        self.tasks = tasks
        self.backbone = next(iter(tasks.values())).backbone
        for task, model in tasks.items():
            if model.backbone is not self.backbone:
                raise ValueError(
                    f"BertMultiTask: {task} stands on a backbone of its own; make all models of "
                    "one: backbone = BertBackbone.from_preset(...), then each task's model on it"
                )
        self.config = self.backbone.config
        self._task_logs = {}

    def compile(self, optimizer, losses):
        """Gives the tasks one optimizer, and each its losses and metrics.

        Args:
            optimizer: Keras optimizer, such as `kb.optimizers.adamw(...)`.
            losses: dict, a task's name -> what `compile` of its model takes beside the optimizer,
                such as `kb.losses.classification()`.

        Raises:
            ValueError: a task has no losses, or there is no such task.
        """
        self._check_tasks("compile: losses", losses, complete=True)
        super().compile(optimizer=optimizer)
        for task, model in self.tasks.items():
            model.compile(optimizer=optimizer, **losses[task])
        optimizer.build(self.trainable_variables)

    def fit(self, x, *args, validation_data=None, **kwargs):
        """Trains as `keras.Model.fit` does, whose arguments it takes.

        The logs have each task's measures by the task's name (`ner_loss`, `ner_accuracy`), means
        over its batches of the epoch; `loss`, the mean of the tasks' losses; and `real_tokens`.

        Args:
            x: dataset of `kb.data.mixed`, which has no end: give `steps_per_epoch`.
            validation_data: dict, a task's name -> its dataset; not all tasks need one. Their
                measures are `val_ner_loss` and the like.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: a dataset of other tasks; no `steps_per_epoch`; several replicas; a
                `kb.Resume` among the callbacks.
            FloatingPointError: as `BertModel.fit`.
        """
        if kwargs.get("steps_per_epoch") is None:
            raise ValueError("fit: mixed batches have no end; say steps_per_epoch=...")
        replicas = self.distribute_strategy.num_replicas_in_sync
        if replicas > 1:
            raise ValueError(
                f"fit: BertMultiTask trains on one device; the strategy has {replicas} replicas"
            )
        if any(hasattr(each, "around_fit") for each in keras.tree.flatten(kwargs.get("callbacks"))):
            raise ValueError("fit: kb.Resume knows no place in mixed batches; leave it out")
        self._check_tasks("fit: x", getattr(x, "element_spec", None), complete=True)
        check_float16(self)
        args, kwargs = with_nonfinite(args, kwargs)
        if validation_data is not None:
            self._check_tasks("fit: validation_data", validation_data)
            callbacks = keras.tree.flatten(kwargs.get("callbacks") or [])
            # Before all others, which read what it measures.
            kwargs["callbacks"] = [_Validation(validation_data), *callbacks]
        kwargs.setdefault("shuffle", False)
        with expected_warnings(end_of_data=False):
            return super().fit(x, *args, **kwargs)

    def evaluate(self, x, **kwargs):
        """Measures each task on its own data.

        Args:
            x: dict, a task's name -> its dataset; not all tasks need one.
            **kwargs: of each task model's `evaluate`.

        Returns:
            dict of float, by task and measure: `ner_accuracy`.
        """
        self._check_tasks("evaluate: x", x)
        logs = {}
        for task, data in x.items():
            found = self.tasks[task].evaluate(data, **{**kwargs, "return_dict": True})
            logs |= {f"{task}_{name}": value for name, value in found.items()}
        return logs

    def make_train_function(self, force=False):
        """The function of a step: that of the task whose batch comes next."""

        def step(iterator):
            batch = next(iterator)
            task = next(name for name, part in batch.items() if _rows(part))
            model, data = self.tasks[task], batch[task]
            model._maybe_symbolic_build(data_batch=data)
            model.make_train_function()
            self._task_logs[task] = model.train_function(iter([data]))
            return self.get_metrics_result()

        self.train_function = step
        return step

    @property
    def metrics(self):
        return [metric for model in self.tasks.values() for metric in model.metrics]

    def reset_metrics(self):
        super().reset_metrics()
        self._task_logs = {}

    def get_metrics_result(self):
        found = {task: dict(logs) for task, logs in self._task_logs.items()}
        tokens = sum(logs.pop("real_tokens", 0) for logs in found.values())
        losses = [logs["loss"] for logs in found.values()]
        return {
            "loss": sum(losses) / max(len(losses), 1),
            "real_tokens": tokens,
            **{f"{task}_{name}": x for task, logs in found.items() for name, x in logs.items()},
        }

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        pass  # the tasks' models are built, and each builds its metrics by its own batches

    def _check_tasks(self, what, given, complete=False):
        names = list(given) if isinstance(given, dict) else None
        known = set(self.tasks)
        if names is None or set(names) - known or (complete and set(names) != known):
            received = ", ".join(names) if names is not None else f"a {type(given).__name__}"
            raise ValueError(
                f"{what}: expected {'an entry' if complete else 'entries'} for "
                f"{'each of ' if complete else ''}the tasks {', '.join(self.tasks)}; received "
                f"{received}"
            )


class _Validation(keras.callbacks.Callback):
    """Measures the tasks at the end of each epoch, for the callbacks that follow."""

    def __init__(self, data):
        super().__init__()
        self._data = data

    def on_epoch_end(self, epoch, logs=None):
        found = self.model.evaluate(self._data, verbose=0)
        # The epoch's own measures are told already; these begin anew with the next epoch.
        logs |= {f"val_{name}": float(value) for name, value in found.items()}


def _rows(part):
    return ops.shape(keras.tree.flatten(part)[0])[0]
