"""Ways to fine-tune by flags: what they do to the model directory that comes out."""

import json
import random

import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_bert as kb
from keras_bert.cli import repeats
from keras_bert.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_vocabulary):
    """A tiny encoder of two layers and labelled texts."""
    folder = tmp_path_factory.mktemp("tuning")
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        num_layers=2,
        hidden_dim=16,
        num_heads=2,
        max_sequence_length=16,
    )
    kb.save_preset(folder / "preset", kb.BertBackbone(config), kb.BertTokenizer(tiny_vocabulary))
    rng = random.Random(0)
    for name, rows in (("train", 48), ("dev", 24)):
        lines = ["sentence\tlabel"]
        for _ in range(rows):
            label = rng.choice(["good", "bad"])
            noise = rng.choice(["good", "bad", label])  # not all can be learned
            lines.append(f"the {rng.choice(['cat', 'dog'])} was {noise} .\t{label}")
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def finetune(folder, output, **flags):
    flags = {
        "preset": folder / "preset",
        "train": folder / "train.tsv",
        "dev": folder / "dev.tsv",
        "output": folder / output,
        "sequence_length": 16,
        "batch_size": 16,
        "learning_rate": 1e-2,
        "tensorboard": False,
        **flags,
    }
    return main(["finetune", *(f"--{name}={value}" for name, value in flags.items())])


def tensors(path):
    return {
        name.removeprefix("bert."): value
        for name, value in load_file(path / "model.safetensors").items()
    }


@pytest.mark.slow
def test_frozen_layers_early_stopping_and_the_rest(folder, capsys):
    """All in one run: the frozen part is the preset's, the saved model is the best epoch's."""
    flags = {"freeze_embeddings": True, "freeze_layers": 1, "layer_decay": 0.8, "l2": 1e-3}
    flags |= {"early_stopping": "val_loss", "patience": 2, "average": 0.8}
    flags |= {"r_drop": 0.5, "fgm": 0.3}
    assert finetune(folder, "frozen", epochs=25, **flags) == 0
    start, end = tensors(folder / "preset"), tensors(folder / "frozen/model")
    same = {name for name in start if np.array_equal(start[name], end[name])}
    frozen = {n for n in start if n.startswith(("embeddings.", "encoder.layer.0."))}
    assert same == frozen
    assert "parameters are trained" in capsys.readouterr().out
    history = json.loads((folder / "frozen/history.json").read_text())
    best = int(np.argmin(history["val_loss"]))
    assert len(history["val_loss"]) == best + 1 + 2 < 25
    report = json.loads((folder / "frozen/report.json").read_text())
    assert report["accuracy"] == pytest.approx(history["val_accuracy"][best], abs=1e-6)


@pytest.mark.slow
def test_lora_and_seeds(folder, capsys):
    assert finetune(folder, "lora", epochs=1, lora_rank=2, seeds="3,5", best_by="macro_f1") == 0
    start = tensors(folder / "preset")
    summary = json.loads((folder / "lora/seeds.json").read_text())
    assert summary["seeds"] == [3, 5] and summary["best_by"] == "macro_f1"
    found = []
    for seed in (3, 5):
        end = tensors(folder / f"lora/seed_{seed}/model")
        moved = {n for n in start if not np.array_equal(start[n], end[n])}
        of_lora = {
            f"encoder.layer.{i}.attention.self.{part}.weight"
            for i in range(2)
            for part in ("query", "value")
        }
        assert moved == of_lora | {"pooler.dense.weight", "pooler.dense.bias"}
        found.append(json.loads((folder / f"lora/seed_{seed}/report.json").read_text()))
    accuracy = summary["measures"]["accuracy"]
    assert accuracy["values"] == [report["accuracy"] for report in found]
    best = folder / f"lora/seed_{summary['best']}/model/model.safetensors"
    assert (folder / "lora/model/model.safetensors").read_bytes() == best.read_bytes()
    assert "accuracy " in capsys.readouterr().out


class Values:
    """Flags of `repeats`."""

    def __init__(self, output, seeds, best_by=None):
        self.output, self.seeds, self.best_by = str(output), seeds, best_by
        self.overwrite, self.seed, self.dev = False, 0, "dev.tsv"


@pytest.mark.parametrize(("best_by", "best"), [(None, 4), ("spread_error", 7)])
def test_mean_spread_and_the_best(tmp_path, best_by, best, capsys):
    values = Values(tmp_path / "runs", ["4", "7", "9"], best_by)
    reports = {
        4: {"examples": 8, "f1": 0.9, "spread_error": 3.0, "classes": {}},
        7: {"examples": 8, "f1": 0.6, "spread_error": 1.0, "classes": {}},
        9: {"examples": 8, "f1": 0.6, "spread_error": 2.0, "classes": {}},
    }

    def run():
        folder = tmp_path / "runs" / f"seed_{values.seed}" / "model"
        assert values.output == str(folder.parent)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(str(values.seed))
        return reports[values.seed]

    repeats.run(values, run)
    summary = json.loads((tmp_path / "runs/seeds.json").read_text())
    assert set(summary["measures"]) == {"f1", "spread_error"} and summary["best"] == best
    f1 = summary["measures"]["f1"]
    assert f1["mean"] == pytest.approx(0.7)
    assert f1["standard_deviation"] == pytest.approx(np.std([0.9, 0.6, 0.6], ddof=1))
    assert (tmp_path / "runs/model/config.json").read_text() == str(best)
    assert "f1 0.7000 +- 0.1732 (0.9000, 0.6000, 0.6000)" in capsys.readouterr().out


def test_errors(tmp_path):
    for seeds in (["1"], ["1", "1"], ["1", "x"], ["1", "-2"]):
        with pytest.raises(ValueError, match="two or more whole numbers"):
            repeats.run(Values(tmp_path / "a", seeds), dict)
    values = Values(tmp_path / "b", ["1", "2"])
    values.dev = None
    with pytest.raises(ValueError, match="one set for all seeds; name it"):
        repeats.run(values, dict)
    with pytest.raises(ValueError, match="--best_by=f2 is not among what is measured, f1"):
        repeats.run(Values(tmp_path / "c", ["1", "2"], "f2"), lambda: {"f1": 0.5})
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").write_text("")
    with pytest.raises(FileExistsError):
        repeats.run(Values(tmp_path / "d", ["1", "2"]), dict)
