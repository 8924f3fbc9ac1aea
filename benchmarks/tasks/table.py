"""The table of results, in English and in Chinese, of the runs that are kept.

Standard library only; a run is a dict as `benchmarks.tasks.run` keeps it.
"""

import dataclasses
import json
import os
import pathlib
import statistics

from benchmarks.tasks.recipes import RECIPES

# The words of the two pages.
_WORDS = {
    "results.md": {
        "other": "[中文](results.zh-CN.md)",
        "title": "Results",
        "intro": (
            "What the downstream jobs reach on real sets, from raw files by the command line. "
            "`make results` reruns what is not there yet and writes this page; "
            "[recipes.py](../benchmarks/tasks/recipes.py) has the hyperparameters, "
            "[results.json](results.json) every single figure."
        ),
        "columns": (
            *("set", "measure", "mean", "by seed", "goal", "Hugging Face", "training", "memory"),
        ),
        "notes": (
            "*Hugging Face*: PyTorch from the same weights, one seed, bfloat16. *Training*: median "
            "seconds of `keras-bert finetune`, from starting Python to the saved model, on two "
            "cores; runs beside other work are marked with their load. *Memory*: the most that the "
            "process had."
        ),
        "beside": "beside a load of",
        "seconds": "s",
    },
    "results.zh-CN.md": {
        "other": "[English](results.md)",
        "title": "结果",
        "intro": (
            "各下游任务在真实数据集上的成绩：从原始文件开始，全部通过命令行得到。"
            "`make results` 补跑尚缺的实验并写出本页；"
            "超参数见 [recipes.py](../benchmarks/tasks/recipes.py)，"
            "每个数字见 [results.json](results.json)。"
        ),
        "columns": (*("数据集", "指标", "均值", "各种子", "目标", "Hugging Face", "训练", "内存"),),
        "notes": (
            "*Hugging Face*：PyTorch，同一权重，单个种子，bfloat16。*训练*：`keras-bert finetune` "
            "从启动 Python 到保存模型的秒数（两核，中位数）；与其他任务同时运行的标出负载。"
            "*内存*：该进程的峰值。"
        ),
        "beside": "负载",
        "seconds": "秒",
    },
}
_COMMANDS = ["```sh", "make results", "python -m benchmarks.tasks.run --only=sst2,stsb", "```"]
# Above this the machine had more to do than the run itself.
_BUSY = 2.5


def plain(recipe):
    """A recipe as JSON has it, but for its words and goals: what its runs depend on."""
    values = dataclasses.asdict(recipe)
    del values["title"]
    values["measures"] = [measure.name for measure in recipe.measures]
    return values


def is_of(run, recipe):
    """Whether a run is one of the recipe as it stands today."""
    return run.get("recipe") == plain(recipe)


def write(docs, work):
    """Writes results.json, results.md and results.zh-CN.md.

    Args:
        docs: folder they go to; runs in its results.json that `work` lacks are kept, but for those
            of a recipe that has changed.
        work: folder of `RECIPE/seed_N.json`.

    Returns:
        str, the page in English.
    """
    store = pathlib.Path(docs) / "results.json"
    runs = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    for recipe in RECIPES:
        for path in sorted((pathlib.Path(work) / recipe.name).glob("seed_*.json")):
            run = json.loads(path.read_text(encoding="utf-8"))
            runs.setdefault(recipe.name, {})[path.stem.removeprefix("seed_")] = run
    recipes = {recipe.name: recipe for recipe in RECIPES}
    runs = {
        name: {seed: run for seed, run in of.items() if is_of(run, recipes[name])}
        for name, of in runs.items()
        if name in recipes
    }
    pages = {name: page(runs, words) for name, words in _WORDS.items()}
    _replace(store, json.dumps(runs, indent=1, sort_keys=True) + "\n")
    for name, text in pages.items():
        _replace(store.with_name(name), text)
    return pages["results.md"]


def page(runs, words):
    """The page as Markdown.

    Args:
        runs: dict, recipe -> seed -> run.
        words: as those above.
    """
    columns = words["columns"]
    lines = [f"# {words['title']}", "", words["other"], "", words["intro"], "", *_COMMANDS, ""]
    lines += [_row(columns), _row(["---"] * 2 + ["---:"] * (len(columns) - 2))]
    for recipe in RECIPES:
        if found := runs.get(recipe.name):
            lines += map(_row, rows(recipe, found, words))
    return "\n".join([*lines, "", words["notes"], ""])


def rows(recipe, runs, words):
    """The rows of a recipe, lists of str; those of baselines follow their measure's."""
    seeds = sorted(runs, key=int)
    seconds = statistics.median(runs[seed]["training"]["seconds"] for seed in seeds)
    load = max(runs[seed]["load"] for seed in seeds)
    time = f"{seconds:,.0f} {words['seconds']}"
    if load > _BUSY:
        time += f" ({words['beside']} {load:.0f})"
    memory = max(runs[seed]["training"]["peak_mib"] for seed in seeds) / 1024
    result, costs = [], [time, f"{memory:.1f} GiB"]
    for measure in recipe.measures:

        def text(value, measure=measure):
            return "" if value is None else f"{value:.{measure.digits}f}"

        found = [runs[seed]["measures"][measure.name] * measure.scale for seed in seeds]
        mean = text(statistics.fmean(found))
        by_seed = ", ".join(map(text, found))
        given = [text(measure.goal) and f"≥ {text(measure.goal)}", text(measure.peer)]
        result.append([recipe.title, measure.title, f"**{mean}**", by_seed, *given, *costs])
        costs = ["", ""]
        for baseline in runs[seeds[0]].get("baselines", []):
            if baseline["measure"] == measure.name:
                value = text(baseline["value"] * measure.scale)
                result.append(["", f"{measure.title}: {baseline['title']}", value, *[""] * 5])
    return result


def _row(cells):
    return f"| {' | '.join(cells)} |"


def _replace(path, text):
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
