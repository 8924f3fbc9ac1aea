"""Writes a model directory with the task's head, log.csv, history.json, curves.png and what
measures the model on --dev, with pictures.

Labelled texts are TSV, CSV or JSON Lines with columns `sentence` (or `sentence1` and `sentence2`)
and `label`, or tfds://name. For --task=tokens they are CoNLL files, or JSON Lines with `text` and
`spans` (or `slots`, `entities`), lists of [start, end, label]; for the roles of a predicate also
`predicate`, [start, end].
"""

import os

from absl import flags

from keras_bert.cli import devices, reading, watching
from keras_bert.jobs import JOBS, find_job

REQUIRED = ["preset", "train", "output"]


def define(values):
    """Declares the flags."""
    string, integer, number = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    string("preset", None, "the model directory to start from", flag_values=values)
    flags.DEFINE_enum(
        "task",
        "classification",
        list(JOBS),
        "; ".join(f"{name}: {text}" for name, text in JOBS.items()),
        flag_values=values,
    )
    string("train", None, "labelled texts to learn from", flag_values=values)
    string("dev", None, "labelled texts to measure on after each epoch", flag_values=values)
    string("output", None, "the run folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    flags.DEFINE_list("labels", None, "the classes in order; default: found", flag_values=values)
    reading.define(values)
    integer("sequence_length", 128, "longest row in tokens", lower_bound=1, flag_values=values)
    integer("batch_size", 32, "rows a step", lower_bound=1, flag_values=values)
    integer("epochs", 3, "passes over the data", lower_bound=1, flag_values=values)
    number("learning_rate", 3e-5, "the peak", flag_values=values)
    devices.define(values)
    watching.define(values)
    integer(
        "seed", 0, "decides the new weights, dropout and order", lower_bound=0, flag_values=values
    )


def main(values):
    """Fine-tunes and writes the model directory."""
    if devices.launched("finetune", values):
        return
    strategy = devices.start(values)
    import keras

    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.cli.folders import refuse_existing
    from keras_bert.training.distribution import is_chief

    if is_chief():
        refuse_existing(values.output, values.overwrite)
    keras.utils.set_random_seed(values.seed)
    tokenizer = kb.BertTokenizer.from_preset(values.preset)
    job = find_job(values.task)
    preprocess = job.preprocessor(tokenizer, values.sequence_length)
    options = reading.options(values)
    if values.labels is not None:
        options["labels"] = values.labels
    train = reading.read(
        job, values.train, preprocess, None, values.batch_size, True, values.seed, **options
    )
    options.pop("labels", None)
    dev = None
    if values.dev:
        dev = reading.read(job, values.dev, preprocess, train, shuffle=False, **options)
    total = values.epochs * int(train.cardinality())
    precision, loss_scale = devices.precision(values, open_source(values.preset).config)
    with strategy.scope():
        backbone = kb.BertBackbone.from_preset(
            values.preset, dtype=precision, recompute=values.recompute
        )
        model = job.build(backbone, train)
        model.compile(
            optimizer=kb.optimizers.adamw(
                values.learning_rate,
                warmup_steps=total // 10,
                total_steps=total,
                loss_scale=loss_scale,
                on_nonfinite=values.on_nonfinite,
            ),
            **job.losses(model),
        )
    model.fit(
        train,
        micro_batches=values.micro_batches,
        validation_data=dev,
        epochs=values.epochs,
        callbacks=[watching.run_log(values)],
        verbose="auto" if is_chief() else 0,
    )
    if not is_chief():
        return
    directory = os.path.join(values.output, "model")
    kb.save_preset(directory, model, preprocess, overwrite=True)
    if dev is not None:  # what was saved, by this process alone
        saved = type(model).from_preset(directory)
        job.measure(saved, preprocess, dev, values.output)
    print(f"{directory}: {type(model).__name__}")
