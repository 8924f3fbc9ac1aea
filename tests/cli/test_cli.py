"""The command line from raw text to an answer, on a tiny corpus, and its errors."""

import importlib
import json
import random

import pytest
from absl import flags

from keras_bert.cli.main import COMMANDS, main

GOOD = ["good", "fine", "lovely", "great", "gripping"]
BAD = ["bad", "poor", "awful", "dull", "boring"]
NOUNS = ["film", "book", "play", "song", "meal", "story"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a corpus, held-out text and labelled texts of two easy classes."""
    folder = tmp_path_factory.mktemp("cli")
    rng = random.Random(0)

    def sentence(words):
        return f"the {rng.choice(NOUNS)} was {rng.choice(words)} and the {rng.choice(NOUNS)} too ."

    for name, documents in (("corpus", 60), ("held_out", 8)):
        text = "\n\n".join(
            "\n".join(sentence(rng.choice([GOOD, BAD])) for _ in range(6)) for _ in range(documents)
        )
        (folder / f"{name}.txt").write_text(text + "\n")
    for name, rows in (("train", 96), ("dev", 32)):
        lines = ["sentence\tlabel"]
        for i in range(rows):
            lines.append(
                f"{sentence(GOOD if i % 2 else BAD)}\t{'positive' if i % 2 else 'negative'}"
            )
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def run(command, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items())])


@pytest.fixture(scope="module")
def trained(folder):
    """The road up to the exported classifier; each step is asserted where it is run."""
    assert run("vocab", input=folder / "*.txt", output=folder / "vocab.txt", size=80) == 0
    config = {"num_layers": 1, "hidden_dim": 16, "num_heads": 2, "max_sequence_length": 32}
    size = len((folder / "vocab.txt").read_text().split("\n")) - 1
    (folder / "config.json").write_text(json.dumps({**config, "vocabulary_size": size}))
    assert (
        run(
            "pretrain",
            input=folder / "corpus.txt",
            held_out=folder / "held_out.txt",
            vocab=folder / "vocab.txt",
            size=folder / "config.json",
            output=folder / "pretrained",
            sequence_length=32,
            batch_size=16,
            steps=25,
            report_every=10,
            learning_rate=3e-3,
        )
        == 0
    )
    assert (
        run(
            "finetune",
            preset=folder / "pretrained/model",
            train=folder / "train.tsv",
            dev=folder / "dev.tsv",
            output=folder / "classifier",
            epochs=12,
            batch_size=16,
            learning_rate=5e-3,
            sequence_length=32,
        )
        == 0
    )
    assert run("export", preset=folder / "classifier/model", output=folder / "saved/1") == 0
    return folder


def test_the_road_writes_models_histories_and_pictures(trained):
    history = json.loads((trained / "pretrained/history.json").read_text())
    # 25 steps in reports of 10: the last one is shorter.
    assert len(history["loss"]) == 3 and history["loss"][-1] < history["loss"][0]
    assert {"val_masked_lm_accuracy", "val_masked_lm_perplexity", "tokens_per_second"} <= {*history}
    for picture in ("pretrained/curves.png", "classifier/curves.png", "classifier/confusion.png"):
        assert (trained / picture).read_bytes().startswith(b"\x89PNG")
    rows = (trained / "classifier/log.csv").read_text().splitlines()
    # 96 texts in batches of 16: six steps an epoch.
    assert [row.split(",")[:2] for row in rows[:2]] == [["step", "epoch"], ["6", "1"]]
    assert len(rows) == 1 + 12
    columns = json.loads((trained / "classifier/history.json").read_text())
    assert list(columns) == rows[0].split(",") and columns["step"][-1] == 72
    assert {"val_accuracy", "learning_rate", "share_of_peak", "minutes_left"} <= {*columns}
    assert list((trained / "classifier/tensorboard/validation").iterdir())
    assert sorted(path.name for path in (trained / "classifier/model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ]


def test_evaluate_counts_what_predict_answers(trained, capsys):
    output = trained / "evaluation"
    assert (
        run(
            "evaluate",
            preset=trained / "classifier/model",
            input=trained / "dev.tsv",
            output=output,
        )
        == 0
    )
    report = json.loads((output / "report.json").read_text())
    assert f"accuracy {report['accuracy']:.4f}" in capsys.readouterr().out
    rows = [line.split("\t") for line in (trained / "dev.tsv").read_text().split("\n")[1:-1]]
    (trained / "texts.txt").write_text("\n".join(text for text, _ in rows) + "\n")
    assert run("predict", model=trained / "saved/1", input=trained / "texts.txt") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    right = sum(a["label"] == label for a, (_, label) in zip(answers, rows, strict=True))
    assert right / len(rows) == report["accuracy"] >= 0.9
    assert sum(map(sum, report["confusion"])) == len(rows) == report["examples"]


def test_predict_takes_texts_from_flags_and_pairs(trained, capsys):
    assert run("predict", model=trained / "saved/1", text="the film was good .") == 0
    assert json.loads(capsys.readouterr().out)["label"] == "positive"
    assert main(["predict", f"--model={trained / 'saved/1'}", "--text=one part", "--pairs"]) == 1
    assert "expected two texts with one tab" in capsys.readouterr().err


def test_masked_lm_is_exported_from_a_pretrained_directory(trained, capsys):
    assert run("export", preset=trained / "pretrained/model", output=trained / "fill/1") == 0
    capsys.readouterr()
    assert run("predict", model=trained / "fill/1", text="the film was [MASK] .") == 0
    guesses = json.loads(capsys.readouterr().out)[0]
    assert len(guesses) == 10 and guesses[0]["score"] >= guesses[1]["score"] > 0


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_flag(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    module = importlib.import_module(f"keras_bert.cli.{command}")
    values = flags.FlagValues()
    module.define(values)
    assert COMMANDS[command] in text and len(list(values)) >= 3
    for flag in values:
        assert f"  --{flag} (required)" in text if flag in module.REQUIRED else f"--{flag}" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, ""),
        (["train"], 2, "unknown command 'train'"),
        (["vocab", "--inputs=x"], 2, "inputs"),
        (["vocab", "--output=x"], 2, "--input"),
        (["vocab", "corpus.txt", "--input=x", "--output=y"], 2, "unexpected argument 'corpus.txt'"),
        (["pretrain", "--input=x", "--vocab=v", "--output=y", "--report_every=0"], 2, "positive"),
        (["finetune", "--preset=x", "--train=v", "--output=y", "--epochs=0"], 2, "positive"),
        (["vocab", "--input=/nowhere/*.txt", "--output=x/vocab.txt"], 1, "/nowhere/*.txt"),
        (["export", "--preset=/nowhere", "--output=x/1"], 1, "/nowhere"),
        (["predict", "--model=/nowhere", "--text=a"], 1, "/nowhere"),
    ],
)
def test_errors_are_one_line_and_a_code(arguments, code, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert message in error and error.count("\n") <= 1 and "Traceback" not in error


def test_outputs_are_not_written_over_unless_asked(trained, capsys):
    vocabulary = (trained / "vocab.txt").read_bytes()
    flags = {"input": trained / "train.tsv", "output": trained / "vocab.txt", "size": 60}
    assert run("vocab", **flags) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (trained / "vocab.txt").read_bytes() == vocabulary
    assert run("export", preset=trained / "classifier/model", output=trained / "saved/1") == 1
