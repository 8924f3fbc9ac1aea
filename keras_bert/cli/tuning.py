"""The flags of ways to fine-tune, and what follows from them."""

import json
import os

from absl import flags

from keras_bert.text.files import write_atomically


def define(values):
    """Declares the flags."""
    flags.DEFINE_integer(
        "freeze_layers",
        0,
        "encoder layers, from the first, that stay as they are",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "layer_decay",
        None,
        "each encoder layer's rate is that of the one above times this, such as 0.9",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "freeze_embeddings", False, "the embeddings stay as they are", flag_values=values
    )
    flags.DEFINE_float(
        "dropout",
        None,
        "the rate of dropout in the encoder and before the head, of attention too; default: the "
        "preset's",
        lower_bound=0.0,
        flag_values=values,
    )
    flags.DEFINE_float("l1", 0.0, "weight of sum(|kernel|) in the loss", flag_values=values)
    flags.DEFINE_float("l2", 0.0, "weight of sum(kernel ** 2) in the loss", flag_values=values)
    flags.DEFINE_string(
        "early_stopping",
        None,
        "a measure, such as val_accuracy: stop where it no longer improves, keep the best epoch",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "patience",
        1,
        "epochs without a better value of --early_stopping before the end",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_float(
        "r_drop",
        0.0,
        "weight of the difference between two passes with dropout, such as 1.0",
        lower_bound=0.0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "fgm",
        0.0,
        "length of the adversarial change of each row's token vectors, such as 1.0",
        lower_bound=0.0,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "lora_rank",
        None,
        "train products of this rank beside query and value, in place of the encoder",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_float(
        "average",
        None,
        "save a running average of the weights, which keeps this much of itself a step: 0.99",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "find_learning_rate",
        False,
        "in place of training: a short one with a rising rate, whose curve and suggestion go to "
        "OUTPUT/learning_rate.json and .png; give the rate by --learning_rate then",
        flag_values=values,
    )
    flags.DEFINE_string(
        "augment_from",
        None,
        "the model directory whose masked-LM head draws what --token_replace_rate puts in",
        flag_values=values,
    )
    ways = {"replace": "a masked LM replaces", "mask": "become [MASK]", "drop": "are left out"}
    for name, what in ways.items():
        flags.DEFINE_float(
            f"token_{name}_rate",
            0.0,
            f"share of the training texts' tokens that {what}, drawn anew each epoch",
            lower_bound=0.0,
            flag_values=values,
        )


def config(found, values):
    """A preset's `BertConfig` with what `--dropout` makes of it."""
    if values.dropout is None:
        return found
    return found.replace(dropout=values.dropout, attention_dropout=values.dropout)


def augmented(train, tokenizer, values):
    """The training set with what the flags `--token_..._rate` do to it."""
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.models.any_task import task_of

    rates = values.token_mask_rate, values.token_drop_rate
    replace_rate, preset = values.token_replace_rate, values.augment_from
    if bool(replace_rate) != (preset is not None):
        raise ValueError(
            "--token_replace_rate and --augment_from, the model directory of a masked LM, belong "
            "together; give both, or none"
        )
    if preset is None:
        return kb.data.augmented(train, tokenizer, *rates, values.seed) if any(rates) else train
    if task_of(open_source(preset)) not in (kb.BertMaskedLM, kb.BertPretrainer):
        raise ValueError(
            f"--augment_from={preset} has no masked-LM head; expected a checkpoint as pretraining "
            "leaves it"
        )
    if kb.BertTokenizer.from_preset(preset).vocabulary != tokenizer.vocabulary:
        raise ValueError(
            f"--augment_from={preset} has another vocabulary than --preset with the job's own "
            "tokens; expected the same, such as the checkpoint that both come from"
        )
    return kb.data.augmented(
        train, tokenizer, *rates, values.seed, replace_rate, kb.BertMaskedLM.from_preset(preset)
    )


def prepare(model, values):
    """Does to a model what comes before `compile`, and prints how much of it is trained."""
    import keras_bert as kb
    from keras_bert.training.distribution import is_chief

    kb.freeze(model, layers=values.freeze_layers, embeddings=values.freeze_embeddings)
    if values.lora_rank is not None:
        kb.add_lora(model, values.lora_rank)
    kb.regularize(model, l1=values.l1, l2=values.l2)
    if is_chief():
        trained, all_ = (
            sum(weight.shape.num_elements() for weight in weights)
            for weights in (model.trainable_weights, model.weights)
        )
        print(f"{trained:,} of {all_:,} parameters are trained")


def optimizer_options(values):
    """The flags that are arguments of `kb.optimizers.adamw`."""
    return {"layer_decay": values.layer_decay, "average": values.average}


def fit_options(values):
    """The flags that are arguments of `fit`."""
    return {"r_drop": values.r_drop, "fgm": values.fgm}


def find_learning_rate(model, train, values):
    """Does what `--find_learning_rate` asks for; prints the suggestion."""
    import keras_bert as kb

    options = fit_options(values)
    found = kb.find_learning_rate(model, train, micro_batches=values.micro_batches, **options)
    os.makedirs(values.output, exist_ok=True)
    path = os.path.join(values.output, "learning_rate")
    write_atomically(f"{path}.json", json.dumps(found._asdict(), indent=2) + "\n")
    try:
        kb.plots.learning_rates(found, f"{path}.png")
    except ImportError as error:  # it says how to install matplotlib
        print(f"no picture: {error}")
    print(
        f"--learning_rate={found.suggestion:.2g} is a tenth of the rate of the lowest loss; "
        f"{path}.json has the curve"
    )


def callbacks(values, has_dev):
    """The callbacks of `fit`, a list.

    Args:
        values: the flags.
        has_dev: bool, whether there is a set to measure on.

    Raises:
        ValueError: a measure on --dev is asked for, and there is none.
    """
    import keras_bert as kb

    # The averages first: what is kept as best are they.
    found = [] if values.average is None else [kb.AveragedWeights()]
    if values.early_stopping is None:
        return found
    if values.early_stopping.startswith("val_") and not has_dev:
        raise ValueError(f"--early_stopping={values.early_stopping} needs --dev to measure on")
    return [*found, kb.EarlyStopping(values.early_stopping, values.patience)]
