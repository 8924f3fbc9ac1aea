"""Weights by Hugging Face's names compute what plain NumPy computes from the same file."""

import logging
import struct

import numpy as np
import numpy_bert
import pytest
from numpy_bert import NumpyBert, hf_config, hf_tensors, inputs
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import keras_bert as kb

TOLERANCE = 1e-5


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "silu", "tanh"])
def test_backbone_computes_the_file(hf_directory, activation):
    config = hf_config(hidden_act=activation)
    tensors = hf_tensors(config)
    backbone = kb.BertBackbone.from_preset(hf_directory(config, tensors))
    x = inputs(config)
    sequence, pooled = NumpyBert(config, tensors)(**x)
    outputs = backbone(x)
    real = x["padding_mask"] == 1
    np.testing.assert_allclose(outputs["sequence_output"][real], sequence[real], atol=TOLERANCE)
    np.testing.assert_allclose(outputs["pooled_output"], pooled, atol=TOLERANCE)


def test_all_heads_compute_the_file(hf_directory):
    config = hf_config(id2label={"0": "no", "1": "maybe", "2": "yes"})
    tensors = hf_tensors(config)
    directory = hf_directory(config, tensors)
    x = inputs(config)
    positions = np.array([[1, 2], [0, 1], [3, 0]], "int32")
    reference = NumpyBert(config, tensors)
    sequence, pooled = reference(**x)
    masked = reference.masked_lm(sequence, positions)

    pretrainer = kb.BertPretrainer.from_preset(directory)({**x, "mask_positions": positions})
    np.testing.assert_allclose(pretrainer["masked_lm"], masked, atol=TOLERANCE)
    np.testing.assert_allclose(
        pretrainer["next_sentence"], reference.dense("cls.seq_relationship", pooled), atol=TOLERANCE
    )
    masked_lm = kb.BertMaskedLM.from_preset(directory)({**x, "mask_positions": positions})
    np.testing.assert_allclose(masked_lm["masked_lm"], masked, atol=TOLERANCE)
    classifier = kb.BertTextClassifier.from_preset(directory)
    assert classifier.labels == ["no", "maybe", "yes"]
    np.testing.assert_allclose(
        classifier(x)["classification"], reference.dense("classifier", pooled), atol=TOLERANCE
    )


def test_real_weights(minilm):
    """all-MiniLM-L6-v2, English, Chinese, accents, empty: within 1e-5 of float64."""
    tensors = load_file(minilm / "model.safetensors")
    config = hf_config(num_hidden_layers=6, num_attention_heads=12, hidden_act="gelu")
    backbone = kb.BertBackbone.from_preset(minilm)
    assert backbone.count_params() == 22_713_216
    tokenizer = kb.BertTokenizer.from_preset(minilm)
    texts = ["I love to eat apples.", "我爱吃苹果", "Ça été créé à la façon de Dvořák", ""]
    rows = [[101, *row, 102] for row in tokenizer(texts).to_list()]
    length = max(map(len, rows))
    x = {
        "token_ids": np.array([row + [0] * (length - len(row)) for row in rows], "int32"),
        "segment_ids": np.zeros((len(rows), length), "int32"),
        "padding_mask": np.array([[1] * len(r) + [0] * (length - len(r)) for r in rows], "int32"),
    }
    sequence, pooled = NumpyBert(config, tensors, prefix="")(**x)
    outputs = backbone(x)
    real = x["padding_mask"] == 1
    np.testing.assert_allclose(outputs["sequence_output"][real], sequence[real], atol=TOLERANCE)
    np.testing.assert_allclose(outputs["pooled_output"], pooled, atol=TOLERANCE)


