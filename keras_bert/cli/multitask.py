"""Trains several tasks on one backbone, and writes OUTPUT/TASK/model for each, to be evaluated and
exported as those of finetune; with a dev set OUTPUT/TASK/report.json too.

--tasks is a JSON file: an object, by the tasks' names, of objects with `task` (a job, as of
finetune --task; default classification), `train`, and where wanted `dev`, `rate` (how often its
batches come, only ratios matter; default: as many as it has) and other flags of finetune that say
how its files are read or what its head is: text_columns, label_column, header, labels,
skip_bad_rows, out_of_scope, class_weights, label_smoothing, focal, windows, stride,
window_pooling, crf, positive_score. Files are named as seen from where the command runs.
"""

import os

from absl import flags

from keras_bert.cli import devices, reading, watching
from keras_bert.cli.finishing import finish
from keras_bert.jobs import find_job

REQUIRED = ["preset", "tasks", "output"]
_PREPROCESSING = ("windows", "stride")
_READING = ("text_columns", "label_column", "header", "skip_bad_rows", "positive_score")
_TRAINING = ("labels", "out_of_scope", "class_weights")
_HEAD = ("crf", "window_pooling")
_LOSS = ("label_smoothing", "focal")
_OWN = ("task", "train", "dev", "rate")
_KEYS = {*_OWN, *_PREPROCESSING, *_READING, *_TRAINING, *_HEAD, *_LOSS}


