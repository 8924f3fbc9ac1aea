"""Token classification from files to answers through the command line, on sets easily learned."""

import json
import random

import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.jobs import JOBS, find_job, job_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PEOPLE = ["Ann", "Bob Lee", "王明", "王"]
PLACES = ["Rome", "New York", "北京"]
PATTERNS = [
    "{p} saw {l} .",
    "in {l} , {p} and {q} sat",
    "{p}在{l}。",
    "{l}的{p}爱{l}",
    "no one sat",
]
WORDS = "ann bob le ##e ro ##me new york saw in and sat no one sang fell . ,".split()


def run(command, *words, **flags):
    return main([command, *words, *(f"--{name}={value}" for name, value in flags.items())])


def finetune(folder, **flags):
    given = {"batch_size": 16, "learning_rate": 5e-3, "sequence_length": 24}
    return run("finetune", task="tokens", preset=folder / "encoder", **given, **flags)


def cells(text):
    """Tokens as a CoNLL file has them: words, or each Chinese character."""
    found = []
    for word in text.split():
        found += [word] if word.isascii() else list(word)
    return found


def conll(rng, rows):
    lines = []
    for _ in range(rows):
        pattern = rng.choice(PATTERNS)
        while pattern:
            head, brace, rest = pattern.partition("{")
            lines += [f"{token}\tO" for token in cells(head)]
            if brace:
                label = {"l": "LOC"}.get(rest[0], "PER")
                tokens = cells(rng.choice(PLACES if label == "LOC" else PEOPLE))
                lines += [f"{t}\t{'BI'[i > 0]}-{label}" for i, t in enumerate(tokens)]
            pattern = rest[2:]
        lines.append("")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An untrained encoder, and entities in English and Chinese sentences."""
    folder = tmp_path_factory.mktemp("tokens")
    vocabulary = [*SPECIAL, *WORDS, *"王明北京在的爱。"]
    config = kb.BertConfig(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        hidden_dim=32,
        num_heads=2,
        max_sequence_length=24,
        dropout=0.0,
    )
    kb.save_preset(folder / "encoder", kb.BertBackbone(config), kb.BertTokenizer(vocabulary))
    rng = random.Random(0)
    (folder / "train.conll").write_text(conll(rng, 240), encoding="utf-8")
    (folder / "dev.conll").write_text(conll(rng, 60), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    flags = {"epochs": 12, "batch_size": 16, "learning_rate": 5e-3, "sequence_length": 24}
    files = {"train": folder / "train.conll", "dev": folder / "dev.conll"}
    preset = folder / "encoder"
    assert (
        run("finetune", task="tokens", preset=preset, output=folder / "ner", **files, **flags) == 0
    )
    assert run("export", preset=folder / "ner/model", output=folder / "saved/1") == 0
    return folder


def test_the_job_is_found(folder):
    assert "tokens" in JOBS
    backbone = kb.BertBackbone.from_preset(folder / "encoder")
    model = kb.BertTokenClassifier(backbone, labels=["O", "B-A", "I-A"])
    assert job_of(model) is find_job("tokens")


@pytest.mark.slow
def test_finetune_learns_and_evaluate_says_so(trained, capsys):
    report = json.loads((trained / "ner/report.json").read_text())
    assert report["f1"] == 1.0 and report["examples"] == 60
    tags = (trained / "dev.conll").read_text(encoding="utf-8").split()[1::2]
    for label in ("PER", "LOC"):
        assert report["labels"][label]["entities"] == tags.count(f"B-{label}") > 20
    model = trained / "ner/model"
    flags = {"preset": model, "input": trained / "dev.conll", "output": trained / "again"}
    assert run("evaluate", **flags) == 0
    text = capsys.readouterr().out
    assert "F1 1.0000" in text and "precision  recall" in text
    assert json.loads((trained / "again/report.json").read_text()) == report
    labels = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert kb.BertTokenClassifier.from_preset(model).labels == labels


@pytest.mark.slow
def test_predict_answers_with_places_in_the_raw_text(trained, capsys):
    texts = ["In NEW  YORK, Bob Lee sat", "王明在北京。", "no one sat", "王在Rome。"]
    (trained / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    capsys.readouterr()
    assert run("predict", model=trained / "saved/1", input=trained / "texts.txt") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [[(e["text"], e["label"], e["start"], e["end"]) for e in row] for row in answers]
    assert found == [
        [("NEW  YORK", "LOC", 3, 12), ("Bob Lee", "PER", 14, 21)],
        [("王明", "PER", 0, 2), ("北京", "LOC", 3, 5)],
        [],
        [("王", "PER", 0, 1), ("Rome", "LOC", 2, 6)],
    ]
    assert all(0.5 < e["score"] <= 1 for row in answers for e in row)


@pytest.mark.slow
def test_roles_follow_the_predicate(folder, capsys):
    """The mark alone tells them: each sentence comes with either of its verbs."""
    rng = random.Random(1)
    lines = []
    for _ in range(150):
        names = rng.sample(["Ann", "Bob Lee", "王明", "one"], 2)
        verbs = rng.sample(["sang", "fell", "sat"], 2)
        text = f"{names[0]} {verbs[0]} and {names[1]} {verbs[1]}"
        for verb in verbs:
            place = [text.index(verb), text.index(verb) + len(verb)]
            spans = [[*place, "V"], [text.index("and"), text.index("and") + 3, "C"]]
            lines.append(json.dumps({"text": text, "spans": spans, "predicate": place}))
    (folder / "roles.jsonl").write_text("\n".join(lines[:240]))
    (folder / "roles_dev.jsonl").write_text("\n".join(lines[240:]))
    files = {"train": folder / "roles.jsonl", "dev": folder / "roles_dev.jsonl"}
    assert finetune(folder, output=folder / "srl", epochs=10, **files) == 0
    assert json.loads((folder / "srl/report.json").read_text())["f1"] == 1.0
    assert run("export", preset=folder / "srl/model", output=folder / "roles/1") == 0
    capsys.readouterr()
    text = "Ann sang and Bob Lee fell"
    words = [f"--text={text}\t4\t8", f"--text={text}\t21\t25", "--predicates"]
    assert run("predict", *words, model=folder / "roles/1") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [[e["text"] for e in row] for row in answers] == [["sang", "and"], ["and", "fell"]]
    assert run("predict", "--predicates", f"--text={text}", model=folder / "roles/1") == 1
    assert "the start and the end of its predicate" in capsys.readouterr().err
    assert run("predict", "--predicates", "--pairs", "--text=a", model=folder / "roles/1") == 1


def test_what_is_wrong_is_one_line(folder, capsys):
    flags = {"task": "tokens", "preset": folder / "encoder", "output": folder / "x"}
    (folder / "bad.conll").write_text("Ann\tB-PER\nsat\n")
    assert run("finetune", train=folder / "bad.conll", **flags) == 1
    assert "bad.conll, line 2: expected 2 columns" in capsys.readouterr().err
    assert run("finetune", train=folder / "dev.conll", labels="O,B-PER,I-PER", **flags) == 1
    assert "the label 'B-LOC' is not among" in capsys.readouterr().err
    assert run("finetune", train=folder / "dev.conll", text_columns="a", **flags) == 1
    assert "--text_columns means nothing to this job" in capsys.readouterr().err