def test_old_names_half_precision_and_position_ids(hf_directory):
    """A file as the first converters wrote them gives the same model."""
    config = hf_config()
    tensors = {name: value.astype("float16") for name, value in hf_tensors(config).items()}
    modern = kb.BertPretrainer.from_preset(hf_directory(config, tensors))
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in tensors.items()
    }
    old["bert.embeddings.position_ids"] = np.arange(10)[None]
    old["cls.predictions.decoder.weight"] = old["bert.embeddings.word_embeddings.weight"]
    old["cls.predictions.decoder.bias"] = old.pop("cls.predictions.bias")
    loaded = kb.BertPretrainer.from_preset(hf_directory(config, old, "old"))
    for variable, other in zip(modern.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), other.numpy())
    table = tensors["bert.embeddings.word_embeddings.weight"].astype("float32")
    np.testing.assert_array_equal(loaded.backbone.embeddings.token_table.numpy(), table)


def test_an_old_name_beside_todays(hf_directory):
    """Many files of masked language models hold the bias of the vocabulary under both."""
    config = hf_config()
    tensors = hf_tensors(config)
    bias = tensors["cls.predictions.bias"]
    both = {**tensors, "cls.predictions.decoder.bias": bias}
    model = kb.BertMaskedLM.from_preset(hf_directory(config, both))
    np.testing.assert_array_equal(model.masked_lm_head.bias.numpy(), bias)
    differing = {**tensors, "cls.predictions.decoder.bias": bias + 1}
    with pytest.raises(ValueError, match=r"predictions\.bias and .*decoder\.bias.* differ"):
        kb.BertMaskedLM.from_preset(hf_directory(config, differing, "differing"))


def test_an_untied_decoder_is_refused(hf_directory):
    config = hf_config()
    tensors = hf_tensors(config)
    tensors["cls.predictions.decoder.weight"] = (
        tensors["bert.embeddings.word_embeddings.weight"] + 1
    )
    directory = hf_directory(config, tensors)
    with pytest.raises(ValueError, match=r"decoder\.weight differs from"):
        kb.BertMaskedLM.from_preset(directory)
    kb.BertBackbone.from_preset(directory)  # does not need it


def test_what_starts_anew_is_listed(hf_directory, caplog):
    config = hf_config()
    tensors = {
        name: value for name, value in hf_tensors(config, prefix="").items() if "pooler" not in name
    }
    directory = hf_directory(config, tensors)
    with caplog.at_level(logging.WARNING):
        model = kb.BertTextClassifier.from_preset(directory, labels=["a", "b"])
    assert len(caplog.records) == 1
    for name in (
        "pooler.dense.weight",
        "pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    ):
        assert name in caplog.text
    assert "embeddings" not in caplog.text
    np.testing.assert_array_equal(
        model.backbone.embeddings.position_table.numpy(),
        tensors["embeddings.position_embeddings.weight"],
    )
    caplog.clear()
    kb.BertMaskedLM.from_preset(directory)
    assert "cls.predictions.bias" in caplog.text
    assert "pooler" not in caplog.text  # a masked LM reads none


def _renamed(tensors, old, new):
    return {new if name == old else name: value for name, value in tensors.items()}


WORDS = "bert.embeddings.word_embeddings.weight"
QUERY = "bert.encoder.layer.1.attention.self.query.weight"


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda t: _renamed(t, QUERY, "other"),
            rf"model\.safetensors lacks the tensor {QUERY}; .*\(8, 8\)",
        ),
        (
            lambda t: {**t, WORDS: t[WORDS][:-1]},
            rf"{WORDS} has shape \(22, 8\); expected \(23, 8\)",
        ),
        (
            lambda t: {**t, "bert.encoder.layer.2.output.dense.bias": np.ones(8, "float32")},
            r"holds the tensor bert\.encoder\.layer\.2\.output\.dense\.bias",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused_before_anything_changes(hf_directory, change, message):
    config = hf_config()
    directory = hf_directory(config, change(hf_tensors(config)))
    with pytest.raises(ValueError, match=message):
        kb.BertBackbone.from_preset(directory)
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.checkpoints.weights import load_weights

    backbone = kb.BertBackbone.from_preset(hf_directory(config, hf_tensors(config), "whole"))
    before = [variable.numpy() for variable in backbone.weights]
    with pytest.raises(ValueError, match=message):
        load_weights(backbone, open_source(directory))
    for variable, value in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-50],  # truncated
        lambda data: data[:20],
        lambda data: b"",
        lambda data: struct.pack("<Q", 1 << 60) + data[8:],  # a header longer than any file
        lambda data: data[:8] + b"x" + data[9:],
    ],
)
def test_a_damaged_file_is_named(hf_directory, damage):
    directory = hf_directory(hf_config(), hf_tensors(hf_config()))
    path = directory / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.safetensors is no whole safetensors file"):
        kb.BertBackbone.from_preset(directory)


