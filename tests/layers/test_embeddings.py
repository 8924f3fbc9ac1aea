"""BertEmbeddings: the sum of three tables, normalized."""

import numpy as np
import pytest
from models import reference_bert as reference

from keras_bert.config import BertConfig
from keras_bert.layers.embeddings import BertEmbeddings

CONFIG = BertConfig(
    vocabulary_size=11,
    hidden_dim=8,
    num_heads=2,
    max_sequence_length=6,
    num_segments=3,
    layer_norm_epsilon=1e-3,
)


@pytest.fixture(scope="module")
def layer():
    layer = BertEmbeddings(11, 8, 6, num_segments=3, layer_norm_epsilon=1e-3, name="embeddings")
    layer.build((None, None))
    return reference.randomize(layer)


def test_equals_numpy(layer):
    inputs = reference.example_inputs(CONFIG, rows=4, length=6)
    weights = reference.weights_of(layer)
    expected = [
        reference.embed(CONFIG, weights, tokens, segments)
        for tokens, segments in zip(inputs["token_ids"], inputs["segment_ids"], strict=True)
    ]
    actual = layer(inputs["token_ids"], inputs["segment_ids"])
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_dropout_only_in_training(layer):
    ids = np.array([[1, 2, 3]], "int32")
    assert not (layer(ids, 0 * ids) == 0).numpy().any()
    layer.dropout.rate = 0.5
    dropped = layer(np.tile(ids, (200, 1)), np.zeros((200, 3), "int32"), training=True).numpy()
    layer.dropout.rate = 0.1
    # 4,800 draws at 0.5: five standard deviations are 0.036.
    assert abs((dropped == 0).mean() - 0.5) < 0.036


@pytest.mark.parametrize(
    ("token", "segment", "message"),
    [
        (11, 0, r"token_ids: received id 11, expected ids in \[0, 11\)"),
        (-1, 0, r"token_ids: received id -1, expected ids in \[0, 11\)"),
        (10, 3, r"segment_ids: received id 3, expected ids in \[0, 3\)"),
        (10, -1, r"segment_ids: received id -1"),
    ],
)
def test_ids_outside_the_tables_are_named(layer, token, segment, message):
    with pytest.raises(ValueError, match=message):
        layer(np.array([[0, token]]), np.array([[segment, 0]]))


def test_no_more_positions_than_the_table_has(layer):
    ids = np.zeros((1, 7), "int32")
    assert layer(ids[:, :6], ids[:, :6]).shape == (1, 6, 8)
    with pytest.raises(ValueError, match=r"sequences of 7 tokens.*max_sequence_length=6 entries"):
        layer(ids, ids)


def test_config_makes_an_equal_layer(layer):
    copy = BertEmbeddings.from_config(layer.get_config())
    copy.build((None, None))
    copy.set_weights(layer.get_weights())
    ids = np.array([[1, 5, 3], [0, 10, 2]], "int32")
    np.testing.assert_array_equal(copy(ids, ids % 3), layer(ids, ids % 3))
    assert copy.get_config() == layer.get_config()


def test_mixed_precision_keeps_float32_tables():
    layer = BertEmbeddings(11, 8, 6, dtype="mixed_bfloat16", dropout=0.0)
    ids = np.array([[1, 5, 3]], "int32")
    output = layer(ids, 0 * ids)
    assert output.dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    exact = BertEmbeddings(11, 8, 6, dropout=0.0)
    exact.build((None, None))
    exact.set_weights(layer.get_weights())
    # Rounded to 8 bits twice, before and after LayerNorm, whose values are about 1.
    np.testing.assert_allclose(output.numpy().astype("float32"), exact(ids, 0 * ids), atol=2**-6)
