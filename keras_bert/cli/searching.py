"""The same fine-tuning by many settings of its flags: which are best, and their model."""

import json
import os

from absl import flags

from keras_bert.cli.folders import refuse_existing
from keras_bert.cli.repeats import chosen_measure, copy_model, measures_of
from keras_bert.text.files import write_atomically

# What is searched where --search_space names nothing else.
SPACE = {
    "learning_rate": {"min": 1e-5, "max": 3e-4, "log": True},
    "batch_size": [16, 32],
    "epochs": [2, 3, 4],
    "dropout": [0.0, 0.1, 0.2],
}
# Flags of numbers that are no settings of a training.
_NOT_SEARCHED = ("search", "folds", "dev_rate", "processes", "worker_index", "worker_timeout")


def define(values):
    """Declares the flags."""
    flags.DEFINE_integer(
        "search",
        None,
        "try so many settings at random, a run each, in OUTPUT/trial_N; the best flags go to "
        "OUTPUT/search.json, the best model to OUTPUT/model. The same command goes on where it "
        "was cut. Needs keras-tuner",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "search_space",
        None,
        "a JSON file of flags of this command with lists of values, or ranges, {min, max} with "
        f"step or log: {json.dumps(SPACE)}, the default",
        flag_values=values,
    )


def run(values, finetune):
    """Runs a recipe once a trial; see `kb.search`.

    Args:
        values: the command's flags; those searched and `output` are set for each run.
        finetune: function without arguments that returns the report of a run, a dict.

    Raises:
        ValueError: no set to measure on, or no such measure there; several runs of each trial;
            a space that is none; several workers.
        FileExistsError: as `refuse_existing`, but for a folder of a search.
        ImportError: keras-tuner is missing.
    """
    import keras_bert as kb
    from keras_bert.training.distribution import num_workers
    from keras_bert.training.early_stopping import less_is_better

    if values.seeds or values.folds or not (values.dev or values.dev_rate):
        raise ValueError(
            "--search compares what is measured on --dev, in one run each: name it, or --dev_rate, "
            "and leave --seeds and --folds out"
        )
    if num_workers() > 1:
        raise ValueError("--search runs on one worker")
    space = read_space(values)
    output, overwrite = values.output, values.overwrite
    state = os.path.join(output, "search")
    refuse_existing(output, overwrite or os.path.isdir(state))
    values.overwrite = True  # of a trial that was cut

    def trial(settings, number):
        print(f"--- trial {number}: " + ", ".join(f"{n}={x}" for n, x in settings.items()))
        for name, value in settings.items():
            values[name].value = value
        values.output = os.path.join(output, f"trial_{number}")
        measures = measures_of(finetune())
        by = chosen_measure(measures, values.best_by)
        return {**measures, "score": -measures[by] if less_is_better(by) else measures[by]}

    found = kb.search(trial, space, values.search, state, "score", values.seed, overwrite)
    for row in found:
        del row["measures"]["score"]
    best = found[0]
    summary = {"flags": best["settings"], "trial": best["trial"], "trials": found}
    write_atomically(os.path.join(output, "search.json"), json.dumps(summary, indent=2) + "\n")
    copy_model(os.path.join(output, f"trial_{best['trial']}"), output)
    told = " ".join(f"--{name}={value}" for name, value in best["settings"].items())
    print(f"{output}/model: of trial {best['trial']}, {told}")


def read_space(values):
    """The space of `--search_space`, or the default one; ValueError where a flag is none."""
    if values.search_space is None:
        return SPACE
    with open(values.search_space, encoding="utf-8") as file:
        try:
            space = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{values.search_space}: no JSON, {error}") from error
    for name, value in space.items() if isinstance(space, dict) else ():
        of_numbers = name in values and isinstance(
            values[name].parser, (flags.FloatParser, flags.IntegerParser, flags.BooleanParser)
        )
        if not of_numbers or name in _NOT_SEARCHED:
            raise ValueError(
                f"{values.search_space}: --{name} is no flag that can be searched; expected one "
                f"of numbers, such as {', '.join(SPACE)}, layer_decay, r_drop"
            )
        if isinstance(value, dict):
            value = [value[end] for end in ("min", "max") if end in value]
        for one in value if isinstance(value, list) else ():  # else kb.search says what is wrong
            try:
                values[name].parser.parse(one)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{values.search_space}: --{name}={one!r}: {error}") from error
    return space
