"""Layouts of model directories, told apart by their files."""

import json

import pytest

from keras_bert.preset_kind import preset_kind, transformer_folder

KERAS_HUB = {"module": "keras_hub.src", "class_name": "BertBackbone", "config": {}}
HUGGING_FACE = {"model_type": "bert"}


def write(folder, **files):
    folder.mkdir()
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / name.replace("__", ".")).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("huggingface", {"config__json": HUGGING_FACE}),
        ("huggingface", {"config__json": HUGGING_FACE, "bert_config__json": {}}),
        ("huggingface", {"config__json": HUGGING_FACE, "tokenizer__json": KERAS_HUB}),
        ("huggingface", {"tokenizer__json": {"version": "1.0"}}),
        ("huggingface", {"tokenizer_config__json": {}}),
        ("huggingface", {"vocab__txt": "[PAD]"}),
        ("keras_hub", {"config__json": KERAS_HUB, "tokenizer__json": KERAS_HUB}),
        ("keras_hub", {"tokenizer__json": KERAS_HUB}),
        ("google", {"bert_config__json": {}, "vocab__txt": "[PAD]"}),
        ("google", {"bert_model__ckpt__index": "", "vocab__txt": "[PAD]"}),
        ("google", {"model__ckpt-12__index": "", "tokenizer_config__json": {}}),
        ("sentence_transformers", {"modules__json": [], "config__json": HUGGING_FACE}),
    ],
)
def test_kinds(tmp_path, kind, files):
    # A name that glob would read as a pattern.
    assert preset_kind(write(tmp_path / "model[1]", **files)) == kind


def test_nothing_that_tells(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; expected a model directory"):
        preset_kind(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="it holds nothing; expected"):
        preset_kind(write(tmp_path / "empty"))
    folder = write(tmp_path / "other", notes__md="hello", config__json="{")
    with pytest.raises(FileNotFoundError, match="is a file"):
        preset_kind(folder / "notes.md")
    with pytest.raises(ValueError, match=r"config\.json' is not JSON"):
        preset_kind(folder)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(ValueError, match="holds a list; expected a JSON object"):
        preset_kind(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"it holds notes\.md"):
        preset_kind(folder)


def modules(*pairs):
    return [{"idx": i, "path": path, "type": kind} for i, (kind, path) in enumerate(pairs)]


def test_transformer_folder(tmp_path):
    old, new = "sentence_transformers.models.Transformer", "sentence_transformers.base.Transformer"
    pooling = ("sentence_transformers.models.Pooling", "1_Pooling")
    flat = write(tmp_path / "flat", modules__json=modules((new, ""), pooling))
    assert transformer_folder(flat) == str(flat)
    nested = write(tmp_path / "nested", modules__json=modules((old, "0_Transformer"), pooling))
    with pytest.raises(FileNotFoundError, match="0_Transformer', which does not exist"):
        transformer_folder(nested)
    (nested / "0_Transformer").mkdir()
    assert transformer_folder(nested) == str(nested / "0_Transformer")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "expected a JSON array"),
        (["x"], "expected objects"),
        (modules(("a.Pooling", "")), "names a.Pooling; expected one Transformer"),
        ([], "names no modules"),
        (modules(("a.Transformer", "../other")), "expected one within"),
        (modules(("a.Transformer", "x/../../other")), "expected one within"),
        (modules(("a.Transformer", "/etc")), "expected one within"),
        ([{"type": "a.Transformer", "path": 3}], "expected one Transformer"),
    ],
)
def test_bad_modules(tmp_path, value, message):
    with pytest.raises(ValueError, match=message):
        transformer_folder(write(tmp_path / "model", modules__json=value))
