"""The job qa on the command line: a made-up set learnt to the last question, exported, asked."""

import json
import random
import re

import pytest

import keras_bert as kb
from keras_bert.cli.main import main

# Words that answers begin with, that they end with, and others; with what joins them.
LANGUAGES = {
    "english": (
        ["red", "blue", "Green"],
        ["cat", "dog", "Bird"],
        "the man sat on a mat with some of his old books and read".split(),
        " ",
        "what was there ?",
    ),
    "chinese": (
        list("红蓝绿"),
        list("猫狗鸟"),
        list("我们今天在那个公园里看书"),
        "",
        "那里有什么？",
    ),
}
SIZE = {"num_layers": 1, "hidden_dim": 32, "num_heads": 2, "max_sequence_length": 24}


def squad(language, count, seed, name):
    """SQuAD 2.0 of texts longer than a window, a third of them without an answer."""
    first, last, others, join, question = LANGUAGES[language]
    rng = random.Random(seed)
    paragraphs = []
    for number in range(count):
        words = rng.choices(others, k=rng.randint(4, 30))
        answers = []
        if number % 3:
            told = join.join([rng.choice(first), rng.choice(others), rng.choice(last)])
            place = rng.randint(0, len(words))
            context = join.join([*words[:place], told, *words[place:]])
            answers = [{"text": told, "answer_start": context.index(told)}]
        else:
            context = join.join(words)
        row = {"id": f"{name}{number}", "question": question, "answers": answers}
        paragraphs.append({"context": context, "qas": [{**row, "is_impossible": not answers}]})
    return {"version": "v2.0", "data": [{"title": name, "paragraphs": paragraphs}]}


def run(command, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items())])


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_from_json_to_answers(language, tmp_path, capsys):
    first, last, others, _, question = LANGUAGES[language]
    words = [*"[PAD] [UNK] [CLS] [SEP] [MASK] ?".split(), "？", *first, *last, *others]
    words = list(dict.fromkeys([*map(str.lower, words[5:]), *question.split(" "), *question]))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    backbone = kb.BertBackbone(kb.BertConfig(vocabulary_size=len(vocabulary), **SIZE))
    kb.save_preset(tmp_path / "start", backbone, kb.BertTokenizer(vocabulary))
    sets = {
        name: squad(language, count, count, name) for name, count in (("train", 300), ("dev", 60))
    }
    for name, content in sets.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False))
    assert (
        run(
            "finetune",
            task="qa",
            preset=tmp_path / "start",
            train=tmp_path / "train.json",
            dev=tmp_path / "dev.json",
            output=tmp_path / "run",
            sequence_length=24,
            batch_size=16,
            epochs=8,
            learning_rate=5e-3,
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "300 questions (100 without an answer)" in printed and "exact match 100.00" in printed
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert report["exact_match"] == report["f1"] == report["best_f1"] == 100.0
    assert report["no_answer"]["questions"] == 20 and report["chinese"] == (language == "chinese")
    assert report["always_no_answer_f1"] == pytest.approx(100 / 3)
    config = json.loads((tmp_path / "run/model/config.json").read_text())
    assert config["no_answer_threshold"] == report["threshold"]
    evaluated = tmp_path / "evaluated"
    dev = {"preset": tmp_path / "run/model", "input": tmp_path / "dev.json", "output": evaluated}
    assert run("evaluate", **dev) == 0
    again = json.loads((evaluated / "report.json").read_text())
    assert again["predictions"] == report["predictions"] and len(again["predictions"]) == 60

    # The exported model tells the same, from a file of questions and texts.
    rows = [row for article in sets["dev"]["data"] for row in article["paragraphs"]]
    lines = [f"{row['qas'][0]['question']}\t{row['context']}" for row in rows]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    assert run("export", preset=tmp_path / "run/model", output=tmp_path / "saved/1") == 0
    capsys.readouterr()
    asked = ["--pairs", f"--input={tmp_path / 'pairs.txt'}"]
    assert main(["predict", f"--model={tmp_path / 'saved'}", *asked]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for answer, row in zip(answers, rows, strict=True):
        told = row["qas"][0]["answers"]
        assert answer["answer"] == (told[0]["text"] if told else "")
        assert answer["start"] == (told[0]["answer_start"] if told else -1)
        assert answer["end"] == (answer["start"] + len(told[0]["text"]) if told else -1)
        assert 0.5 < answer["score"] <= 1


def test_settings_of_the_preprocessor_are_kept(tmp_path, capsys):
    """An untrained model that may answer with one token only, in windows of its own."""
    first, last, others, _, _ = LANGUAGES["english"]
    vocabulary = list(
        dict.fromkeys(
            [*"[PAD] [UNK] [CLS] [SEP] [MASK] what was there ?".split(), *others]
            + [word.lower() for word in first + last]
        )
    )
    backbone = kb.BertBackbone(kb.BertConfig(vocabulary_size=len(vocabulary), **SIZE))
    kb.save_preset(tmp_path / "start", backbone, kb.BertTokenizer(vocabulary))
    (tmp_path / "train.json").write_text(json.dumps(squad("english", 20, 1, "q")))
    kept = {"stride": 3, "question_length": 2, "max_answer_length": 1}
    flags = {"preset": tmp_path / "start", "task": "qa", "train": tmp_path / "train.json"}
    flags |= {"output": tmp_path / "run", "sequence_length": 20, "epochs": 1, **kept}
    assert run("finetune", **flags) == 0
    windows = re.search(r"in (\d+) windows; 20 questions cut", capsys.readouterr().out)[1]
    model = tmp_path / "run/model"
    assert kb.preprocessor_from_preset(model).settings().items() >= kept.items()

    assert run("evaluate", preset=model, input=flags["train"], output=tmp_path / "report") == 0
    assert f"in {windows} windows; 20 questions cut" in capsys.readouterr().out
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert all(len(told.split()) == 1 for told in report["predictions"].values() if told)
    # Read by Hugging Face's rules and written again, they stay.
    assert run("convert", **{"from": model, "to": tmp_path / "copy"}) == 0
    assert run("export", preset=tmp_path / "copy", output=tmp_path / "saved/1") == 0
    rows = json.loads(flags["train"].read_text())["data"][0]["paragraphs"]
    asked = [(row["qas"][0]["question"], row["context"]) for row in rows]
    told = [answer["answer"] for answer in kb.Predictor(tmp_path / "saved")(asked)]
    assert told == list(report["predictions"].values()) and any(told)


def test_flags_that_mean_nothing_to_the_job(tmp_path, capsys):
    backbone = kb.BertBackbone(kb.BertConfig(vocabulary_size=6, **SIZE))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    kb.save_preset(tmp_path / "start", backbone, kb.BertTokenizer(vocabulary))
    flags = {"preset": tmp_path / "start", "output": tmp_path / "run", "task": "qa"}
    assert run("finetune", train="x.json", label_column="x", **flags) == 1
    assert "--label_column means nothing to this job" in capsys.readouterr().err
    assert run("finetune", train=tmp_path / "absent.json", **flags) == 1
    assert "absent.json" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
