"""Writes a model directory in Hugging Face's layout, checkpoints to go on from, log.csv,
history.json, curves.png and TensorBoard's events to --output.

Input holds one sentence a line with an empty line between documents, or running prose with
--format=prose. The model directory is renewed at each report, whole or not at all. After a kill or
SIGTERM the same command with --resume goes on where it stood.

--vocab and --size begin with a new model; --from goes on with the weights, heads included, and the
vocabulary of a checkpoint: Hugging Face's, Google's, KerasHub's or sentence-transformers'.
"""

import os
import shutil

from absl import flags

from keras_bert.cli import beginning, devices, watching
from keras_bert.cli.folders import refuse_existing
from keras_bert.cli.phases import phases_of

REQUIRED = ["input", "output"]


def define(values):
    """Declares the flags."""
    string, integer, number = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    flags.DEFINE_multi_string(
        "input",
        None,
        "text file or glob, also .gz and .zst, or a folder that prepare wrote; may be repeated",
        flag_values=values,
    )
    flags.DEFINE_list(
        "input_weights",
        [],
        "shares of the text that each --input gets, as 3,1; default: by size",
        flag_values=values,
    )
    flags.DEFINE_multi_string("held_out", [], "text never trained on", flag_values=values)
    number(
        "held_out_rate",
        0.0,
        "share of the documents of --input never trained on, and measured at each report",
        lower_bound=0.0,
        upper_bound=0.5,
        flag_values=values,
    )
    flags.DEFINE_bool(
        "drop_duplicates", False, "leave out documents that came before", flag_values=values
    )
    string("vocab", None, "the vocabulary file", flag_values=values)
    flags.DEFINE_bool(
        "lowercase",
        None,
        "lower-case and strip accents; default: true, or as the checkpoint of --from",
        flag_values=values,
    )
    string("from", None, "the checkpoint to go on from, in place of --vocab", flag_values=values)
    string("output", None, "the run folder to write", flag_values=values)
    flags.DEFINE_bool(
        "resume", False, "go on from the last checkpoint in --output", flag_values=values
    )
    flags.DEFINE_bool(
        "accept_changed_data",
        False,
        "with --resume: go on although the text or a setting of the data has changed",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "overwrite", False, "begin anew in an --output that exists", flag_values=values
    )
    string(
        "size",
        None,
        "tiny, mini, small, medium, base, large or a JSON file of BertConfig; default: base",
        flag_values=values,
    )
    integer("sequence_length", 128, "tokens a row", lower_bound=1, flag_values=values)
    integer(
        "batch_size", 256, "rows a step, all replicas together", lower_bound=1, flag_values=values
    )
    integer("steps", 100_000, "training steps", lower_bound=1, flag_values=values)
    integer(
        "long_steps",
        0,
        "the last so many of --steps see rows of --long_sequence_length",
        lower_bound=0,
        flag_values=values,
    )
    integer("long_sequence_length", 512, "tokens a long row", lower_bound=1, flag_values=values)
    integer(
        "long_batch_size",
        None,
        "long rows a step; default: as many tokens as before",
        lower_bound=1,
        flag_values=values,
    )
    integer("report_every", 1_000, "steps between reports", lower_bound=1, flag_values=values)
    integer(
        "checkpoint_every", 1_000, "steps between checkpoints", lower_bound=1, flag_values=values
    )
    integer("keep", 2, "checkpoints kept", lower_bound=1, flag_values=values)
    number("learning_rate", 1e-4, "the peak", flag_values=values)
    integer("warmup_steps", None, "default: a tenth of --steps", lower_bound=0, flag_values=values)
    number("weight_decay", 0.01, "decoupled, matrices only", flag_values=values)
    flags.DEFINE_enum("pairs", "nsp", ["nsp", "sop", "none"], "second segments", flag_values=values)
    flags.DEFINE_enum(
        "masking",
        "token",
        ["token", "whole_word", "span"],
        "what is masked whole",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "format", "sentences", ["sentences", "prose"], "layout of the input", flag_values=values
    )
    flags.DEFINE_enum(
        "word_segmenter", None, ["jieba"], "finds Chinese words for --masking", flag_values=values
    )
    string(
        "service", None, "grpc://host:port of a data_service to make batches", flag_values=values
    )
    devices.define(values)
    watching.define(values)
    integer(
        "seed", 0, "decides weights, data order, pairs and masks", lower_bound=0, flag_values=values
    )


