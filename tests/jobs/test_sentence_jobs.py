"""Fill-mask and next sentence on the command line: heads gone on with, figures right, answers."""

import json
import random

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.jobs import fill_mask, job_of, next_sentence

# Topics: sentences of a document are of one.
TOPICS = ["apple bread soup rice", "ball goal race team", "鱼 鸟 猫 狗", "sun moon star sky"]
SIZE = {"num_layers": 1, "hidden_dim": 32, "num_heads": 2, "max_sequence_length": 16}


def run(command, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items())])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny untrained pretraining model, and text: each document is of one topic."""
    folder = tmp_path_factory.mktemp("sentences")
    rng = random.Random(0)
    for name, count in (("train", 120), ("dev", 40)):
        documents = []
        for _ in range(count):
            words = rng.choice(TOPICS).split()
            lines = [" ".join(rng.choices(words, k=3)) for _ in range(4)]
            documents.append("\n".join(lines))
        (folder / f"{name}.txt").write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    tokenizer = kb.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *" ".join(TOPICS).split()]
    )
    keras.utils.set_random_seed(99)
    config = kb.BertConfig(vocabulary_size=tokenizer.vocabulary_size, **SIZE)
    model = kb.BertPretrainer(kb.BertBackbone(config))
    for weight in model.weights:  # heads that are told from new ones
        weight.assign_add(keras.random.normal(weight.shape, stddev=0.05))
    kb.save_preset(folder / "start", model, tokenizer)
    return folder


@pytest.mark.parametrize("task", ["fill_mask", "next_sentence"])
def test_heads_of_the_checkpoint_are_gone_on_with(folder, task):
    """At a rate of next to nothing the model comes out as it went in, its head too."""
    output = folder / f"kept_{task}"
    flags = {"train": folder / "dev.txt", "dev": folder / "dev.txt", "learning_rate": 1e-9}
    flags |= {"epochs": 1, "sequence_length": 16, "output": output, "preset": folder / "start"}
    assert run("finetune", task=task, **flags) == 0
    model = kb.model_from_preset(output / "model")
    job = {"fill_mask": fill_mask, "next_sentence": next_sentence}[task]
    assert job_of(model) is job
    before = type(model).from_preset(folder / "start")
    for one, other in zip(model.weights, before.weights, strict=True):
        if task == "fill_mask" and "pooler" in one.path:
            continue  # not read by the head, so not written
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6, err_msg=one.path)
    report = json.loads((output / "report.json").read_text())
    evaluated = folder / f"evaluated_{task}"
    preset = output / "model" if task == "next_sentence" else folder / "start"  # a pretrainer too
    assert kb.preprocessor_from_preset(preset).sequence_length == 16
    assert run("evaluate", preset=preset, input=folder / "dev.txt", output=evaluated) == 0
    again = json.loads((evaluated / "report.json").read_text())
    assert again.keys() == report.keys()
    for name, value in report.items():
        if isinstance(value, float):
            assert again[name] == pytest.approx(value, rel=1e-4)


def test_figures_are_those_of_numpy(folder):
    model = kb.BertMaskedLM.from_preset(folder / "start")
    preprocess = kb.MaskedLMPreprocessor.from_preset(folder / "start")
    data = fill_mask.read(folder / "dev.txt", preprocess, batch_size=7, shuffle=False)
    report = fill_mask.measure(model, preprocess, data)
    losses, right = [], []
    for inputs, labels, weights in data.as_numpy_iterator():
        logits = np.float64(model.predict_on_batch(inputs)["masked_lm"])
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        own = np.take_along_axis(logs, labels["masked_lm"][..., None], -1)[..., 0]
        is_mask = weights["masked_lm"] > 0
        losses += (-own[is_mask]).tolist()
        right += (logits.argmax(-1) == labels["masked_lm"])[is_mask].tolist()
    assert report["masks"] == len(losses) > 50
    assert report["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert report["perplexity"] == pytest.approx(np.exp(np.mean(losses)), rel=1e-5)
    assert report["accuracy"] == pytest.approx(np.mean(right))


@pytest.mark.slow
def test_both_are_learnt_and_answer(folder, capsys):
    flags = {"train": folder / "train.txt", "dev": folder / "dev.txt", "sequence_length": 16}
    flags |= {"batch_size": 16, "learning_rate": 5e-3, "seed": 1}
    reports = {}
    for task, start, epochs in (
        ("fill_mask", "start", 20),
        ("next_sentence", "fill_mask/model", 30),  # whose words know their topics
    ):
        flags |= {"preset": folder / start, "output": folder / task, "epochs": epochs}
        assert run("finetune", task=task, **flags) == 0
        reports[task] = json.loads((folder / task / "report.json").read_text())
        assert run("export", preset=folder / task / "model", output=folder / f"{task}_s/1") == 0
    # Four words a topic are equally likely: a perplexity of 4 is all there is to learn.
    assert 3.5 < reports["fill_mask"]["perplexity"] < 6
    # A random sentence may be of the same topic, one in four.
    assert reports["next_sentence"]["accuracy"] > 0.78
    told = kb.Predictor(folder / "fill_mask_s")("moon star [MASK] sky")
    assert {each["token"] for each in told[0][:4]} == set("sun moon star sky".split())
    predict = kb.Predictor(folder / "next_sentence_s")
    follows, not_so = predict([("鱼 鸟 猫", "狗 鱼 鱼"), ("鱼 鸟 猫", "ball goal race")])
    assert follows["is_next"] and not not_so["is_next"]
    assert follows["score"] > not_so["score"] + 0.3
