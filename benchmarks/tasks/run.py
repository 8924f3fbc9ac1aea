"""Runs the recipes that have not run yet, by each seed, and writes the table of results.

    python -m benchmarks.tasks.run --only=sst2,stsb --seeds=0,1,2

A run is kept in `benchmarks/results/tasks/NAME/seed_N.json`, until its recipe changes. The table is
docs/results.md, in Chinese docs/results.zh-CN.md, with every figure in docs/results.json.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from absl import app, flags

from benchmarks.tasks import table
from benchmarks.tasks.baselines import BASELINES
from benchmarks.tasks.recipes import RECIPES
from benchmarks.tasks.running import keras_bert
from benchmarks.tasks.starts import STARTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "benchmarks" / "results" / "tasks"
NAMES = [recipe.name for recipe in RECIPES]

_ONLY = flags.DEFINE_list("only", NAMES, f"Which of {', '.join(NAMES)}.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "A run each.")
_DATA = flags.DEFINE_string("data", str(ROOT.parent / "shared" / "data"), "Folder of the sets.")


def main(argv):
    if argv[1:]:
        raise app.UsageError(f"unexpected argument {argv[1]!r}: everything is a --flag")
    if unknown := set(_ONLY.value) - set(NAMES):
        raise app.UsageError(f"--only: unknown {sorted(unknown)}; expected some of {NAMES}")
    data, failed = pathlib.Path(_DATA.value), []
    # All recipes by the first seed before any by the next: the table is soon whole.
    for seed in map(int, _SEEDS.value):
        for recipe in RECIPES:
            if recipe.name in _ONLY.value and not _once(recipe, seed, data):
                failed.append(f"{recipe.name} by seed {seed}")
    print(table.write(ROOT / "docs", WORK))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; the logs are in {WORK}")


def _once(recipe, seed, data):
    """Runs a recipe unless it has run; returns whether it is there now."""
    folder = WORK / recipe.name
    kept = folder / f"seed_{seed}.json"
    if kept.exists() and table.is_of(json.loads(kept.read_text(encoding="utf-8")), recipe):
        return True
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"{recipe.name}, seed {seed}")
    try:
        found = run(recipe, seed, data, folder)
        if seed == 0 and recipe.name in BASELINES:
            found["baselines"] = BASELINES[recipe.name](recipe, data, folder)
    except (OSError, RuntimeError, ValueError) as error:
        _say(f"    {error}")
        return False
    _write(
        kept,
        {**found, "recipe": table.plain(recipe), "commit": _commit(), "load": os.getloadavg()[1]},
    )
    _say(f"    {found['measures']}, {found['training']['seconds']:.0f} s")
    table.write(ROOT / "docs", WORK)  # each time: an interrupted run leaves what it has
    return True


def run(recipe, seed, data, folder):
    """Trains by a recipe and a seed, and measures.

    Returns:
        Dict of `measures` (name -> number), `training` and `measuring` (see `keras_bert`).
    """
    output, log = folder / f"seed_{seed}", folder / f"seed_{seed}.log"
    log.unlink(missing_ok=True)
    start = STARTS[recipe.start](data, WORK)
    training = keras_bert(
        "finetune",
        log,
        preset=start,
        task=recipe.task,
        train=_below(data, recipe.train),
        dev=recipe.dev and _below(data, recipe.dev),
        output=output,
        seed=seed,
        overwrite=True,
        tensorboard=False,
        **recipe.reading,
        **recipe.flags,
    )
    measuring = keras_bert(
        "evaluate",
        log,
        preset=output / "model",
        input=_below(data, recipe.test),
        output=output / "test",
        **recipe.reading,
        **recipe.evaluating,
    )
    report = json.loads((output / "test" / "report.json").read_text(encoding="utf-8"))
    shutil.rmtree(output / "model")  # large, and made again by the same command
    measures = {measure.name: _find(report, measure.name) for measure in recipe.measures}
    return {"measures": measures, "training": training, "measuring": measuring}


def _below(data, names):
    """The files of a comma list, as paths below the data folder."""
    return ",".join(str(data / name) for name in names.split(","))


def _find(report, name):
    for key in name.split("."):
        report = report[key]
    return report


def _commit():
    command = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _write(path, value):
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def _say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app.run(main)