def main(values):
    """Pretrains and writes the model directory."""
    if devices.launched("pretrain", values):
        return
    beginning.check(values)
    phases = phases_of(values)
    strategy = devices.start(values)
    import keras

    import keras_bert as kb
    from keras_bert.training.distribution import is_chief

    if is_chief():
        _open_output(values)
    keras.utils.set_random_seed(values.seed)
    tokenizer = beginning.tokenizer(values)
    with strategy.scope():
        model = beginning.model(values, tokenizer)
    resumes = [
        kb.Resume(
            os.path.join(values.output, "checkpoints", phase.name),
            every_steps=values.checkpoint_every,
            keep=values.keep,
            accept_changed_data=values.accept_changed_data,
        )
        for phase in phases
    ]
    begun = [place for place, resume in enumerate(resumes) if resume.step]
    for phase, resume in list(zip(phases, resumes, strict=True))[max(begun, default=0) :]:
        _fit(values, model, tokenizer, phase, resume)
    if is_chief():
        print(f"{os.path.join(values.output, 'model')}: {model.count_params():,} parameters")


def _fit(values, model, tokenizer, phase, resume):
    """Trains up to the last step of a phase, from where its checkpoints stand."""
    import keras

    from keras_bert.training.distribution import is_chief
    from keras_bert.training.stopping import StopAfter

    data = _data(values, tokenizer, phase, start=resume.position, service=values.service)
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: _report(values, model, tokenizer, data.stream)
    )
    every = min(values.report_every, phase.steps)
    model.fit(
        data,
        micro_batches=values.micro_batches,
        steps_per_epoch=every,
        epochs=-(-phase.steps // every),
        validation_data=_held_out(values, tokenizer, phase),
        callbacks=[
            resume,
            watching.run_log(values, total_steps=values.steps),
            StopAfter(phase.last_step),
            report,
        ],
        verbose="auto" if is_chief() else 0,
    )


def _report(values, model, tokenizer, stream):
    """Renews the model directory and says what was read, by all workers together."""
    import keras_bert as kb
    from keras_bert.training.distribution import is_chief
    from keras_bert.training.exchange import gather_over_workers

    counts = stream.counts
    sums = gather_over_workers(counts).sum(axis=0)
    if is_chief():
        kb.save_preset(os.path.join(values.output, "model"), model, tokenizer, overwrite=True)
        named = (f"{count:,} {name}" for name, count in zip(counts._fields, sums, strict=True))
        print(f"\nread since this start: {', '.join(named).replace('_', ' ')}")


def _open_output(values):
    if values.resume and values.overwrite:
        raise ValueError("--resume goes on and --overwrite begins anew; give one of them")
    if not values.resume:
        refuse_existing(values.output, values.overwrite, "--resume to go on, or --overwrite")
        shutil.rmtree(os.path.join(values.output, "checkpoints"), ignore_errors=True)
    os.makedirs(values.output, exist_ok=True)


def _data(values, tokenizer, phase, **settings):
    import keras_bert as kb

    inputs = values.input
    if values.input_weights:
        if len(values.input_weights) != len(inputs):
            raise ValueError(
                f"--input_weights gives {len(values.input_weights)} shares for {len(inputs)} "
                "--input; expected one for each"
            )
        inputs = dict(zip(inputs, map(float, values.input_weights), strict=True))
    return kb.data.pretraining(
        inputs,
        tokenizer,
        held_out_rate=values.held_out_rate,
        drop_duplicates=values.drop_duplicates,
        **{**_settings(values, phase), **settings},
    )


def _held_out(values, tokenizer, phase):
    """One pass with draws of its own, the same at every report; None where nothing is held out."""
    import keras_bert as kb

    own = {"epochs": 1, "seed": values.seed + 1}
    if values.held_out:
        return kb.data.pretraining(
            values.held_out, tokenizer, **{**_settings(values, phase), **own}
        )
    if values.held_out_rate:
        return _data(values, tokenizer, phase, part="held_out", **own)
    return None


def _settings(values, phase):
    return {
        "sequence_length": phase.sequence_length,
        "batch_size": phase.batch_size,
        "seed": phase.seed,
        "pairs": values.pairs,
        "masking": values.masking,
        "format": values.format,
        "word_segmenter": values.word_segmenter,
    }
