"""Token classification with a CRF, from a file to answers by the command line."""

import json
import random

import numpy as np
import pytest
import tensorflow as tf
from jobs.word_encoder import run, save_encoder

import keras_bert as kb
from keras_bert.jobs.tokens import predict_entities

WORDS = "ann bob lee ##s sang sat in rome on mat . 王 明 在".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    save_encoder(folder, WORDS, max_sequence_length=16)
    rng = random.Random(0)
    for name, rows in (("train", 160), ("dev", 40)):
        lines = []
        for _ in range(rows):
            person = rng.choice(["Ann", "Bob Lees", "Lee", "王明"])
            start = rng.choice(["", "on mat "])
            spans = [[len(start), len(start) + len(person), "PER"]]
            text = f"{start}{person} {rng.choice(['sang', 'sat'])}"
            if rng.random() < 0.5:
                text += " in Rome"
                spans.append([len(text) - 4, len(text), "LOC"])
            lines.append(json.dumps({"text": text, "spans": spans}, ensure_ascii=False))
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.slow
def test_from_a_file_to_answers(folder, capsys):
    flags = {"epochs": 8, "batch_size": 16, "learning_rate": 5e-3, "sequence_length": 16}
    files = {"train": folder / "train.jsonl", "dev": folder / "dev.jsonl"}
    assert (
        run(
            "finetune",
            "--crf",
            task="tokens",
            preset=folder / "encoder",
            output=folder / "run",
            crf_learning_rate=2e-2,
            **files,
            **flags,
        )
        == 0
    )
    report = json.loads((folder / "run/report.json").read_text())
    assert report["f1"] > 0.95
    model = kb.BertTokenClassifier.from_preset(folder / "run/model")
    # An I after O has never been seen: what begins a span is a B.
    labels = model.labels
    transitions = np.asarray(model.crf.transitions)
    outside = transitions[labels.index("O")]
    assert outside[labels.index("I-PER")] < outside[labels.index("B-PER")]
    flags = {"preset": folder / "run/model", "input": folder / "dev.jsonl"}
    assert run("evaluate", output=folder / "again", **flags) == 0
    assert json.loads((folder / "again/report.json").read_text()) == report
    assert run("export", preset=folder / "run/model", output=folder / "saved/1") == 0

    predictor = kb.Predictor(folder / "saved")
    texts = ["Bob Lees sang in Rome", "王明 sat", "on mat", "Ann sang ."]
    preprocess = kb.TokenClassifierPreprocessor.from_preset(folder / "run/model")
    answers, expected = predictor(texts), predict_entities(model, preprocess, texts)
    for answer, wanted in zip(answers, expected, strict=True):
        assert [{**e, "score": 0} for e in answer] == [{**e, "score": 0} for e in wanted]
        assert [e["score"] for e in answer] == pytest.approx([e["score"] for e in wanted], abs=1e-5)
    assert [(e["text"], e["label"]) for e in answers[0]] == [("Bob Lees", "PER"), ("Rome", "LOC")]
    assert predictor([]) == []
    # Token ids alone tell which pieces begin words; the labels of the others are their own.
    inputs, words = preprocess.with_words(texts)
    found = predictor.signatures["serve_tokens"](**inputs)
    names = found["labels"].numpy()[0][words["mask"].numpy()[0] == 1]
    assert names.tolist() == [b"B-PER", b"I-PER", b"O", b"O", b"B-LOC"]
    assert found["scores"].shape == inputs["token_ids"].shape
    assert float(tf.reduce_max(found["scores"])) <= 1.00001


def test_other_jobs_have_no_chain(folder, capsys):
    rows = [{"text": "ann", "label": label} for label in "ab"]
    (folder / "classes.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    flags = {"preset": folder / "encoder", "train": folder / "classes.jsonl"}
    assert run("finetune", "--crf", output=folder / "no", sequence_length=16, **flags) == 1
    assert "--crf means nothing to this job" in capsys.readouterr().err
