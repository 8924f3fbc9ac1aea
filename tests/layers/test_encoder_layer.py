"""EncoderLayer, its activations, and the pooler: against NumPy."""

import numpy as np
import pytest
from models import reference_bert as reference

from keras_bert.config import ACTIVATIONS, BertConfig
from keras_bert.layers.encoder_layer import EncoderLayer
from keras_bert.layers.initializers import activation
from keras_bert.layers.pooler import Pooler

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], "int32")


def make(config):
    layer = EncoderLayer(
        config.num_heads,
        config.intermediate_dim,
        config.activation,
        layer_norm_epsilon=config.layer_norm_epsilon,
        pre_norm=config.pre_norm,
        name="layer",
    )
    layer.build((None, None, config.hidden_dim))
    return reference.randomize(layer)


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_numpy(name, pre_norm):
    config = BertConfig(
        hidden_dim=8,
        num_heads=2,
        intermediate_dim=20,
        activation=name,
        pre_norm=pre_norm,
        layer_norm_epsilon=1e-2,
    )
    layer = make(config)
    x = np.random.default_rng(2).standard_normal((2, 4, 8)).astype("float32")
    output, maps = layer(x, MASK, return_attention_map=True)
    np.testing.assert_array_equal(layer(x, MASK), output)
    for row in range(2):
        expected, expected_map = reference.encode(
            config, reference.weights_of(layer), "layer", x[row], MASK[row]
        )
        np.testing.assert_allclose(output[row], expected, atol=2e-5)
        np.testing.assert_allclose(maps[row], expected_map, atol=1e-5)
    copy = EncoderLayer.from_config(layer.get_config())
    copy.build((None, None, 8))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x, MASK), output)


def test_gelu_is_erf_and_gelu_tanh_is_not():
    x = np.linspace(-4, 4, 201).astype("float32")
    erf, tanh = reference.gelu(x.astype("float64")), reference.gelu_tanh(x.astype("float64"))
    assert np.abs(erf - tanh).max() > 4e-4  # the two can be told apart
    np.testing.assert_allclose(activation("gelu")(x), erf, atol=2e-6)
    np.testing.assert_allclose(activation("gelu_tanh")(x), tanh, atol=2e-6)


def test_what_stands_in_padding_never_matters():
    layer = make(BertConfig(hidden_dim=8, num_heads=2))
    x = np.random.default_rng(3).standard_normal((2, 4, 8)).astype("float32")
    other = np.where(MASK[..., None] == 1, x, -50.0).astype("float32")
    real = MASK == 1
    np.testing.assert_array_equal(layer(x, MASK).numpy()[real], layer(other, MASK).numpy()[real])


def test_dropout_only_in_training():
    layer = make(BertConfig(hidden_dim=8, num_heads=2))
    x = np.random.default_rng(4).standard_normal((2, 4, 8)).astype("float32")
    np.testing.assert_array_equal(layer(x, MASK, training=False), layer(x, MASK))
    assert np.abs(layer(x, MASK, training=True) - layer(x, MASK)).max() > 1e-2


def test_pooler_reads_the_first_token_alone():
    layer = Pooler()
    layer.build((None, None, 6))
    reference.randomize(layer)
    x = np.random.default_rng(5).standard_normal((3, 4, 6)).astype("float32")
    kernel, bias = (np.asarray(weight, "float64") for weight in layer.get_weights())
    np.testing.assert_allclose(layer(x), np.tanh(x[:, 0] @ kernel + bias), atol=1e-6)
    assert Pooler.from_config(layer.get_config()).get_config() == layer.get_config()
