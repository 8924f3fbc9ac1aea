"""Checkpoints for other systems appear whole, or not at all."""

import doctest
import os

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.checkpoints import exporting


@pytest.fixture
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture
def model(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=8,
        num_heads=2,
        num_layers=1,
        max_sequence_length=16,
        activation="gelu_tanh",
    )
    return kb.BertTextClassifier(kb.BertBackbone(config), ["a", "b"])


def test_the_example_runs():
    [example] = doctest.DocTestFinder(recurse=False).find(
        kb.export_checkpoint, "export_checkpoint", globs={}
    )
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("format", exporting._MARKERS)
def test_overwriting(model, tokenizer, tmp_path, format):
    folder = tmp_path / "out"
    kb.export_checkpoint(model, tokenizer, folder, format)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        kb.export_checkpoint(model, tokenizer, folder, format)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    kb.export_checkpoint(model, tokenizer, folder, format, overwrite=True)
    again = kb.BertTextClassifier.from_preset(folder)
    for received, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)
    # A folder of Hugging Face's is something else.
    kb.save_preset(tmp_path / "hf", model, tokenizer)
    with pytest.raises(FileExistsError, match="something else"):
        kb.export_checkpoint(model, tokenizer, tmp_path / "hf", format, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["hf", "out"]


def test_a_full_disk_leaves_the_former_folder(model, tokenizer, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    kb.export_checkpoint(model, tokenizer, folder, "google")
    before = model.get_weights()
    model.set_weights([weight + 1 for weight in before])

    def full(prefix, **_):
        with open(f"{prefix}.index", "wb") as file:
            file.write(b"half of it")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tf.raw_ops, "SaveV2", full)
        with pytest.raises(OSError, match=f"^{folder} cannot be written: .*No space left"):
            kb.export_checkpoint(model, tokenizer, folder, "google", overwrite=True)
    again = kb.BertTextClassifier.from_preset(folder).get_weights()
    for received, expected in zip(again, before, strict=True):
        np.testing.assert_array_equal(received, expected)
    assert os.listdir(tmp_path) == ["out"]


def test_bad_arguments(model, tokenizer, tiny_vocabulary, tmp_path):
    with pytest.raises(ValueError, match=r"format must be one of google.*received 'onnx'"):
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "onnx")
    longer = kb.BertTokenizer([*tiny_vocabulary, "extra"])
    with pytest.raises(ValueError, match=f"the tokenizer has {len(tiny_vocabulary) + 1} tokens"):
        kb.export_checkpoint(model, longer, tmp_path / "out", "google")
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=17)
    with pytest.raises(ValueError, match="sequence_length=17 is longer"):
        kb.export_checkpoint(model, preprocess, tmp_path / "out", "google")
    assert os.listdir(tmp_path) == []
