"""MaskedLMHead: the right rows, tied to the table."""

import numpy as np
import pytest
from models import reference_bert as reference

from keras_bert.layers.embeddings import BertEmbeddings
from keras_bert.layers.masked_lm_head import MaskedLMHead


@pytest.fixture
def head():
    embeddings = BertEmbeddings(9, 4, 6, name="embeddings")
    embeddings.build((None, None))
    head = MaskedLMHead(embeddings, "tanh", layer_norm_epsilon=1e-2, name="masked_lm")
    head.build((None, None, 5))
    return reference.randomize(head)


X = np.random.default_rng(0).standard_normal((2, 6, 5)).astype("float32")


def scores(head, x, row, position):
    weights = reference.weights_of(head)
    y = np.tanh(reference.dense(weights, "masked_lm/transform", x[row, position]))
    y = reference.layer_norm(weights, "masked_lm/layer_norm", y, 1e-2)
    return weights["embeddings/token_table"] @ y + weights["masked_lm/bias"]


def test_scores_the_masked_positions(head):
    positions = np.array([[5, 0, 2], [1, 1, 4]], "int32")
    logits = head(X, positions)
    assert logits.dtype == "float32"
    for row in range(2):
        for slot in range(3):
            np.testing.assert_allclose(
                logits[row, slot], scores(head, X, row, positions[row, slot]), atol=1e-5
            )


def test_only_the_masked_positions_matter(head):
    positions = np.array([[5, 0], [1, 4]], "int32")
    other = X + 1.0
    for row in range(2):
        other[row, positions[row]] = X[row, positions[row]]
    np.testing.assert_array_equal(head(other, positions), head(X, positions))


def test_changing_the_table_changes_the_scores(head):
    positions = np.array([[1], [2]], "int32")
    before = head(X, positions).numpy()
    table = head.embeddings.token_table
    values = table.numpy()
    values[7] += 1.0
    table.assign(values)
    after = head(X, positions).numpy()
    changed = np.abs(after - before).max(axis=(0, 1)) > 1e-3
    np.testing.assert_array_equal(np.flatnonzero(changed), [7])
    np.testing.assert_allclose(after[1, 0], scores(head, X, 1, 2), atol=1e-5)


def test_config_makes_an_equal_head(head):
    copy = MaskedLMHead.from_config(head.get_config())
    copy.build((None, None, 5))
    copy.set_weights(head.get_weights())
    positions = np.array([[3, 0], [1, 5]], "int32")
    np.testing.assert_array_equal(copy(X, positions), head(X, positions))