def define(values):
    """Declares the flags."""
    string, integer, number = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    string("preset", None, "the model directory to start from", flag_values=values)
    string("tasks", None, "a JSON file that names the tasks and their files", flag_values=values)
    string("output", None, "the run folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    integer("sequence_length", 128, "longest row in tokens", lower_bound=1, flag_values=values)
    integer("batch_size", 32, "rows a step", lower_bound=1, flag_values=values)
    integer(
        "epochs",
        3,
        "of as many steps as all training sets have batches together",
        lower_bound=1,
        flag_values=values,
    )
    number("learning_rate", 3e-5, "the peak", flag_values=values)
    number("crf_learning_rate", 1e-3, "as of finetune, for tasks of a crf", flag_values=values)
    devices.define(values)
    watching.define(values)
    integer("seed", 0, "decides new weights, dropout and order", lower_bound=0, flag_values=values)


def main(values):
    """Trains the tasks and writes their model directories."""
    if values.processes > 1 or values.workers or values.micro_batches > 1:
        raise ValueError(
            "multitask trains on one device, a batch at once; leave --processes, --workers and "
            "--micro_batches out"
        )
    devices.start(values)
    import keras

    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.cli.folders import refuse_existing

    entries = read_tasks(values.tasks)
    refuse_existing(values.output, values.overwrite)
    keras.utils.set_random_seed(values.seed)
    source = open_source(values.preset)
    precision, loss_scale = devices.precision(values, source.config)
    tokenizer = kb.BertTokenizer.from_preset(values.preset)
    preprocessors = _preprocessors(entries, tokenizer, values.sequence_length)
    sets = {
        task: _read(task, entry, preprocessors[task], values) for task, entry in entries.items()
    }
    for task, (train, dev) in sets.items():
        print(f"--- {task}")
        print(kb.data.summary(train, dev))
    rates = {task: entry["rate"] for task, entry in entries.items() if "rate" in entry}
    data = kb.data.mixed(
        {task: train for task, (train, _) in sets.items()}, rates or None, values.seed
    )
    shares = ", ".join(f"{task} {share:.1%}" for task, share in data.rates.items())
    print(f"{data.steps_per_epoch:,} steps an epoch: {shares}")

    backbone = kb.BertBackbone.from_source(source, precision, values.recompute)
    final = next(iter(preprocessors.values())).tokenizer
    if final.vocabulary != tokenizer.vocabulary:  # a job has tokens of its own
        backbone = kb.replace_vocabulary(backbone, tokenizer, final)
    models, losses = {}, {}
    for task, entry in entries.items():
        job = find_job(entry["task"])
        options = job.settings(source) if hasattr(job, "settings") else {}
        if "windows" in entry:
            options["window_pooling"] = "mean"
        options.update(_given(entry, _HEAD))
        models[task] = _call(task, job.build, backbone, sets[task][0], **options)
        losses[task] = _call(task, job.losses, models[task], **_given(entry, _LOSS))
    model = kb.BertMultiTask(models)
    total = values.epochs * data.steps_per_epoch
    model.compile(
        kb.optimizers.adamw(
            values.learning_rate,
            warmup_steps=total // 10,
            total_steps=total,
            loss_scale=loss_scale,
            on_nonfinite=values.on_nonfinite,
            crf_learning_rate=values.crf_learning_rate,
        ),
        losses,
    )
    model.fit(
        data,
        steps_per_epoch=data.steps_per_epoch,
        epochs=values.epochs,
        validation_data={task: dev for task, (_, dev) in sets.items() if dev is not None} or None,
        callbacks=[watching.run_log(values)],
    )
    for task, entry in entries.items():
        print(f"--- {task}")
        folder = os.path.join(values.output, task)
        finish(find_job(entry["task"]), models[task], preprocessors[task], sets[task][1], folder)


def read_tasks(path):
    """Reads the file of `--tasks`.

    Returns:
        dict, a task's name -> its entry, with `task`, the job.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no JSON object of two tasks or more; an entry is none, lacks `train`, has
            an unknown key or an unknown job; rates of some tasks only.
    """
    from keras_bert.preset_kind import read_json

    entries = read_json(path)
    if len(entries) < 2:
        raise ValueError(f"{path}: expected two tasks or more; received {list(entries)}")
    for task, entry in entries.items():
        if not isinstance(entry, dict) or not entry.get("train"):
            raise ValueError(
                f"{path}: expected of {task!r} an object with `train`, and `task`, a job; received "
                f"{entry!r}"
            )
        if os.path.basename(task) != task or task in ("", ".", ".."):
            raise ValueError(f"{path}: the name {task!r} is to be a folder's; choose another")
        if unknown := sorted(set(entry) - _KEYS):
            raise ValueError(
                f"{path}: {task} has the unknown {', '.join(unknown)}; expected some of "
                f"{', '.join(sorted(_KEYS))}"
            )
        entry.setdefault("task", "classification")
        find_job(entry["task"])
    rated = [task for task, entry in entries.items() if "rate" in entry]
    if rated and len(rated) < len(entries):
        raise ValueError(f"{path}: expected a rate of each task, or of none; received {rated} only")
    return entries


def _preprocessors(entries, tokenizer, length):
    """Preprocessors of one tokenizer: the one that has the tokens of all jobs."""
    for _ in range(2):  # a job's own tokens go into those of the others at the second time
        found = {}
        for task, entry in entries.items():
            make = find_job(entry["task"]).preprocessor
            found[task] = _call(task, make, tokenizer, length, **_given(entry, _PREPROCESSING))
            tokenizer = found[task].tokenizer
    return found


def _read(task, entry, preprocess, values):
    """A task's sets to learn from and to measure on, or None for the latter."""
    job, options = find_job(entry["task"]), _given(entry, _READING)
    own = {**options, **_given(entry, _TRAINING)}
    train = _call(
        task,
        job.read,
        entry["train"],
        preprocess,
        None,
        values.batch_size,
        True,
        values.seed,
        **own,
    )
    if not entry.get("dev"):
        return train, None
    return train, _call(task, job.read, entry["dev"], preprocess, train, shuffle=False, **options)


def _given(entry, names):
    return {name: entry[name] for name in names if name in entry}


def _call(task, function, *arguments, **options):
    try:
        return reading.call(function, *arguments, **options)
    except ValueError as error:
        raise ValueError(f"{task}: {error}") from error
