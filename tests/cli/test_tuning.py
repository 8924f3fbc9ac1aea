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


@pytest.mark.slow
def test_folds(folder, capsys):
    assert finetune(folder, "folds", epochs=1, dev="", folds=3) == 0
    summary = json.loads((folder / "folds/folds.json").read_text())
    reports = [json.loads((folder / f"folds/fold_{i}/report.json").read_text()) for i in range(3)]
    assert sum(report["examples"] for report in reports) == 48
    accuracy = summary["measures"]["accuracy"]
    assert accuracy["values"] == [report["accuracy"] for report in reports]
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["values"]))
    assert summary["folds"] == 3 and summary["seed"] == 0
    models = [tensors(folder / f"folds/fold_{i}/model") for i in range(3)]
    assert not np.array_equal(models[0]["classifier.weight"], models[1]["classifier.weight"])
    assert not (folder / "folds/model").exists()  # each was measured on other rows
    assert "--- fold 2" in capsys.readouterr().out
    for other in ({"seeds": "1,2"}, {"dev": folder / "dev.tsv"}, {"dev_rate": 0.1}):
        assert finetune(folder, "none", folds=3, **{"dev": "", **other}) == 1
        assert f"leave --{next(iter(other))} out" in capsys.readouterr().err
    assert finetune(folder, "none", folds=3, dev="", task="qa") == 1
    assert "for jobs of labelled rows, not --task=qa" in capsys.readouterr().err

    # The models of the folds, together.
    presets = [folder / f"folds/fold_{i}/model" for i in range(3)]
    members = [kb.model_from_preset(preset) for preset in presets]
    preprocess = kb.TextClassifierPreprocessor.from_preset(presets[0])
    texts = ["the cat was good .", "the dog was bad .", "dog"]
    parts = np.stack([_scores(member, preprocess, texts) for member in members])
    scores = {
        "answers": parts.mean(0).max(-1),
        "weights": _scores(kb.averaged_weights(members), preprocess, texts).max(-1),
    }
    for name, flag in (("answers", "--noaverage_weights"), ("weights", "--average_weights")):
        output = folder / f"saved/{name}/1"
        names = ",".join(map(str, presets))
        assert main(["export", f"--preset={names}", f"--output={output}", flag]) == 0
        found = [answer["score"] for answer in kb.Predictor(output)(texts)]
        np.testing.assert_allclose(found, scores[name], atol=1e-5)
    assert np.abs(scores["answers"] - scores["weights"]).max() > 1e-4
    capsys.readouterr()
    assert main(["evaluate", f"--preset={names}", f"--input={folder / 'dev.tsv'}"]) == 0
    assert "on 24 examples" in capsys.readouterr().out
    other = f"{names},{folder / 'other'}"
    config = kb.BertConfig(vocabulary_size=7, num_layers=1, hidden_dim=8, num_heads=1)
    model = kb.BertTextClassifier(kb.BertBackbone(config), ["bad", "good"])
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
    kb.save_preset(folder / "other", model, kb.BertTokenizer(vocabulary))
    assert main(["export", f"--preset={other}", f"--output={folder / 'no/1'}"]) == 1
    assert "differ in their vocabulary; expected" in capsys.readouterr().err


def _scores(model, preprocess, texts):
    exponents = np.exp(np.float64(model(preprocess(texts))["classification"]))
    return exponents / exponents.sum(-1, keepdims=True)


@pytest.mark.slow
def test_search_and_the_rate(folder, capsys):
    space = folder / "space.json"
    space.write_text(json.dumps({"learning_rate": [1e-2, 1e-5], "dropout": [0.0], "epochs": [1]}))
    flags = {"search": 5, "search_space": space, "label_smoothing": 0.1}
    assert finetune(folder, "search", **flags) == 0
    summary = json.loads((folder / "search/search.json").read_text())
    assert len(summary["trials"]) == 2  # there are no more
    reports = [json.loads((folder / f"search/trial_{i}/report.json").read_text()) for i in (0, 1)]
    best = summary["trial"]
    assert reports[best]["accuracy"] == max(report["accuracy"] for report in reports)
    for row in summary["trials"]:
        assert row["measures"]["accuracy"] == reports[row["trial"]]["accuracy"]
    assert summary["flags"] == summary["trials"][0]["settings"]
    assert set(summary["flags"]) == {"learning_rate", "dropout", "epochs"}
    model = folder / f"search/trial_{best}/model/model.safetensors"
    assert (folder / "search/model/model.safetensors").read_bytes() == model.read_bytes()
    config = json.loads((folder / "search/model/config.json").read_text())
    assert config["hidden_dropout_prob"] == config["attention_probs_dropout_prob"] == 0.0
    assert json.loads((folder / "preset/config.json").read_text())["hidden_dropout_prob"] == 0.1
    moved = [tensors(folder / f"search/trial_{i}/model")["pooler.dense.weight"] for i in (0, 1)]
    assert not np.array_equal(*moved)
    capsys.readouterr()
    assert finetune(folder, "search", **flags) == 0  # nothing is left to do
    assert "--- trial" not in capsys.readouterr().out
    for wrong, message in [
        ({"preset": [1, 2]}, "--preset is no flag that can be searched"),
        ({"search": [1, 2]}, "--search is no flag that can be searched"),
        ({"epochs": [1, 0]}, "--epochs=0: "),
        ({"epochs": {"min": 1, "max": 2.5}}, "--epochs=2.5: "),
    ]:
        space.write_text(json.dumps(wrong))
        assert finetune(folder, "none", search=2, search_space=space) == 1
        assert message in capsys.readouterr().err
    assert finetune(folder, "none", search=2, seeds="1,2") == 1
    assert "leave --seeds and --folds out" in capsys.readouterr().err

    assert finetune(folder, "rate", find_learning_rate=True, fgm=0.5, micro_batches=2) == 0
    found = json.loads((folder / "rate/learning_rate.json").read_text())
    assert len(found["rates"]) == len(found["losses"]) > 10 and 1e-7 < found["suggestion"] < 1
    assert (folder / "rate/learning_rate.png").read_bytes().startswith(b"\x89PNG")
    assert not (folder / "rate/model").exists()
    assert f"--learning_rate={found['suggestion']:.2g}" in capsys.readouterr().out


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

    repeats.by_seed(values, run)
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
            repeats.by_seed(Values(tmp_path / "a", seeds), dict)
    values = Values(tmp_path / "b", ["1", "2"])
    values.dev = None
    with pytest.raises(ValueError, match="one set for all seeds; name it"):
        repeats.by_seed(values, dict)
    with pytest.raises(ValueError, match="--best_by=f2 is not among what is measured, f1"):
        repeats.by_seed(Values(tmp_path / "c", ["1", "2"], "f2"), lambda: {"f1": 0.5})
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").write_text("")
    with pytest.raises(FileExistsError):
        repeats.by_seed(Values(tmp_path / "d", ["1", "2"]), dict)
