"""Ours beside the peers: the same work, one process each, in turn, again and again.

    python -m benchmarks.run --only=training_step,inference --repeats=3

A machine is never the same for a minute: contenders of a group therefore take turns, round after
round, and only one works at a time. Medians, spreads and ratios go to benchmarks/results, as
Markdown and JSON.
"""

import datetime
import importlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shlex
import sys

from absl import app, flags

from benchmarks import table
from benchmarks.contender import Contender
from benchmarks.data import find_vocabulary
from benchmarks.groups import missing_packages

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = (
    *("tokenizer", "pretraining_data", "long_corpus"),
    *("training_step", "micro_batches", "finetuning_step", "inference", "resume", "loading"),
)
VERSIONS = (
    *("keras_bert", "tensorflow", "tensorflow-text", "keras", "keras-hub"),
    *("torch", "transformers", "tokenizers"),
)

_ONLY = flags.DEFINE_list("only", list(BENCHMARKS), f"Which of {', '.join(BENCHMARKS)}.")
_ROWS = flags.DEFINE_string("rows", "", "Regular expression: rows whose name matches, not all.")
_REPEATS = flags.DEFINE_integer("repeats", None, "Rounds; 5, or 1 with --quick.", lower_bound=1)
_QUICK = flags.DEFINE_bool("quick", False, "Least work, to see that all runs; figures mean little.")
_DATA = flags.DEFINE_string(
    "data", str(ROOT.parent / "shared" / "data"), "Folder of the real data sets."
)


def main(argv):
    if argv[1:]:
        raise app.UsageError(f"unexpected argument {argv[1]!r}: everything is a --flag")
    if unknown := set(_ONLY.value) - set(BENCHMARKS):
        raise app.UsageError(f"--only: unknown {sorted(unknown)}; expected {list(BENCHMARKS)}")
    RESULTS.mkdir(exist_ok=True)
    data = pathlib.Path(_DATA.value)
    task = {"data": str(data) if data.is_dir() else None, "quick": _QUICK.value}
    vocabulary = find_vocabulary(data if data.is_dir() else None, RESULTS)
    task["vocabulary"] = vocabulary and str(vocabulary)
    rounds = _REPEATS.value or (1 if _QUICK.value else 5)
    results = {"header": {**_header(), "rounds": rounds}, "groups": [], "left_out": []}
    name = "-".join(["quick"] * _QUICK.value + [n for n in BENCHMARKS if n in _ONLY.value])
    name = name.replace("-".join(BENCHMARKS), "all") + ("-some" if _ROWS.value else "")
    for benchmark in BENCHMARKS:
        if benchmark not in _ONLY.value:
            continue
        module = f"benchmarks.{benchmark}"
        for group in importlib.import_module(module).GROUPS:
            if not re.search(_ROWS.value, group.name):
                continue
            missing = [file for file in group.files if not (data / file).is_file()]
            if missing:
                results["left_out"].append(f"{group.name}: no {missing[0]} in {_DATA.value}")
                continue
            measured, left_out = _measure(group, {**task, "module": module}, rounds)
            results["groups"].append(measured)
            results["left_out"] += left_out
            _write(results, name)  # each time: an interrupted run leaves what it has
    _write(results, name)
    print(table.markdown(results))
    print(f"written to {(RESULTS / name).relative_to(ROOT)}.md and .json")


def _measure(group, task, rounds):
    """Runs a group; returns it as a dict with its figures, and why contenders were left out."""
    contenders, left_out = [], []
    try:
        for name in group.contenders:
            if missing := missing_packages(name):
                left_out.append(f"{group.name}: {name}, {', '.join(missing)} not installed")
                continue
            _say(f"{group.name}: preparing {name}")
            slug = re.sub(r"\W+", "_", f"{group.name} {name}")
            own_task = {**task, "group": group.name, "contender": name}
            contenders.append(Contender(name, own_task, ROOT, RESULTS / f"{slug}.log"))
            if contenders[-1].error:
                _say(f"    {contenders[-1].error}")
        for number in range(1, rounds + 1):
            for contender in contenders:
                contender.repeat()
                outcome = contender.error or f"{table.number(contender.figures[-1])} {group.unit}"
                _say(f"    round {number} of {rounds}: {contender.name}: {outcome}")
    finally:
        for contender in contenders:
            contender.end()
    measured = {
        "name": group.name,
        "unit": group.unit,
        "larger_is_better": group.larger_is_better,
        "goal": group.goal,
        "contenders": [
            {
                "name": contender.name,
                "figures": contender.figures,
                "by_cpu": contender.by_cpu,
                "error": contender.error,
                "goal_ratio": group.goal_ratio(contender.name),
            }
            for contender in contenders
        ],
    }
    return measured, left_out


def _write(results, name):
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(table.markdown(results), encoding="utf-8")


def _header():
    """Machine, versions, date and command, as they stand above the table."""
    model = re.search(r"model name\s*: (.+)", _text("/proc/cpuinfo"))
    versions = []
    for package in VERSIONS:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    return {
        "machine": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        "load before": f"{os.getloadavg()[0]:.1f} (more than 0.5 bends the figures)",
        "versions": f"Python {platform.python_version()}, {', '.join(versions)}",
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "command": "python -m benchmarks.run " + shlex.join(sys.argv[1:]),
    }


def _text(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app.run(main)
