"""The same fine-tuning several times, by seeds or by folds: mean and spread of its measures."""

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
    flags.DEFINE_integer(
        "folds",
        None,
        "cross-validation in place of --dev: --train is cut into so many folds by --seed, and each "
        "is measured on by a run, in OUTPUT/fold_N, that learns from the others; mean and spread "
        "go to OUTPUT/folds.json",
        lower_bound=2,
        flag_values=values,
    )
    flags.DEFINE_string(
        "best_by",
        None,
        "the measure that says which is best; default: the job's first",
        flag_values=values,
    )


def by_seed(values, finetune):
    """Runs a recipe once a seed, and keeps the best model.

    Mosbach et al. 2020, https://arxiv.org/abs/2006.04884, say why one seed says little of a small
    set.

    Args:
        values: the command's flags; `seed` and `output` are set for each run.
        finetune: function without arguments that returns the report of a run, a dict.

    Raises:
        ValueError: fewer than two seeds, or no such; no set to measure on, or no such measure
            there; several workers.
        FileExistsError: as `refuse_existing`.
    """
    if not all(seed.isdecimal() for seed in values.seeds) or len(set(values.seeds)) < 2:
        raise ValueError(
            f"--seeds={','.join(values.seeds)}; expected two or more whole numbers, such as 0,1,2"
        )
    if not values.dev:
        raise ValueError(
            "--seeds compares what is measured on --dev, one set for all seeds; name it"
        )

    def run(seed):
        values.seed = seed
        return finetune()

    seeds = list(dict.fromkeys(map(int, values.seeds)))
    output, by, reports = _run_each(values, "seed", seeds, run)
    best = best_of(reports, by)
    _write(output, "seeds", {"seeds": seeds, "best": best, "best_by": by}, reports)
    copy_model(os.path.join(output, f"seed_{best}"), output)
    print(f"{output}/model: of seed {best}, the best by {by}")


def by_fold(values, cut, finetune):
    """Runs a recipe once a fold: k-fold cross-validation, each row measured on once.

    There is no best model among them, since each is measured on other rows.

    Args:
        values: the command's flags; `output` is set for each run.
        cut: function without arguments that returns the folds, pairs of rows to learn from and to
            measure on.
        finetune: function of such a pair that returns the report of a run, a dict.

    Raises:
        ValueError: another set to measure on is named, or several seeds; the data cannot be cut;
            several workers.
        FileExistsError: as `refuse_existing`.
    """
    others = [name for name in ("dev", "dev_rate", "seeds", "best_by") if values[name].value]
    if others:
        raise ValueError(
            f"--folds measures each run on rows of --train; leave --{others[0]} out, or --folds"
        )
    pairs = cut()
    output, _, reports = _run_each(
        values, "fold", range(len(pairs)), lambda fold: finetune(pairs[fold])
    )
    _write(output, "folds", {"folds": len(pairs), "seed": values.seed}, reports)


def _run_each(values, what, names, run):
    """Runs all; returns the output folder, the measure to compare by, each run's measures."""
    from keras_bert.training.distribution import num_workers

    if num_workers() > 1:
        raise ValueError(f"--{what}s runs on one worker; on several start each run by itself")
    output = values.output
    refuse_existing(output, values.overwrite)
    reports = {}
    for name in names:
        values.output = os.path.join(output, f"{what}_{name}")
        print(f"--- {what} {name}")
        reports[name] = measures_of(run(name))
        by = chosen_measure(reports[name], values.best_by)
    return output, by, reports


def measures_of(report):
    """What of a run's report can be compared: its plain numbers, a dict."""
    return {name: x for name, x in report.items() if isinstance(x, float)}


def chosen_measure(measures, best_by):
    """The measure that decides: `--best_by`, or the job's first; ValueError where it is none."""
    by = best_by or next(iter(measures))
    if by not in measures:
        raise ValueError(f"--best_by={by} is not among what is measured, {', '.join(measures)}")
    return by


def best_of(reports, by):
    """The name of the run that is best by a measure; the first of equal ones."""
    from keras_bert.training.early_stopping import less_is_better

    choose = min if less_is_better(by) else max
    return choose(reports, key=lambda name: reports[name][by])


def copy_model(run_folder, output):
    """Makes the model of a run the one of all runs, OUTPUT/model."""
    directory = os.path.join(output, "model")
    with atomic_directory(directory, overwrite=True, marker="config.json") as new:
        shutil.copytree(os.path.join(run_folder, "model"), new, dirs_exist_ok=True)


def _write(output, name, summary, reports):
    """Writes and prints mean and spread, the standard deviation of a sample, of each measure."""
    summary["measures"] = measures = {}
    first, *others = reports.values()
    for measure in (name for name in first if all(name in report for report in others)):
        found = [report[measure] for report in reports.values()]
        mean, spread = statistics.fmean(found), statistics.stdev(found)
        measures[measure] = {"mean": mean, "standard_deviation": spread, "values": found}
        print(f"{measure} {mean:.4f} +- {spread:.4f} ({', '.join(f'{x:.4f}' for x in found)})")
    text = json.dumps(summary, indent=2) + "\n"
    write_atomically(os.path.join(output, f"{name}.json"), text)
