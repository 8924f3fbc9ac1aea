"""Writes a model directory with the task's head, log.csv, history.json, curves.png and what
measures the model on --dev, with pictures.

Labelled texts are TSV, CSV or JSON Lines with columns `sentence` (or `sentence1` and `sentence2`)
and `label`, data.json#train of a JSON object of lists, or tfds://name. For --task=tokens they are
CoNLL files, or JSON Lines with `text` and `spans` (or `slots`, `entities`), lists of [start, end,
label], or `tokens` and `tags`; for the roles of a predicate also `predicate`, [start, end].
Questions (--task=qa) are SQuAD's JSON, or JSON Lines with `question`, `context` and `answers`.
Sources with targets (--task=seq2seq) are two files of parallel text, train.en,train.de, or columns
`source` and `target`. For --task=fill_mask they are raw text, one sentence a line with an empty
line between documents; for --task=next_sentence such text, or pairs with label 0 = next,
1 = random.
"""

from absl import flags

from keras_bert.cli import devices, reading, repeats, searching, tuning, watching
from keras_bert.cli.finishing import finish
from keras_bert.jobs import JOBS, find_job

REQUIRED = ["preset", "train", "output"]
# Flags of the loss, and of how the training set is read; jobs that have no use for one refuse it.
_LOSS = ("label_smoothing", "focal", "loss", "temperature", "margin")
_TRAINING = ("out_of_scope", "class_weights")
# Flags of the model, in place of what the checkpoint says.
_MODEL = ("pooling", "normalize", "crf", "window_pooling")
# Flags of the preprocessor; the model directory keeps them.
_SETTINGS = ("stride", "question_length", "max_answer_length", "target_length", "windows")


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
    number(
        "dev_rate",
        None,
        "in place of --dev: the share of --train that is measured on, drawn by --seed",
        lower_bound=0.0,
        upper_bound=1.0,
        flag_values=values,
    )
    string("output", None, "the run folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    flags.DEFINE_list("labels", None, "the classes in order; default: found", flag_values=values)
    string(
        "out_of_scope",
        None,
        "the label of texts of no class: told where the likeliest class is below a threshold that "
        "is tuned on --dev",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "class_weights",
        None,
        ["balanced"],
        "balanced: rare classes weigh as much as frequent ones",
        flag_values=values,
    )
    number(
        "label_smoothing",
        None,
        "the share of a label's probability that is spread over all classes",
        flag_values=values,
    )
    number(
        "focal",
        None,
        "the power of the focal loss, such as 2: what is known well counts little",
        flag_values=values,
    )
    _define_embedding(values)
    integer(
        "windows",
        None,
        "documents: most rows of --sequence_length that a text is cut into, such as 8",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "window_pooling",
        None,
        ["mean", "max", "attention"],
        "how --windows become one; default: mean",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "crf", None, "tokens: labels form a chain, what follows what is learned", flag_values=values
    )
    number(
        "crf_learning_rate",
        1e-3,
        "the peak for the scores of --crf, which --learning_rate would hardly move",
        flag_values=values,
    )
    reading.define(values)
    integer("sequence_length", 128, "longest row in tokens", lower_bound=1, flag_values=values)
    for name, what in (
        ("stride", "qa, --windows: tokens from one window of a text to the next"),
        ("question_length", "qa: most tokens of a question; default: a quarter of a row"),
        ("max_answer_length", "qa: most tokens of an answer; default: 30"),
        ("target_length", "seq2seq: most tokens of a target; default: half of --sequence_length"),
    ):
        integer(name, None, what, lower_bound=1, flag_values=values)
    integer("batch_size", 32, "rows a step", lower_bound=1, flag_values=values)
    integer("epochs", 3, "passes over the data", lower_bound=1, flag_values=values)
    number("learning_rate", 3e-5, "the peak", flag_values=values)
    tuning.define(values)
    devices.define(values)
    watching.define(values)
    repeats.define(values)
    searching.define(values)
    integer(
        "seed", 0, "decides the new weights, dropout and order", lower_bound=0, flag_values=values
    )


def _define_embedding(values):
    flags.DEFINE_enum(
        "loss",
        None,
        ["in_batch_negatives", "cosine_regression", "triplet"],
        "embedding: what is learnt; default: cosine_regression of pairs with scores, "
        "in_batch_negatives of other rows",
        flag_values=values,
    )
    flags.DEFINE_float(
        "temperature",
        None,
        "embedding: what cosines are divided by in in_batch_negatives; default: 0.05",
        flag_values=values,
    )
    flags.DEFINE_float(
        "margin",
        None,
        "embedding: how much nearer the positive is to be in triplet; default: 1",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "pooling",
        None,
        ["mean", "cls", "max", "mean_sqrt_len_tokens"],
        "embedding: how a text's vectors become one; default: as the checkpoint says, or mean",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "normalize",
        None,
        "embedding: whether vectors have length 1; default: as the checkpoint says, or true",
        flag_values=values,
    )


def main(values):
    """Fine-tunes and writes the model directory."""
    if devices.launched("finetune", values):
        return
    strategy = devices.start(values)
    if values.find_learning_rate and (values.folds or values.seeds or values.search):
        raise ValueError(
            "--find_learning_rate is for one run; leave --folds, --seeds, --search out"
        )
    if values.search:
        searching.run(values, lambda: _finetune(values, strategy))
    elif values.folds:
        repeats.by_fold(
            values, lambda: _folds(values), lambda parts: _finetune(values, strategy, parts)
        )
    elif values.seeds:
        repeats.by_seed(values, lambda: _finetune(values, strategy))
    else:
        _finetune(values, strategy)


def _finetune(values, strategy, parts=None):
    """One run, by `--seed`; returns what measures it on `--dev`, or None.

    Args:
        values: the flags.
        strategy: `tf.distribute.Strategy`.
        parts: pair of rows to learn from and to measure on. Default None: as the flags say.
    """
    import keras

    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.cli.folders import refuse_existing
    from keras_bert.training.distribution import is_chief

    if is_chief():
        refuse_existing(values.output, values.overwrite)
    if values.window_pooling and not values.windows:
        raise ValueError(f"--window_pooling={values.window_pooling} needs --windows, such as 8")
    keras.utils.set_random_seed(values.seed)
    tokenizer = kb.BertTokenizer.from_preset(values.preset)
    job = find_job(values.task)
    kept = reading.given(values, *_SETTINGS)
    preprocess = reading.call(job.preprocessor, tokenizer, values.sequence_length, **kept)
    train, dev = _read(values, job, preprocess, parts)
    if is_chief():
        print(kb.data.summary(train, dev))
    train = tuning.augmented(train, preprocess.tokenizer, values)
    total = values.epochs * int(train.cardinality())
    source = open_source(values.preset)
    source.config = tuning.config(source.config, values)
    precision, loss_scale = devices.precision(values, source.config)
    with strategy.scope():
        backbone = kb.BertBackbone.from_source(source, precision, values.recompute)
        if preprocess.tokenizer is not tokenizer:  # the job has tokens of its own
            backbone = kb.replace_vocabulary(backbone, tokenizer, preprocess.tokenizer)
        settings = job.settings(source) if hasattr(job, "settings") else {}
        if values.windows:
            settings["window_pooling"] = "mean"
        settings |= reading.given(values, *_MODEL)
        model = reading.call(job.build, backbone, train, **settings)
        tuning.prepare(model, values)
        model.compile(
            optimizer=kb.optimizers.adamw(
                values.learning_rate,
                warmup_steps=total // 10,
                total_steps=total,
                loss_scale=loss_scale,
                on_nonfinite=values.on_nonfinite,
                crf_learning_rate=values.crf_learning_rate if values.crf else None,
                **tuning.optimizer_options(values),
            ),
            **reading.call(job.losses, model, **reading.given(values, *_LOSS)),
        )
    if values.find_learning_rate:
        tuning.find_learning_rate(model, train, values)
        return None
    model.fit(
        train,
        micro_batches=values.micro_batches,
        **tuning.fit_options(values),
        validation_data=dev,
        epochs=values.epochs,
        callbacks=[watching.run_log(values), *tuning.callbacks(values, dev is not None)],
        verbose="auto" if is_chief() else 0,
    )
    if not is_chief():
        return None
    kb.merge_lora(model)
    return finish(job, model, preprocess, dev, values.output)  # by this process alone


def _folds(values):
    """The folds of `--train`, pairs of rows to learn from and to measure on."""
    job = find_job(values.task)
    if not hasattr(job, "folds"):
        raise ValueError(f"--folds is for jobs of labelled rows, not --task={values.task}")
    return reading.call(job.folds, values.train, values.folds, values.seed, **_of_split(values))


def _of_split(values):
    """The flags that say how the rows to be cut are read."""
    options = reading.options(values)
    return {name: value for name, value in options.items() if name != "skip_bad_rows"}


def _read(values, job, preprocess, parts):
    """The sets to learn from and to measure on, or None for the latter."""
    options = reading.options(values)
    path, dev = parts or (values.train, values.dev)
    if values.dev_rate is not None:
        if dev or not hasattr(job, "split"):
            raise ValueError("--dev_rate is for jobs of labelled rows, without --dev; leave it out")
        rates = [1 - values.dev_rate, values.dev_rate]
        path, dev = reading.call(job.split, path, rates, values.seed, **_of_split(values))
    own = {**options, **reading.given(values, "labels", *_TRAINING)}
    train = reading.call(
        job.read, path, preprocess, None, values.batch_size, True, values.seed, **own
    )
    if not dev:
        return train, None
    return train, reading.call(job.read, dev, preprocess, train, shuffle=False, **options)
