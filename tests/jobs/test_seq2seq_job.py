"""Learning to write by the command line: parallel text, a model, what it is served as."""

import json
import random

import keras
import pytest

import keras_bert as kb
from keras_bert.cli.main import main

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "我": "爱", "吃": "果"}


def run(command, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items())])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny checkpoint with a masked-LM head, and parallel text: words in reverse, translated."""
    folder = tmp_path_factory.mktemp("seq2seq")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = kb.BertTokenizer([*special, *WORDS, *WORDS.values()])
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_dim=32,
        num_heads=4,
        num_layers=2,
        max_sequence_length=16,
        dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.1,
    )
    keras.utils.set_random_seed(0)
    kb.save_preset(folder / "preset", kb.BertMaskedLM(kb.BertBackbone(config)), tokenizer)
    rng = random.Random(0)
    for name, count in (("train", 600), ("dev", 40)):
        sources = [rng.choices(list(WORDS), k=rng.randint(1, 4)) for _ in range(count)]
        targets = [[WORDS[word] for word in reversed(source)] for source in sources]
        for ending, texts in (("a", sources), ("b", targets)):
            lines = "".join(" ".join(text) + "\n" for text in texts)
            (folder / f"{name}.{ending}").write_text(lines, encoding="utf-8")
    return folder


def pair(folder, name):
    return f"{folder / name}.a,{folder / name}.b"


@pytest.mark.slow
def test_from_parallel_text_to_answers(folder, capsys):
    flags = {"preset": folder / "preset", "task": "seq2seq", "train": pair(folder, "train")}
    flags |= {"dev": pair(folder, "dev"), "output": folder / "run", "epochs": 12}
    flags |= {"batch_size": 20, "learning_rate": 5e-3, "sequence_length": 16, "target_length": 7}
    assert run("finetune", label_smoothing=0.02, precision="float32", **flags) == 0
    printed = capsys.readouterr().out
    assert "600 rows; 0 targets of more than 7 tokens cut" in printed and "tokens a row:" in printed
    report = json.loads((folder / "run/report.json").read_text())
    assert report["bleu"] > 90 and report["rougeL"] > 95 and report["examples"] == 40
    assert len(report["predictions"]) == 40 and "BLEU" in printed

    evaluate = {"preset": folder / "run/model", "input": pair(folder, "dev")}
    assert run("evaluate", output=folder / "again", **evaluate) == 0
    assert json.loads((folder / "again/report.json").read_text()) == report
    assert run("evaluate", output=folder / "beam", beams=3, **evaluate) == 0
    assert json.loads((folder / "beam/report.json").read_text())["bleu"] > 90
    assert kb.preprocessor_from_preset(folder / "run/model").target_length == 7

    assert run("export", preset=folder / "run/model", output=folder / "s/1", beams=2) == 0
    sources = (folder / "dev.a").read_text().splitlines()
    answers = kb.Predictor(folder / "s")(sources)
    right = [a["text"] == b for a, b in zip(answers, report["predictions"], strict=True)]
    assert sum(right) >= 38
    capsys.readouterr()
    assert run("predict", model=folder / "s/1", text="two one") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["text"] == "eins zwei" and 0.5 < answer["score"] <= 1


def test_training_begins_with_the_head_of_the_checkpoint(folder):
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.jobs import find_job, job_of

    job, source = find_job("seq2seq"), open_source(folder / "preset")
    masked = kb.BertMaskedLM.from_preset(folder / "preset")
    model = job.build(kb.BertBackbone.from_source(source), None, **job.settings(source))
    old, new = masked.masked_lm_head, model.masked_lm_head
    assert (old.transform.kernel.numpy() == new.transform.kernel.numpy()).all()
    assert job_of(model) is job


@pytest.mark.slow
def test_flags_that_mean_nothing(folder, capsys, tmp_path):
    tokenizer = kb.BertTokenizer.from_preset(folder / "preset")
    backbone = kb.BertBackbone.from_preset(folder / "preset")
    classifier = kb.BertTextClassifier(backbone, ["a", "b"])
    kb.save_preset(tmp_path / "model", classifier, tokenizer)
    (tmp_path / "dev.tsv").write_text("sentence\tlabel\none\ta\n")
    evaluate = {"preset": tmp_path / "model", "input": tmp_path / "dev.tsv"}
    message = "--sampler and --beams mean nothing to this job"
    assert run("evaluate", **evaluate, sampler="beam") == 1
    assert message in capsys.readouterr().err
    assert run("export", preset=tmp_path / "model", output=tmp_path / "x/1", sampler="beam") == 1
    assert message in capsys.readouterr().err
    kb.save_preset(tmp_path / "lm", kb.BertSeq2SeqLM(backbone), tokenizer)
    flags = {"preset": tmp_path / "lm", "output": tmp_path / "y/1"}
    assert run("export", sampler="greedy", beams=2, **flags) == 1
    assert "--beams is for --sampler=beam; received --sampler=greedy" in capsys.readouterr().err
