"""Saved, then read: the same model, in this process and in a fresh one."""

import errno
import functools
import json
import os
import pathlib
import random
import subprocess
import sys
import textwrap
import time
from unittest import mock

import numpy as np
import pytest
import safetensors
from numpy_bert import hf_config, hf_tensors, inputs

import keras_bert as kb
from keras_bert.checkpoints import huggingface

ROOT = pathlib.Path(kb.__file__).resolve().parents[1]
TASKS = [kb.BertBackbone, kb.BertPretrainer, kb.BertMaskedLM, kb.BertTextClassifier]
LABELS = {"0": "schlecht", "1": "好", "2": "égal"}


@pytest.fixture
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture
def directory(hf_directory, tiny_vocabulary):
    """A model of every head by hand, with the tiny vocabulary."""
    config = hf_config(vocab_size=len(tiny_vocabulary), id2label=LABELS)
    return hf_directory(config, hf_tensors(config), vocabulary=tiny_vocabulary)


def weights(model):
    return {variable.path: variable.numpy() for variable in model.weights}


@pytest.mark.parametrize("task", TASKS)
def test_round_trip_is_exact(directory, tokenizer, tmp_path, task):
    model = task.from_preset(directory)
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    again = task.from_preset(tmp_path / "saved")
    assert again.config == model.config
    assert getattr(again, "labels", None) == getattr(model, "labels", None)
    expected, received = weights(model), weights(again)
    assert set(expected) == set(received)
    for path, value in expected.items():
        if task is kb.BertMaskedLM and "pooler" in path:
            continue  # nothing reads it there
        np.testing.assert_array_equal(received[path], value)
    assert sorted(os.listdir(tmp_path / "saved")) == [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    modes = {(tmp_path / "saved" / n).stat().st_mode for n in os.listdir(tmp_path / "saved")}
    assert len(modes) == 1  # readable by a server, all of them
    tokens = kb.BertTokenizer.from_preset(tmp_path / "saved")
    assert tokens.vocabulary == tokenizer.vocabulary


@pytest.mark.parametrize(
    "variant",
    [
        {"pre_norm": True},
        {"share_layers": True, "embedding_dim": 4},
        {"activation": "gelu_tanh", "num_segments": 3, "max_sequence_length": 9},
    ],
)
def test_variants_come_back(tokenizer, tmp_path, variant):
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_dim=8,
        num_heads=2,
        num_layers=3,
        **{"max_sequence_length": 16, **variant},
    )
    model = kb.BertPretrainer(kb.BertBackbone(config))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    again = kb.BertPretrainer.from_preset(tmp_path / "saved")
    x = {
        **inputs({"vocab_size": config.vocabulary_size}),
        "mask_positions": np.ones((3, 2), "int32"),
    }
    for name, value in model(x).items():
        np.testing.assert_array_equal(again(x)[name], value)


