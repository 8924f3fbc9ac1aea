"""Losses of embeddings against sentence-transformers', on the same embeddings, with gradients.

Within 1e-5 of sentence-transformers in float64.
"""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

torch = pytest.importorskip("torch", reason="needs the extra `parity`")
theirs = pytest.importorskip("sentence_transformers.losses", reason="needs the extra `parity`")

TOLERANCE = 1e-5
ROWS, DIM = 9, 16


def in_batch(**options):
    return lambda: theirs.MultipleNegativesRankingLoss(None, **options)


BOTH = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
LOSSES = {
    "one direction": (
        2,
        lambda: kb.losses.in_batch_negatives(symmetric=False),
        in_batch(scale=20.0),
    ),
    "hard negatives": (
        4,
        lambda: kb.losses.in_batch_negatives(0.1, symmetric=False),
        in_batch(scale=10.0),
    ),
    "symmetric": (2, kb.losses.in_batch_negatives, in_batch(scale=20.0, **BOTH)),
    "symmetric, hard negatives": (
        3,
        kb.losses.in_batch_negatives,
        in_batch(scale=20.0, **BOTH),
    ),
    "cosine regression": (
        2,
        kb.losses.cosine_regression,
        lambda: theirs.CosineSimilarityLoss(None),
    ),
    "triplet": (
        3,
        lambda: kb.losses.triplet(margin=2.0),
        lambda: theirs.TripletLoss(None, triplet_margin=2.0),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient(name, record_parity):
    texts, ours, make_theirs = LOSSES[name]
    rng = np.random.default_rng(len(name))
    values = rng.normal(0, 1, (ROWS, texts, DIM)).astype("float32")
    values[:, 1] += values[:, 0]
    scores = rng.uniform(0, 1, ROWS).astype("float32")
    numbers = np.arange(ROWS * texts).reshape(ROWS, texts)

    tensor = torch.tensor(np.float64(values), requires_grad=True)
    expected = make_theirs().compute_loss_from_embeddings(
        [tensor[:, place] for place in range(texts)], torch.tensor(np.float64(scores))
    )
    expected.backward()

    x = tf.Variable(values)
    (loss,) = ours()["loss"].values()
    with tf.GradientTape() as tape:
        actual = loss(scores if name == "cosine regression" else numbers, x)
    gradient = tape.gradient(actual, x).numpy()

    assert float(expected.detach()) > 0.01 and np.abs(gradient).max() > 1e-3
    differences = {
        "loss": abs(float(actual) - float(expected.detach())),
        "gradient": np.abs(gradient - tensor.grad.numpy()).max(),
    }
    for quantity, difference in differences.items():
        record_parity("sentence-transformers, losses", quantity, difference)
        assert difference < TOLERANCE, quantity
