"""Writes a model directory in Hugging Face's layout, history.json and curves.png to --output.

Input holds one sentence a line with an empty line between documents, or running prose with
--format=prose. The model directory is renewed at each report, whole or not at all.
"""

import os

from absl import flags

from keras_bert.cli import devices

REQUIRED = ["input", "vocab", "output"]


def define(values):
    """Declares the flags."""
    string, integer, number = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_float
    flags.DEFINE_multi_string(
        "input", None, "text file or glob, also .gz; may be repeated", flag_values=values
    )
    flags.DEFINE_multi_string("held_out", [], "text never trained on", flag_values=values)
    string("vocab", None, "the vocabulary file", flag_values=values)
    flags.DEFINE_bool("lowercase", True, "lower-case and strip accents", flag_values=values)
    string("output", None, "the run folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    string(
        "size",
        "base",
        "tiny, mini, small, medium, base, large or a JSON file of BertConfig",
        flag_values=values,
    )
    integer("sequence_length", 128, "tokens a row", lower_bound=1, flag_values=values)
    integer(
        "batch_size", 256, "rows a step, all replicas together", lower_bound=1, flag_values=values
    )
    integer("steps", 100_000, "training steps", lower_bound=1, flag_values=values)
    integer("report_every", 1_000, "steps between reports", lower_bound=1, flag_values=values)
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
    devices.define(values)
    integer(
        "seed", 0, "decides weights, data order, pairs and masks", lower_bound=0, flag_values=values
    )


def main(values):
    """Pretrains and writes the model directory."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras

    import keras_bert as kb
    from keras_bert.cli.folders import refuse_existing, write_history
    from keras_bert.training.stopping import StopAfter

    refuse_existing(values.output, values.overwrite)
    keras.utils.set_random_seed(values.seed)
    tokenizer = kb.BertTokenizer(values.vocab, lowercase=values.lowercase)
    settings = {
        "sequence_length": values.sequence_length,
        "batch_size": values.batch_size,
        "pairs": values.pairs,
        "masking": values.masking,
        "format": values.format,
        "word_segmenter": values.word_segmenter,
    }
    data = kb.data.pretraining(values.input, tokenizer, seed=values.seed, **settings)
    held_out = None
    if values.held_out:
        # One pass with draws of its own, the same at every report.
        held_out = kb.data.pretraining(
            values.held_out, tokenizer, seed=values.seed + 1, epochs=1, **settings
        )
    with kb.strategy(values.strategy).scope():
        backbone = kb.BertBackbone(_config(values, tokenizer), dtype=values.precision)
        model = kb.BertMaskedLM(backbone) if values.pairs == "none" else kb.BertPretrainer(backbone)
        warmup = values.steps // 10 if values.warmup_steps is None else values.warmup_steps
        model.compile(
            optimizer=kb.optimizers.adamw(
                values.learning_rate,
                warmup_steps=warmup,
                total_steps=values.steps,
                weight_decay=values.weight_decay,
            ),
            **(kb.losses.masked_lm() if values.pairs == "none" else kb.losses.pretraining()),
        )
    save = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kb.save_preset(
            os.path.join(values.output, "model"), model, tokenizer, overwrite=True
        )
    )
    every = min(values.report_every, values.steps)
    os.makedirs(values.output, exist_ok=True)
    history = model.fit(
        data,
        steps_per_epoch=every,
        epochs=-(-values.steps // every),
        validation_data=held_out,
        callbacks=[kb.Throughput(), StopAfter(values.steps), save],
    ).history
    write_history(history, values.output)
    print(f"read {data.stream.counts}")
    print(f"{os.path.join(values.output, 'model')}: {model.count_params():,} parameters")


def _config(values, tokenizer):
    from keras_bert.config import BertConfig

    if os.path.isfile(values.size):
        config = BertConfig.load(values.size)
        if config.vocabulary_size != tokenizer.vocabulary_size:
            raise ValueError(
                f"{values.size} has vocabulary_size={config.vocabulary_size}, but {values.vocab} "
                f"has {tokenizer.vocabulary_size} tokens; they must agree"
            )
        return config
    return BertConfig.named(
        values.size,
        vocabulary_size=tokenizer.vocabulary_size,
        max_sequence_length=max(512, values.sequence_length),
    )
