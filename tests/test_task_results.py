"""The recipes are commands that exist, and the table says what their runs did; no TensorFlow."""

import json

import pytest
from absl import flags

from benchmarks.tasks import baselines, table
from benchmarks.tasks.recipes import RECIPES, Measure, Recipe
from benchmarks.tasks.running import keras_bert
from benchmarks.tasks.starts import STARTS
from keras_bert.cli import evaluate, finetune


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_is_two_commands(recipe):
    given = {"preset": "p", "output": "o", **recipe.reading}
    wanted = {
        finetune: {**given, "task": recipe.task, "train": recipe.train, **recipe.flags},
        evaluate: {**given, "input": recipe.test, **recipe.evaluating},
    }
    for command, options in wanted.items():
        values = flags.FlagValues()
        command.define(values)
        values(["", *(f"--{name}={value}" for name, value in options.items())])
    assert recipe.start in STARTS


def test_names_are_folders_and_every_baseline_has_a_recipe():
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names) and all(name.isidentifier() for name in names)
    for name in baselines.BASELINES:
        assert name in names


def run(value, seconds=100.0, load=0.5, **others):
    training = {"seconds": seconds, "peak_mib": 1536.0}
    return {"measures": {"f1": value}, "training": training, "load": load, **others}


def test_a_row_has_the_mean_of_the_seeds_in_their_order_and_the_largest_load():
    recipe = Recipe("x", "X", "tokens", "a", "b", {}, (Measure("f1", "F1", 90.0, 88.0),))
    baseline = {"title": "guessing", "measure": "f1", "value": 0.5}
    runs = {
        "10": run(0.95, 300.0),
        "2": run(0.911, 200.0, load=5.1),
        "0": run(0.92, 100.0, baselines=[baseline]),
    }
    words = table._WORDS["results.md"]
    assert table.rows(recipe, runs, words) == [
        [
            *("X", "F1", "**92.7**", "92.0, 91.1, 95.0", "≥ 90.0", "88.0"),
            *("200 s (beside a load of 5)", "1.5 GiB"),
        ],
        ["", "F1: guessing", "50.0", "", "", "", "", ""],
    ]


def test_runs_of_other_times_stay_in_the_table(tmp_path):
    docs, work = tmp_path / "docs", tmp_path / "work"
    docs.mkdir()
    first, second = RECIPES[:2]

    def keep(recipe, seed, value):
        measures = {measure.name: value for measure in recipe.measures}
        folder = work / recipe.name
        folder.mkdir(parents=True, exist_ok=True)
        found = {**run(0.0), "measures": measures, "recipe": table.plain(recipe)}
        (folder / f"seed_{seed}.json").write_text(json.dumps(found))

    keep(first, 0, 0.25)
    table.write(docs, work)
    for path in work.rglob("*.json"):
        path.unlink()
    keep(first, 1, 0.75)
    keep(second, 0, 0.125)
    text = table.write(docs, work)
    assert text == (docs / "results.md").read_text(encoding="utf-8")
    assert "**0.500** | 0.250, 0.750 |" in text and "**12.5** | 12.5 |" in text
    # A run of other settings says nothing of the recipe.
    kept = json.loads((docs / "results.json").read_text())
    kept[second.name]["0"]["recipe"]["flags"]["epochs"] += 1
    (docs / "results.json").write_text(json.dumps(kept))
    (work / second.name / "seed_0.json").unlink()
    assert "**12.5**" not in table.write(docs, work)
    chinese = (docs / "results.zh-CN.md").read_text(encoding="utf-8")
    assert "**0.500** | 0.250, 0.750 |" in chinese and "目标" in chinese


def test_a_command_that_fails_says_so_with_its_last_lines(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(RuntimeError, match=r"(?s)exit code 2.*unknown command 'nothing'"):
        keras_bert("nothing", log, flag=["a", "b"], other=None)
    assert log.read_text().split("\n")[0].endswith("nothing --flag=a --flag=b")


def test_spans_of_tags_begin_anew_where_they_must():
    tags = ["I-A", "B-A", "I-A", "I-B", "O", "I-B", "I-B"]
    assert baselines._spans(tags) == [(0, 1, "A"), (1, 3, "A"), (3, 4, "B"), (5, 7, "B")]
