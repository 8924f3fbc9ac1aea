"""What a figure is to be compared with, computed on the same files."""

import json

from benchmarks.tasks.running import keras_bert
from benchmarks.tasks.starts import STARTS


def untrained_embeddings(recipe, data, folder):
    """Spearman's correlation of the start's own embeddings."""
    log, output = folder / "baseline.log", folder / "baseline"
    start = STARTS[recipe.start](data, folder.parent)
    keras_bert("evaluate", log, preset=start, input=data / recipe.test, output=output)
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return [{"title": "without any training", "measure": "spearman", "value": report["spearman"]}]


# Recipe -> function of it, the data folder and a folder to work in, which returns a list of dicts:
# `title`, `measure` (a name of the recipe's) and `value`.
BASELINES = {"stsb": untrained_embeddings}
