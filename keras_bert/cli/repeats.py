"""The same fine-tuning by several seeds: mean and spread of its measures, and the best model."""

import json
import os
import shutil
import statistics

from absl import flags

from keras_bert.atomic import atomic_directory
from keras_bert.cli.folders import refuse_existing
from keras_bert.text.files import write_atomically


def define(values):
    """Declares the flags."""
    flags.DEFINE_list(
        "seeds",
        [],
        "in place of --seed: a run each, in OUTPUT/seed_N; mean and spread of what they measure on "
        "--dev go to OUTPUT/seeds.json, the best model to OUTPUT/model",
        flag_values=values,
    )
    flags.DEFINE_string(
        "best_by",
        None,
        "the measure that says which is best; default: the job's first",
        flag_values=values,
    )


def run(values, finetune):
    """Runs a recipe once a seed.

    The spread is the standard deviation of a sample. Mosbach et al. 2020,
    https://arxiv.org/abs/2006.04884, say why one seed says little of a small set.

    Args:
        values: the command's flags; `seed` and `output` are set for each run.
        finetune: function without arguments that returns the report of a run, a dict.

    Raises:
        ValueError: fewer than two seeds, or no such; no set to measure on, or no such measure
            there; several workers.
        FileExistsError: as `refuse_existing`.
    """
    from keras_bert.training.distribution import num_workers

    if not all(seed.isdecimal() for seed in values.seeds) or len(set(values.seeds)) < 2:
        raise ValueError(
            f"--seeds={','.join(values.seeds)}; expected two or more whole numbers, such as 0,1,2"
        )
    if not values.dev:
        raise ValueError(
            "--seeds compares what is measured on --dev, one set for all seeds; name it"
        )
    if num_workers() > 1:
        raise ValueError("--seeds runs on one worker; on several give each run its own --seed")
    output = values.output
    refuse_existing(output, values.overwrite)
    reports = {}
    for seed in dict.fromkeys(map(int, values.seeds)):
        values.seed, values.output = seed, os.path.join(output, f"seed_{seed}")
        print(f"--- seed {seed}")
        report = finetune()
        reports[seed] = {name: x for name, x in report.items() if isinstance(x, float)}
        by = values.best_by or next(iter(reports[seed]))
        if by not in reports[seed]:
            raise ValueError(
                f"--best_by={by} is not among what is measured, {', '.join(reports[seed])}"
            )
    _write(output, by, reports)


def _write(output, by, reports):
    from keras_bert.training.early_stopping import less_is_better

    choose = min if less_is_better(by) else max
    best = choose(reports, key=lambda seed: reports[seed][by])
    measures = {}
    for name in reports[best]:
        found = [report[name] for report in reports.values()]
        mean, spread = statistics.fmean(found), statistics.stdev(found)
        measures[name] = {"mean": mean, "standard_deviation": spread, "values": found}
        print(f"{name} {mean:.4f} +- {spread:.4f} ({', '.join(f'{x:.4f}' for x in found)})")
    summary = {"seeds": list(reports), "best": best, "best_by": by, "measures": measures}
    write_atomically(os.path.join(output, "seeds.json"), json.dumps(summary, indent=2) + "\n")
    directory = os.path.join(output, "model")
    with atomic_directory(directory, overwrite=True, marker="config.json") as new:
        source = os.path.join(output, f"seed_{best}", "model")
        shutil.copytree(source, new, dirs_exist_ok=True)
    print(f"{directory}: of seed {best}, the best by {by}")
