"""Documents by the command line: a label that words in the last window decide."""

import json
import random

import pytest
from jobs.word_encoder import run, save_encoder

import keras_bert as kb

WORDS = "good bad film book play song the was and a in of to".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    save_encoder(folder, WORDS, max_sequence_length=10, initializer_range=0.1)
    rng = random.Random(0)
    for name, rows in (("train", 240), ("dev", 60)):
        lines = []
        for row in range(rows):
            label = ["bad", "good"][row % 2]
            words = rng.choices(WORDS[2:], k=rng.randint(16, 28))
            words[-rng.randint(1, 3)] = label  # beyond the first two windows of 8 words
            lines.append(json.dumps({"text": " ".join(words), "label": label}))
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.slow
def test_the_last_window_decides(folder, capsys):
    flags = {
        "preset": folder / "encoder",
        "train": folder / "train.jsonl",
        "dev": folder / "dev.jsonl",
        "epochs": 6,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "sequence_length": 10,
        "precision": "float32",
    }
    assert run("finetune", output=folder / "first", **flags) == 0
    printed = capsys.readouterr().out
    assert "240 rows of 240 are longer than 10 tokens and are cut" in printed
    assert run("finetune", output=folder / "all", windows=4, window_pooling="max", **flags) == 0
    assert "no row is cut" in capsys.readouterr().out
    first, report = (
        json.loads((folder / name / "report.json").read_text()) for name in ("first", "all")
    )
    assert report["accuracy"] > 0.95 > 0.7 > first["accuracy"]
    config = json.loads((folder / "all/model/config.json").read_text())
    assert config["window_pooling"] == "max"
    assert kb.preprocessor_from_preset(folder / "all/model").windows == 4

    model = folder / "all/model"
    assert run("evaluate", preset=model, input=folder / "dev.jsonl", output=folder / "again") == 0
    assert json.loads((folder / "again/report.json").read_text()) == report
    assert run("export", preset=model, output=folder / "saved/1") == 0
    text = "the film was a book and the play was in the song of a film to be "
    capsys.readouterr()
    assert run("predict", model=folder / "saved", text=text + "bad") == 0
    assert json.loads(capsys.readouterr().out)["label"] == "bad"
    assert kb.Predictor(folder / "saved")(text + "good")["label"] == "good"


def test_flags_that_do_not_fit(folder, capsys):
    flags = {"preset": folder / "encoder", "train": folder / "train.jsonl", "sequence_length": 10}
    for wrong, message in (
        ({"window_pooling": "max"}, "--window_pooling=max needs --windows"),
        ({"windows": 2, "stride": 9}, "stride must be an int from 1 to 8"),
        ({"windows": 2, "task": "choice"}, "--windows means nothing to this job"),
    ):
        assert run("finetune", output=folder / "no", **flags, **wrong) == 1
        assert message in capsys.readouterr().err
