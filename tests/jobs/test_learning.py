"""From labelled rows to answers by the command line, a job each, on sets that tiny models learn."""

import json
import random

import keras
import pytest

import keras_bert as kb
from keras_bert.cli.main import main

GOOD, BAD = ["good", "fine", "lovely", "great"], ["bad", "poor", "awful", "dull"]
NOUNS = ["film", "book", "play", "song", "meal", "story"]
WORDS = [*GOOD, *BAD, *NOUNS, *"the was and a in of to by from made goes 电影 很 好 坏 .".split()]
CHINESE = "电影很好坏"


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A tiny encoder that knows nothing yet."""
    folder = tmp_path_factory.mktemp("preset") / "model"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = kb.BertTokenizer(list(dict.fromkeys([*special, *WORDS, *CHINESE])))
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_dim=32,
        num_heads=2,
        num_layers=1,
        max_sequence_length=32,
        dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.1,
    )
    keras.utils.set_random_seed(0)
    kb.save_preset(folder, kb.BertBackbone(config), tokenizer)
    return folder


def run(command, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items())])


def write(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    return path


def learn(folder, preset, task, rows, **flags):
    """Trains, evaluates what was saved, exports it; returns the report and a predictor."""
    train, dev = write(folder / "train.jsonl", rows[:-60]), write(folder / "dev.jsonl", rows[-60:])
    arguments = {
        "preset": preset,
        "task": task,
        "train": train,
        "dev": dev,
        "output": folder / "run",
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "sequence_length": 32,
        "precision": "float32",
    }
    assert run("finetune", **{**arguments, **flags}) == 0
    report = json.loads((folder / "run/report.json").read_text())
    reading = {n: v for n, v in flags.items() if n in ("label_column", "text_columns")}
    assert (
        run("evaluate", preset=folder / "run/model", input=dev, output=folder / "again", **reading)
        == 0
    )
    assert json.loads((folder / "again/report.json").read_text()) == report
    assert run("export", preset=folder / "run/model", output=folder / "saved/1") == 0
    return report, kb.Predictor(folder / "saved")


def sentence(rng, words):
    return f"the {rng.choice(NOUNS)} was {rng.choice(words)} and the {rng.choice(NOUNS)} too"


@pytest.mark.slow
def test_classes_with_texts_of_none(preset, tmp_path, capsys):
    rng = random.Random(0)
    rows = []
    for n in range(360):
        kind = ["positive", "negative", "oos"][n % 3]
        words = {"positive": GOOD, "negative": BAD, "oos": ["电影", "很", "goes", "from"]}[kind]
        rows.append({"text": sentence(rng, words), "label": kind})
    report, predictor = learn(
        tmp_path, preset, "classification", rows, out_of_scope="oos", class_weights="balanced"
    )
    printed = capsys.readouterr().out
    assert "300 rows" in printed and "tokens a row:" in printed
    assert "in-scope accuracy" in printed and "out-of-scope recall" in printed
    assert report["in_scope_accuracy_without_threshold"] > 0.95
    assert 0 < report["threshold"] < 1
    config = json.loads((tmp_path / "run/model/config.json").read_text())
    assert config["out_of_scope"] == "oos" and config["thresholds"] == [report["threshold"]] * 2
    answers = predictor([row["text"] for row in rows[-60:]])
    pairs = [
        (answer["label"], row["label"]) for answer, row in zip(answers, rows[-60:], strict=True)
    ]
    assert sum(a == b for a, b in pairs) / 60 == pytest.approx(report["accuracy"], abs=0.02)
    oos = [a == "oos" for a, b in pairs if b == "oos"]
    assert sum(oos) / len(oos) == pytest.approx(report["out_of_scope_recall"], abs=0.06)


@pytest.mark.slow
def test_a_share_of_the_rows_in_place_of_a_dev_file(preset, tmp_path, capsys):
    rng = random.Random(1)
    rows = [
        {"text": sentence(rng, [BAD, GOOD][n % 2]), "label": ["坏", "好"][n % 2]}
        for n in range(200)
    ]
    arguments = {
        "preset": preset,
        "train": write(tmp_path / "train.jsonl", rows),
        "output": tmp_path / "run",
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "dev_rate": 0.25,
        "sequence_length": 32,
    }
    assert run("finetune", **arguments, focal=2, precision="float32") == 0
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert report["examples"] == pytest.approx(50, abs=4) and report["accuracy"] > 0.95
    assert "rows to measure on are in the training set too" not in capsys.readouterr().out


@pytest.mark.slow
def test_several_labels(preset, tmp_path):
    rng = random.Random(2)
    rows = []
    for _ in range(400):
        told = [name for name in ("good", "电影", "made") if rng.random() < 0.4]
        words = [*told, *rng.choices(NOUNS, k=4)]
        rng.shuffle(words)
        rows.append({"text": " ".join(words), "labels": "|".join(told)})
    report, predictor = learn(tmp_path, preset, "multi_label", rows, epochs=16)
    assert report["micro_f1"] > 0.95 and report["subset_accuracy"] > 0.9
    config = json.loads((tmp_path / "run/model/config.json").read_text())
    assert config["thresholds"] == list(report["thresholds"].values())
    answers = predictor([row["text"] for row in rows[-60:]])
    right = [
        sorted(each["label"] for each in answer) == sorted(filter(None, row["labels"].split("|")))
        for answer, row in zip(answers, rows[-60:], strict=True)
    ]
    assert sum(right) / 60 == pytest.approx(report["subset_accuracy"], abs=0.02)


@pytest.mark.slow
def test_numbers(preset, tmp_path):
    rng = random.Random(3)
    rows = []
    for _ in range(460):
        count = rng.randint(0, 4)
        words = [*["good"] * count, *rng.choices(NOUNS, k=6 - count)]
        rng.shuffle(words)
        rows.append({"text": " ".join(words), "stars": count + rng.random() / 10})
    report, predictor = learn(tmp_path, preset, "regression", rows, label_column="stars", epochs=12)
    row = report["numbers"]["stars"]
    assert all(report[measure] == value for measure, value in row.items())  # the mean of one
    assert row["spearman"] > 0.9 and row["pearson"] > 0.9 and row["mean_squared_error"] < 0.5
    few, many = predictor(["film book play song meal good", "good good film good good book"])
    assert many["score"] - few["score"] > 1.5


@pytest.mark.slow
def test_relations(preset, tmp_path):
    rng = random.Random(4)
    rows = []
    for n in range(400):
        verb, relation = [("made", "Maker"), ("from", "Origin"), ("and", "Other")][n % 3]
        first, second = rng.sample(NOUNS, 2)
        # Which of the two is the first entity decides the direction; the words do not tell.
        way = rng.random() < 0.5
        marks = ("<e1>%s</e1>", "<e2>%s</e2>") if way else ("<e2>%s</e2>", "<e1>%s</e1>")
        text = f"the {marks[0] % first} {verb} the {marks[1] % second}"
        label = relation
        if relation != "Other":
            label += "(e1,e2)" if way else "(e2,e1)"
        rows.append({"text": text, "label": label})
    report, predictor = learn(tmp_path, preset, "relations", rows, epochs=12)
    assert report["accuracy"] > 0.95 and report["semeval_macro_f1"] > 0.95
    answers = predictor(
        ["the <e1>film</e1> made the <e2>song</e2>", "the <e2>film</e2> made the <e1>song</e1>"]
    )
    answers.append(predictor(("the film made the song", (18, 22), (4, 8))))
    assert [a["label"] for a in answers] == ["Maker(e1,e2)", "Maker(e2,e1)", "Maker(e2,e1)"]


@pytest.mark.slow
def test_choices(preset, tmp_path, capsys):
    rng = random.Random(5)
    rows = []
    for _ in range(460):
        noun, *others = rng.sample(NOUNS, 3)
        label = rng.randrange(3)
        choices = [f"a {other}" for other in others]
        choices.insert(label, f"a {noun}")
        rows.append({"question": f"was {noun} from", "choices": choices, "label": label})
    report, predictor = learn(tmp_path, preset, "choice", rows, epochs=20)
    assert report["accuracy"] > 0.9 and report["chance"] == pytest.approx(1 / 3)
    assert predictor(("was meal from", ["a song", "a meal"]))["index"] == 1
    capsys.readouterr()
    text = "was meal from\ta song\ta film\ta meal"
    assert main(["predict", f"--model={tmp_path / 'saved'}", f"--text={text}", "--choices"]) == 0
    assert json.loads(capsys.readouterr().out)["choice"] == "a meal"


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"task": "choice", "class_weights": "balanced"}, "--class_weights means nothing"),
        ({"task": "regression", "focal": 2}, "--focal means nothing to this job"),
        ({"task": "choice", "dev_rate": 0.1}, "--dev_rate is for jobs of labelled rows"),
        ({"dev_rate": 0.5, "dev": "x"}, "--dev_rate is for jobs of labelled rows, without --dev"),
        ({}, "labels must be two or more different names; received"),
    ],
)
def test_flags_that_mean_nothing_and_one_class(preset, tmp_path, capsys, flags, message):
    rows = [
        {"question": "a", "choices": ["b", "c"], "text": "good", "label": 0, "score": 1}
        for _ in range(4)
    ]
    path = write(tmp_path / "train.jsonl", rows)
    text = {"text_columns": "text"}
    flags = {"preset": preset, "train": path, "output": tmp_path / "run", **text, **flags}
    assert run("finetune", **flags) == 1
    assert message in capsys.readouterr().err