def test_other_formats_are_refused_with_the_way_out(hf_directory):
    directory = hf_directory(hf_config(), hf_tensors(hf_config()))
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="pickle"):
        kb.BertBackbone.from_preset(directory)
    (directory / "pytorch_model.bin").rename(directory / "tf_model.h5")
    with pytest.raises(FileNotFoundError, match="safe_serialization"):
        kb.BertBackbone.from_preset(directory)


def test_writing_gives_the_tensors_back(hf_directory, tmp_path):
    """Read, write: every tensor of the file, bit for bit, under the same name."""
    from keras_bert.checkpoints.huggingface import save_weights

    config = hf_config()
    tensors = hf_tensors(config)
    directory = hf_directory(config, tensors)
    heads = {
        kb.BertPretrainer: ("bert.", "cls."),
        kb.BertTextClassifier: ("bert.", "classifier."),
    }
    for task, starts in heads.items():
        save_weights(task.from_preset(directory), tmp_path)
        written = load_file(tmp_path / "model.safetensors")
        assert set(written) == {name for name in tensors if name.startswith(starts)}
        for name, value in written.items():
            np.testing.assert_array_equal(value, tensors[name])
    save_weights(kb.BertMaskedLM.from_preset(directory), tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="np") as file:
        assert file.metadata() == {"format": "pt"}
        assert not [name for name in file.keys() if "pooler" in name or "seq_rel" in name]  # noqa: SIM118
    save_weights(kb.BertBackbone.from_preset(directory), tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    assert {f"bert.{name}" for name in written} == {n for n in tensors if n.startswith("bert.")}


def test_a_weight_without_a_name_is_not_lost_silently(hf_directory):
    from keras_bert.checkpoints import names

    config = hf_config()
    model = kb.BertPretrainer.from_preset(hf_directory(config, hf_tensors(config)))
    del model.next_sentence_head
    with pytest.raises(ValueError, match=r"no name for: next_sentence/kernel"):
        names.model_tensors(model)


def test_reference_is_sensitive():
    """The NumPy model's padding and segments matter, or the tests above would prove little."""
    config = hf_config()
    reference = NumpyBert(config, hf_tensors(config))
    x = inputs(config)
    for name in x:
        other = {**x, name: 1 - x[name] if name != "token_ids" else x[name][::-1]}
        other["padding_mask"][:, 0] = 1
        assert np.abs(reference(**x)[1] - reference(**other)[1]).max() > 1e-3
    assert numpy_bert.activation("gelu")(np.array(1.0)) == pytest.approx(0.8413447)


def test_save_file_is_float32_under_mixed_precision(hf_directory, tmp_path):
    from keras_bert.checkpoints.huggingface import save_weights

    config = hf_config()
    tensors = hf_tensors(config)
    model = kb.BertPretrainer.from_preset(hf_directory(config, tensors), dtype="mixed_bfloat16")
    assert model.backbone.embeddings.compute_dtype == "bfloat16"
    save_weights(model, tmp_path)
    for name, value in load_file(tmp_path / "model.safetensors").items():
        np.testing.assert_array_equal(value, tensors[name])


def test_bfloat16_files_are_read(hf_directory, tmp_path):
    import ml_dtypes

    config = hf_config()
    tensors = hf_tensors(config)
    directory = hf_directory(config, tensors)
    halves = {name: value.astype(ml_dtypes.bfloat16) for name, value in tensors.items()}
    save_file(halves, directory / "model.safetensors")
    backbone = kb.BertBackbone.from_preset(directory)
    np.testing.assert_array_equal(
        backbone.embeddings.token_table.numpy(), halves[WORDS].astype("float32")
    )
