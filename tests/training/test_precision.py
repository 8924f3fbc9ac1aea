"""Which precision is chosen where, and what stays float32 whatever is chosen."""

import keras
import numpy as np
import pytest
from models import reference_bert as reference

import keras_bert as kb
from keras_bert.training import precision as module
from keras_bert.training.precision import precision

LARGE, SMALL = (
    kb.BertConfig(vocabulary_size=9, hidden_dim=size, num_heads=2) for size in (256, 254)
)


@pytest.mark.parametrize(
    ("kind", "capabilities", "bfloat16", "large", "small"),
    [
        ("CPU", [], True, "mixed_bfloat16", "float32"),
        ("CPU", [], False, "float32", "float32"),
        ("GPU", [(9, 0)], False, "mixed_bfloat16", "mixed_bfloat16"),
        ("GPU", [(8, 0), (8, 6)], False, "mixed_bfloat16", "mixed_bfloat16"),
        ("GPU", [(9, 0), (7, 5)], False, "mixed_float16", "mixed_float16"),
        ("GPU", [(6, 1)], True, "float32", "float32"),
        ("GPU", [(0, 0)], True, "float32", "float32"),
        ("TPU", [], False, "mixed_bfloat16", "mixed_bfloat16"),
    ],
)
def test_auto(monkeypatch, kind, capabilities, bfloat16, large, small):
    monkeypatch.setattr(module, "_devices", lambda: (kind, capabilities))
    monkeypatch.setattr(module, "_multiplies_bfloat16", lambda: bfloat16)
    assert precision("auto", LARGE) == large == precision()
    assert precision("auto", SMALL) == small
    assert precision("float32", LARGE) == "float32"
    backbone = kb.BertBackbone(LARGE, dtype="auto")
    assert backbone.embeddings.dtype_policy.name == large
    assert kb.BertBackbone.from_config(backbone.get_config())._policy.name == large


def test_this_machine_is_read():
    assert precision() in module.POLICIES
    with open("/proc/cpuinfo") as file:
        assert module._multiplies_bfloat16() == ("_bf16" in file.read())


HALVES = ["mixed_bfloat16", "mixed_float16"]


@pytest.mark.parametrize("dtype", HALVES)
def test_layer_norm_of_a_large_mean(dtype):
    """The mean is 64 times the spread: sums in half precision would be wrong from the start."""
    x = 512 + 8 * np.random.default_rng(0).standard_normal((4, 768))
    x = np.asarray(keras.ops.cast(x, dtype.removeprefix("mixed_")), "float32")
    layer = kb.BertBackbone(LARGE, dtype=dtype).encoder_layers[0]._layer_norm("norm")
    actual = layer(x.astype("float32"))
    assert keras.backend.standardize_dtype(actual.dtype) == dtype.removeprefix("mixed_")
    wide = x.astype("float64")
    mean, spread = wide.mean(-1, keepdims=True), wide.std(-1, keepdims=True)
    np.testing.assert_allclose(np.asarray(actual, "float64"), (wide - mean) / spread, atol=0.02)


@pytest.mark.parametrize("dtype", HALVES)
def test_softmax_of_many_keys(dtype):
    """Each of 512 keys has about 1/512: in half precision the row would not sum to 1."""
    keras.utils.set_random_seed(0)
    config = kb.BertConfig(vocabulary_size=9, hidden_dim=16, num_heads=2, num_layers=1)
    inputs = reference.without_positions(reference.example_inputs(config, rows=2, length=512))
    backbone = reference.randomize(kb.BertBackbone(config, dtype=dtype))
    attention_map = np.asarray(backbone.internals()(inputs)["attention_maps"][0])
    assert attention_map.dtype == np.float32
    np.testing.assert_allclose(attention_map.astype("float64").sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("dtype", HALVES)
def test_logits_losses_and_weights_are_float32(dtype):
    config = kb.BertConfig(vocabulary_size=9, hidden_dim=16, num_heads=2, num_layers=1)
    model = kb.BertPretrainer(kb.BertBackbone(config, dtype=dtype))
    outputs = model(reference.example_inputs(config))
    assert {keras.backend.standardize_dtype(x.dtype) for x in outputs.values()} == {"float32"}
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    labels = np.zeros(outputs["next_sentence"].shape[0], "int32")
    loss = kb.losses.MeanCrossentropy()(labels, outputs["next_sentence"])
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
