"""Checkpoints in, checkpoints out, by the command: what it says, writes, verifies and refuses."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main


def run(*arguments, **flags):
    return main([*arguments, *(f"--{name}={value}" for name, value in flags.items())])


def convert(source, target, **flags):
    return run("convert", f"--from={source}", f"--to={target}", **flags)


def weights_equal(first, second):
    assert type(first) is type(second)
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory, tiny_vocabulary):
    """A model directory with both pretraining heads, of random weights."""
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=2,
        max_sequence_length=24,
    )
    model = kb.BertPretrainer(kb.BertBackbone(config))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    folder = tmp_path_factory.mktemp("convert") / "pretrained"
    kb.save_preset(folder, model, kb.BertTokenizer(tiny_vocabulary))
    return folder


def test_google_and_back(pretrained, tmp_path, capsys):
    assert convert(pretrained, tmp_path / "google", format="google") == 0
    said = capsys.readouterr().out
    for expected in (
        "Hugging Face checkpoint",
        "2 layers, 16 wide, 2 heads, 64 inside, gelu",
        "heads: pooler, masked LM, next sentence",
        "float32",
        "read as BertPretrainer; text is lower-cased",
        "written, read back and equal",
    ):
        assert expected in said
    assert convert(tmp_path / "google", tmp_path / "back") == 0
    assert "Google TensorFlow 1 checkpoint" in capsys.readouterr().out
    weights_equal(kb.model_from_preset(tmp_path / "back"), kb.model_from_preset(pretrained))
    assert kb.BertTokenizer.from_preset(tmp_path / "back").vocabulary == (
        kb.BertTokenizer.from_preset(pretrained).vocabulary
    )


def test_keras_hub_needs_its_own_gelu(pretrained, tmp_path, capsys):
    assert convert(pretrained, tmp_path / "hub", format="keras_hub", task="backbone") == 1
    assert "approximate_gelu" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
    flags = {"format": "keras_hub", "task": "backbone", "approximate_gelu": True}
    assert convert(pretrained, tmp_path / "hub", **flags) == 0
    assert convert(tmp_path / "hub", tmp_path / "back") == 0
    assert "KerasHub checkpoint" in capsys.readouterr().out
    weights_equal(kb.model_from_preset(tmp_path / "back"), kb.BertBackbone.from_preset(pretrained))


def test_the_tiny_checkpoint(shared_data, tmp_path, capsys):
    assert convert(shared_data / "tiny_tf1_checkpoint", tmp_path / "tiny") == 0
    said = capsys.readouterr().out
    assert "left aside, no weights of a model: 93" in said and "701 parameters" in said


def test_tokens_and_positions_are_added(pretrained, tmp_path, capsys):
    (tmp_path / "tokens.txt").write_text("covid\n##omics\n")
    flags = {"add_tokens": tmp_path / "tokens.txt", "max_sequence_length": 60}
    assert convert(pretrained, tmp_path / "larger", **flags) == 0
    assert "2 tokens added" in capsys.readouterr().out
    model, before = kb.model_from_preset(tmp_path / "larger"), kb.model_from_preset(pretrained)
    assert model.config.max_sequence_length == 60
    assert model.config.vocabulary_size == before.config.vocabulary_size + 2
    tokenizer = kb.BertTokenizer.from_preset(tmp_path / "larger")
    assert tokenizer.tokenize_to_strings("Covid") == ["covid"]
    old = kb.BertTokenizer.from_preset(pretrained)("covid").numpy()
    table = before.backbone.embeddings.token_table.numpy()
    np.testing.assert_allclose(
        model.backbone.embeddings.token_table.numpy()[-2], table[old].mean(0), atol=1e-6
    )


def test_an_embedder_keeps_its_length_and_modules(pretrained, tmp_path):
    assert convert(pretrained, tmp_path / "embedder", task="embedder") == 0
    text = kb.TextClassifierPreprocessor.from_preset(tmp_path / "embedder", sequence_length=9)
    model = kb.model_from_preset(tmp_path / "embedder")
    assert isinstance(model, kb.BertTextEmbedder)
    kb.save_preset(tmp_path / "short", model, text)
    assert convert(tmp_path / "short", tmp_path / "again") == 0
    assert kb.TextClassifierPreprocessor.from_preset(tmp_path / "again").sequence_length == 9
    weights_equal(kb.model_from_preset(tmp_path / "again"), model)


def test_nothing_is_left_of_what_fails(pretrained, tmp_path, capsys):
    assert convert(tmp_path / "absent", tmp_path / "to") == 1
    assert "absent" in capsys.readouterr().err
    bad = tmp_path / "bad"
    kb.save_preset(bad, kb.model_from_preset(pretrained), kb.BertTokenizer.from_preset(pretrained))
    data = (bad / "model.safetensors").read_bytes()
    (bad / "model.safetensors").write_bytes(data[:-100])
    assert convert(bad, tmp_path / "to") == 1
    assert "model.safetensors is no whole safetensors file" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    assert convert(pretrained, tmp_path / "full", overwrite=True) == 1
    assert sorted(os.listdir(tmp_path)) == ["bad", "full"]
    assert os.listdir(tmp_path / "full") == ["thesis.txt"]


def test_what_reads_back_otherwise_takes_no_name(pretrained, tmp_path, monkeypatch, capsys):
    """A disk that loses a bit: the folder does not appear."""
    from keras_bert.checkpoints import huggingface

    def spoil(tensors, path, **options):
        name = next(name for name in tensors if "query.weight" in name)
        tensors[name] = tensors[name] + np.float32(1e-6)
        return save(tensors, path, **options)

    save = huggingface.save_file
    monkeypatch.setattr(huggingface, "save_file", spoil)
    assert convert(pretrained, tmp_path / "to") == 1
    assert "query.weight is not what was written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_a_kill_leaves_the_former_folder_or_the_whole_new_one(pretrained, tmp_path):
    command = [sys.executable, "-m", "keras_bert.cli.main", "convert", f"--from={pretrained}"]
    command += [f"--to={tmp_path / 'to'}", "--overwrite"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    rng = random.Random(1)
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()  # the summary: reading has begun
        time.sleep(rng.uniform(0, 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        weights_equal(kb.model_from_preset(tmp_path / "to"), kb.model_from_preset(pretrained))


@pytest.mark.slow
def test_pretraining_goes_on_from_a_checkpoint(pretrained, tmp_path, capsys):
    """From Google's files: the heads are there at step 0, and the vocabulary is the same."""
    assert convert(pretrained, tmp_path / "google", format="google") == 0
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(
        "the cat sat on the mat .\nthe dog was good .\n\na bad film .\nit was .\n" * 9
    )
    flags = {"input": corpus, "output": tmp_path / "run", "sequence_length": 16, "batch_size": 4}
    flags |= {"steps": 2, "learning_rate": 1e-30, "weight_decay": 0.0, "report_every": 2}
    assert run("pretrain", f"--from={tmp_path / 'google'}", **flags) == 0
    model = kb.model_from_preset(tmp_path / "run" / "model")
    weights_equal(model, kb.model_from_preset(pretrained))  # so small a rate changes no float32
    capsys.readouterr()
    flags |= {"output": tmp_path / "none"}
    assert run("pretrain", **flags) == 1
    assert "received neither" in capsys.readouterr().err
    assert run("pretrain", f"--from={pretrained}", vocab="x", **flags) == 1
    assert "received both" in capsys.readouterr().err
    assert run("pretrain", f"--from={pretrained}", size="tiny", **flags) == 1
    assert "has a size of its own" in capsys.readouterr().err
    assert run("pretrain", f"--from={pretrained}", **{**flags, "sequence_length": 30}) == 1
    assert "convert --max_sequence_length" in capsys.readouterr().err
    assert not (tmp_path / "none").exists() or not os.listdir(tmp_path / "none")
