"""What pretraining begins with: a new model, or a checkpoint of any kind."""

import os

from keras_bert.cli import devices
from keras_bert.cli.phases import phases_of


def check(values):
    """Raises ValueError unless the flags say once where the model begins."""
    start = getattr(values, "from")
    if (start is None) == (values.vocab is None):
        given = "neither" if start is None else "both"
        raise ValueError(
            f"expected --vocab=FILE for a new model, or --from=CHECKPOINT; received {given}"
        )
    if start is not None and values.size is not None:
        raise ValueError(f"--from={start} has a size of its own; leave --size={values.size} out")


def tokenizer(values):
    """The tokenizer of the vocabulary or the checkpoint to begin with."""
    import keras_bert as kb

    start = getattr(values, "from")
    if start is not None:
        return kb.BertTokenizer.from_preset(start, lowercase=values.lowercase)
    return kb.BertTokenizer(values.vocab, lowercase=values.lowercase is not False)


def model(values, tokenizer):
    """The compiled model; the schedule goes over all phases."""
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source

    start = getattr(values, "from")
    source = None if start is None else open_source(start)
    config = _new_config(values, tokenizer) if source is None else _config_of(source, values)
    precision, loss_scale = devices.precision(values, config)
    task = kb.BertMaskedLM if values.pairs == "none" else kb.BertPretrainer
    if source is None:
        model = task(kb.BertBackbone(config, dtype=precision, recompute=values.recompute))
    else:
        model = task.from_source(source, dtype=precision, recompute=values.recompute)
    warmup = values.steps // 10 if values.warmup_steps is None else values.warmup_steps
    model.compile(
        optimizer=kb.optimizers.adamw(
            values.learning_rate,
            warmup_steps=warmup,
            total_steps=values.steps,
            weight_decay=values.weight_decay,
            loss_scale=loss_scale,
            on_nonfinite=values.on_nonfinite,
        ),
        **(kb.losses.masked_lm() if values.pairs == "none" else kb.losses.pretraining()),
    )
    return model


def _new_config(values, tokenizer):
    from keras_bert.config import BertConfig

    size = values.size or "base"
    if os.path.isfile(size):
        config = BertConfig.load(size)
        if config.vocabulary_size != tokenizer.vocabulary_size:
            raise ValueError(
                f"{size} has vocabulary_size={config.vocabulary_size}, but {values.vocab} "
                f"has {tokenizer.vocabulary_size} tokens; they must agree"
            )
        return config
    longest = max(phase.sequence_length for phase in phases_of(values))
    return BertConfig.named(
        size,
        vocabulary_size=tokenizer.vocabulary_size,
        max_sequence_length=max(512, longest),
    )


def _config_of(source, values):
    """The configuration of the checkpoint to go on from, where the rows fit its tables."""
    longest = max(phase.sequence_length for phase in phases_of(values))
    if longest > source.config.max_sequence_length:
        raise ValueError(
            f"{source.config_path} has max_sequence_length={source.config.max_sequence_length}, "
            f"and rows of {longest} tokens are asked for; shorten them, or lengthen the table "
            "first with keras-bert convert --max_sequence_length"
        )
    return source.config