def test_a_fresh_process_reads_the_same(directory, tokenizer, tmp_path):
    model = kb.BertTextClassifier.from_preset(directory)
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    x = inputs(hf_config(vocab_size=tokenizer.vocabulary_size))
    np.savez(tmp_path / "x.npz", **x)
    code = f"""
        import numpy as np, keras_bert as kb
        model = kb.BertTextClassifier.from_preset({str(tmp_path / "saved")!r})
        assert model.labels == {list(LABELS.values())!r}
        logits = model(dict(np.load({str(tmp_path / "x.npz")!r})))["classification"]
        np.save({str(tmp_path / "logits.npy")!r}, logits)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=ROOT)
    np.testing.assert_allclose(
        np.load(tmp_path / "logits.npy"), model(x)["classification"], atol=1e-6
    )


def test_dropout_before_the_classifier_is_kept(directory, tokenizer, tmp_path):
    backbone = kb.BertBackbone.from_preset(directory)
    model = kb.BertTextClassifier(backbone, ["a", "b"], dropout=0.33)
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    assert kb.BertTextClassifier.from_preset(tmp_path / "saved").dropout_rate == 0.33
    assert kb.BertTextClassifier.from_preset(directory).dropout_rate == backbone.config.dropout


def test_labels_of_a_classifier(directory, hf_directory):
    assert kb.BertTextClassifier.from_preset(directory).labels == list(LABELS.values())
    renamed = kb.BertTextClassifier.from_preset(directory, labels=["bad", "good", "so so"])
    assert renamed.labels == ["bad", "good", "so so"]
    with pytest.raises(ValueError, match="classifier of 3 outputs"):
        kb.BertTextClassifier.from_preset(directory, labels=["bad", "good"])
    with pytest.raises(ValueError, match="exchange their meanings"):
        kb.BertTextClassifier.from_preset(directory, labels=["好", "schlecht", "égal"])
    config = hf_config()
    unnamed = hf_directory(config, hf_tensors(config), "unnamed")
    assert kb.BertTextClassifier.from_preset(unnamed).labels == ["LABEL_0", "LABEL_1", "LABEL_2"]
    encoder = hf_directory(config, hf_tensors(config, prefix=""), "encoder")
    with pytest.raises(ValueError, match="has no classifier; pass labels"):
        kb.BertTextClassifier.from_preset(encoder)


def test_an_existing_folder_is_kept_without_overwrite(directory, tokenizer, tmp_path):
    first = kb.BertTextClassifier.from_preset(directory)
    kb.save_preset(tmp_path / "saved", first, tokenizer)
    other = kb.BertTextClassifier(first.backbone, labels=["a", "b"])
    with pytest.raises(FileExistsError, match="overwrite=True"):
        kb.save_preset(tmp_path / "saved", other, tokenizer)
    assert kb.BertTextClassifier.from_preset(tmp_path / "saved").labels == first.labels
    kb.save_preset(tmp_path / "saved", other, tokenizer, overwrite=True)
    assert kb.BertTextClassifier.from_preset(tmp_path / "saved").labels == ["a", "b"]
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("dear")
    with pytest.raises(FileExistsError, match="something else"):
        kb.save_preset(tmp_path / "work", other, tokenizer, overwrite=True)


def test_a_full_disk_keeps_the_former_checkpoint(directory, tokenizer, tmp_path, monkeypatch):
    model = kb.BertBackbone.from_preset(directory)
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    before = weights(model)

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    full_for_safetensors = safetensors.SafetensorError("I/O error: No space left on device")

    def save_half(error, tensors, path, metadata):
        pathlib.Path(path).write_bytes(b"half of it")
        raise error

    model.set_weights([weight + 1 for weight in model.get_weights()])
    for module, name, function in (
        (huggingface, "save_file", functools.partial(save_half, full)),
        (huggingface, "save_file", functools.partial(save_half, full_for_safetensors)),
        (json, "dumps", mock.Mock(side_effect=full)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, function)
            message = f"^{tmp_path / 'saved'} cannot be written: .*No space left"
            with pytest.raises(OSError, match=message):
                kb.save_preset(tmp_path / "saved", model, tokenizer, overwrite=True)
        assert sorted(os.listdir(tmp_path)) == ["hf", "saved"]
        for path, value in weights(kb.BertBackbone.from_preset(tmp_path / "saved")).items():
            np.testing.assert_array_equal(value, before[path])


def test_a_kill_between_the_renames_is_recovered_from(directory, tokenizer, tmp_path):
    model = kb.BertBackbone.from_preset(directory)
    kb.save_preset(tmp_path / "saved", model, tokenizer)
    (tmp_path / "saved").rename(tmp_path / ".saved.old")
    again = kb.BertBackbone.from_preset(tmp_path / "saved")
    for path, value in weights(again).items():
        np.testing.assert_array_equal(value, weights(model)[path])


def test_tokenizer_and_table_must_agree(directory, tokenizer, tiny_vocabulary, tmp_path):
    model = kb.BertBackbone.from_preset(directory)
    longer = kb.BertTokenizer([*tiny_vocabulary, "extra"])
    size = len(tiny_vocabulary)
    with pytest.raises(ValueError, match=f"{size + 1} tokens.*vocabulary_size={size} rows"):
        kb.save_preset(tmp_path / "saved", model, longer)
    assert not (tmp_path / "saved").exists()
    with (directory / "vocab.txt").open("a") as file:
        file.write("extra")  # a last line without its end counts
    with pytest.raises(ValueError, match=f"has {size + 1} tokens.*vocab_size={size}"):
        kb.BertBackbone.from_preset(directory)


def test_a_preprocessor_longer_than_the_model_is_refused(tokenizer, tmp_path):
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        num_layers=1,
        hidden_dim=8,
        num_heads=2,
        max_sequence_length=16,
    )
    model = kb.BertTextClassifier(kb.BertBackbone(config), labels=["a", "b"])
    longer = kb.TextClassifierPreprocessor(tokenizer, sequence_length=17)
    message = "sequence_length=17 is longer.*max_sequence_length=16; use a preprocessor with"
    with pytest.raises(ValueError, match=message):
        kb.save_preset(tmp_path / "saved", model, longer)
    assert os.listdir(tmp_path) == []
    fitting = kb.TextClassifierPreprocessor(tokenizer, sequence_length=16)
    kb.save_preset(tmp_path / "saved", model, fitting)
    again = kb.TextClassifierPreprocessor.from_preset(tmp_path / "saved")
    assert again.sequence_length == 16


def test_names_of_the_hub(directory, monkeypatch):
    import huggingface_hub

    stored = {
        "config.json", "vocab.txt", "tokenizer.json", "model.safetensors", "1_Pooling/config.json",
        "model-00001-of-00002.safetensors", "model.safetensors.index.json", "modules.json",
        "pytorch_model.bin", "modeling.py", "tf_model.h5", "onnx/model.onnx", "README.md",
    }  # fmt: skip
    calls = []

    def download(name, revision, **patterns):
        fetched = set(huggingface_hub.utils.filter_repo_objects(stored, **patterns))
        calls.append((name, revision, fetched))
        return str(directory)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    kb.BertBackbone.from_preset("hf://org/name")
    kb.BertBackbone.from_preset("hf://org/name@v1.0")
    assert [call[:2] for call in calls] == [("org/name", None), ("org/name", "v1.0")]
    assert stored - calls[0][2] == {
        "pytorch_model.bin", "modeling.py", "tf_model.h5", "onnx/model.onnx", "README.md"
    }  # fmt: skip
    for wrong in ("hf://", "hf://a/b/c", "hf:///a", "hf://a/"):
        with pytest.raises(ValueError, match="hf://organization/name"):
            kb.BertBackbone.from_preset(wrong)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        kb.BertBackbone.from_preset("hf://org/name")


@pytest.mark.slow
def test_a_kill_during_a_save_leaves_a_whole_checkpoint(directory, tokenizer, tmp_path):
    """A process saves again and again, all weights of a save being one number; it is killed."""
    code = f"""
        import keras_bert as kb
        model = kb.BertBackbone.from_preset({str(directory)!r})
        tokenizer = kb.BertTokenizer.from_preset({str(directory)!r})
        for number in range(100_000):
            model.set_weights([0 * weight + number for weight in model.get_weights()])
            kb.save_preset({str(tmp_path / "saved")!r}, model, tokenizer, overwrite=True)
            print("saved", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE
    )
    for _ in range(3):
        process.stdout.readline()
    time.sleep(random.Random(0).uniform(0, 0.05))
    process.kill()
    process.wait()
    model = kb.BertBackbone.from_preset(tmp_path / "saved")
    numbers = {number for weight in model.get_weights() for number in weight.flat}
    assert len(numbers) == 1
    assert numbers.pop() >= 2
    kb.save_preset(tmp_path / "saved", model, tokenizer, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["hf", "saved"]
