"""SelfAttention: against NumPy, and blind to padding."""

import numpy as np
import pytest
from models import reference_bert as reference

from keras_bert.config import BertConfig
from keras_bert.layers.attention import SelfAttention

CONFIG = BertConfig(hidden_dim=12, num_heads=3)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1]], "int32")


@pytest.fixture(scope="module")
def layer():
    layer = SelfAttention(3, attention_dropout=0.5, name="attention")
    layer.build((None, None, 12))
    return reference.randomize(layer)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(1).standard_normal((3, 5, 12)).astype("float32")


def test_equals_numpy(layer, x):
    weights = reference.weights_of(layer)
    output, maps = layer(x, MASK, return_attention_map=True)
    for row in range(3):
        expected, expected_map = reference.attend(CONFIG, weights, "attention", x[row], MASK[row])
        np.testing.assert_allclose(output[row], expected, atol=1e-5)
        np.testing.assert_allclose(maps[row], expected_map, atol=1e-6)
    np.testing.assert_array_equal(layer(x, MASK), output)


def test_maps_sum_to_one_and_are_zero_on_padding(layer, x):
    _, maps = layer(x * 30, MASK, return_attention_map=True)
    maps = maps.numpy()
    np.testing.assert_allclose(maps.sum(-1), np.ones((3, 3, 5)), atol=1e-6)
    assert (maps[np.broadcast_to(MASK[:, None, None] == 0, maps.shape)] == 0).all()


def test_what_stands_in_padding_never_matters(layer, x):
    other = np.where(MASK[..., None] == 1, x, 1e3 * np.sin(np.arange(12, dtype="float32")))
    real = MASK == 1
    np.testing.assert_array_equal(layer(other, MASK).numpy()[real], layer(x, MASK).numpy()[real])


def test_cutting_padding_off_changes_nothing(layer, x):
    np.testing.assert_allclose(
        layer(x[1:2, :2], MASK[1:2, :2])[0], layer(x, MASK)[1, :2], atol=1e-6
    )


def test_a_row_of_padding_alone_is_finite(layer, x):
    assert np.isfinite(layer(x, 0 * MASK).numpy()).all()


def test_dropout_falls_on_the_weights_not_on_the_map(layer, x):
    plain, plain_map = layer(x, MASK, return_attention_map=True)
    dropped, dropped_map = layer(x, MASK, training=True, return_attention_map=True)
    np.testing.assert_array_equal(plain_map, dropped_map)
    assert np.abs(plain - dropped).max() > 0.1


def test_heads_must_divide_the_input():
    layer = SelfAttention(5)
    with pytest.raises(ValueError, match="num_heads=5 and inputs of size 12"):
        layer.build((None, None, 12))


def test_config_makes_an_equal_layer(layer, x):
    copy = SelfAttention.from_config(layer.get_config())
    copy.build((None, None, 12))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x, MASK), layer(x, MASK))
    assert copy.get_config() == layer.get_config()
