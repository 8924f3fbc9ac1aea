"""Several tasks by the command line: a model directory each, from one file of tasks."""

import json
import random

import pytest
from jobs.word_encoder import run, save_encoder
from safetensors.numpy import load_file

import keras_bert as kb

WORDS = "good bad film book the was and ann bob sang <".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multitask")
    save_encoder(folder, WORDS, max_sequence_length=16, initializer_range=0.1)
    rng = random.Random(0)
    for part, rows in (("train", 120), ("dev", 30)):
        mood, ner, relations = [], [], []
        for _ in range(rows):
            label, noun = rng.choice(["good", "bad"]), rng.choice(["film", "book"])
            mood.append({"review": f"the {noun} was {label}", "mood": label})
            name = rng.choice(["ann", "bob"])
            ner.append({"text": f"the {noun} and {name}", "spans": [[13, 16, "PER"]]})
            way = rng.choice([("<e1>ann</e1>", "<e2>film</e2>"), ("<e2>ann</e2>", "<e1>film</e1>")])
            label = "Sang(e1,e2)" if "<e1>" in way[0] else "Sang(e2,e1)"
            relations.append({"text": f"{way[0]} sang the {way[1]}", "label": label})
        for name, lines in (("mood", mood), ("ner", ner), ("relations", relations)):
            text = "\n".join(map(json.dumps, lines)) + "\n"
            (folder / f"{name}_{part}.jsonl").write_text(text)
    return folder


def tasks_file(folder, name, entries):
    path = folder / name
    path.write_text(json.dumps(entries))
    return path


@pytest.mark.slow
def test_three_tasks(folder, capsys):
    def files(name):
        return {part: str(folder / f"{name}_{part}.jsonl") for part in ("train", "dev")}

    tasks = {
        "mood": {**files("mood"), "text_columns": ["review"], "label_column": "mood", "rate": 1},
        "ner": {**files("ner"), "task": "tokens", "crf": True, "rate": 1.5},
        "relations": {**files("relations"), "task": "relations", "rate": 2},
    }
    arguments = {
        "preset": folder / "encoder",
        "tasks": tasks_file(folder, "tasks.json", tasks),
        "output": folder / "run",
        "epochs": 12,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "crf_learning_rate": 1e-2,
        "sequence_length": 16,
        "tensorboard": False,
    }
    assert run("multitask", **arguments) == 0
    printed = capsys.readouterr().out
    assert "24 steps an epoch: mood 22.2%, ner 33.3%, relations 44.4%" in printed
    reports = {
        task: json.loads((folder / "run" / task / "report.json").read_text()) for task in tasks
    }
    assert reports["mood"]["accuracy"] > 0.95 and reports["ner"]["f1"] > 0.95
    assert reports["relations"]["accuracy"] > 0.9
    tensors = [load_file(folder / "run" / task / "model/model.safetensors") for task in tasks]
    name = "bert.encoder.layer.0.output.dense.weight"
    assert (tensors[0][name] == tensors[1][name]).all() and "crf.transitions" in tensors[1]
    header = (folder / "run/log.csv").read_text().splitlines()[0]
    assert "val_ner_accuracy" in header and "relations_loss" in header

    model = folder / "run/ner/model"
    again = {"preset": model, "input": folder / "ner_dev.jsonl", "output": folder / "again"}
    assert run("evaluate", **again) == 0
    assert json.loads((folder / "again/report.json").read_text()) == reports["ner"]
    assert run("export", preset=model, output=folder / "saved/1") == 0
    (entity,) = kb.Predictor(folder / "saved/1")("the book and bob")
    assert (entity["text"], entity["label"]) == ("bob", "PER")
    assert run("multitask", **arguments) == 1
    assert "exists" in capsys.readouterr().err


def test_files_of_tasks_that_are_none(folder, capsys):
    mood = {"train": str(folder / "mood_train.jsonl"), "text_columns": "review"}
    mood["label_column"] = "mood"
    ner = {"train": str(folder / "ner_train.jsonl"), "task": "tokens"}
    for entries, message in (
        ({"mood": mood}, "expected two tasks or more; received ['mood']"),
        ({"mood": mood, "ner": {"task": "tokens"}}, "expected of 'ner' an object with `train`"),
        (
            {"mood": mood, "ner": {**ner, "epochs": 3}},
            "ner has the unknown epochs; expected some of",
        ),
        (
            {"mood": mood, "ner": {**ner, "task": "tagging"}},
            "unknown job 'tagging'; expected one of",
        ),
        ({"mood": mood, "ner": {**ner, "rate": 1}}, "expected a rate of each task, or of none"),
        ({"mood": mood, "../ner": ner}, "the name '../ner' is to be a folder's"),
        ({"mood": {**mood, "rate": -1}, "ner": {**ner, "rate": 1}}, "the rate of mood is -1"),
        ({"mood": {**mood, "crf": True}, "ner": ner}, "mood: --crf means nothing to this job"),
        ({"mood": mood, "ner": {**ner, "focal": 2}}, "ner: --focal means nothing to this job"),
    ):
        path = tasks_file(folder, "wrong.json", entries)
        arguments = {"preset": folder / "encoder", "tasks": path, "output": folder / "no"}
        assert run("multitask", sequence_length=16, **arguments) == 1
        assert message in capsys.readouterr().err, message
