"""The nearest vectors, exactly and with ties, and how many of them are the right ones."""

import numpy as np
import pytest

from keras_bert.training import nearest as module
from keras_bert.training.nearest import nearest
from keras_bert.training.retrieval import recall_at


@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("chunk", [4, 7, 1000])
def test_nearest_of_small_whole_numbers_with_many_ties(monkeypatch, chunk, k):
    monkeypatch.setattr(module, "_VECTORS", chunk)
    monkeypatch.setattr(module, "_QUERIES", 3)
    rng = np.random.default_rng(k)
    queries, vectors = (rng.integers(-2, 3, (n, 3)).astype("float32") for n in (8, 29))
    places, scores = nearest(queries, vectors, k)
    assert places.shape == scores.shape == (8, min(k, 29))
    for query, row, row_scores in zip(queries, places, scores, strict=True):
        products = [float(query @ vector) for vector in vectors]
        wanted = sorted(range(29), key=lambda i: (-products[i], i))[:k]
        assert row.tolist() == wanted
        assert row_scores.tolist() == [products[i] for i in wanted]


def test_nearest_from_a_file(tmp_path):
    vectors = np.random.default_rng(0).normal(0, 1, (50, 4)).astype("float32")
    np.save(tmp_path / "x.npy", vectors)
    places, _ = nearest(vectors, np.load(tmp_path / "x.npy", mmap_mode="r"), 2)
    assert places[:, 0].tolist() == (vectors @ vectors.T).argmax(1).tolist()


@pytest.mark.parametrize(("shape", "k"), [((2, 3), 1), ((2, 4), 0), ((2, 4), True), ((4,), 1)])
def test_nearest_refuses(shape, k):
    with pytest.raises(ValueError, match="received"):
        nearest(np.ones(shape), np.ones((5, 4)), k)


def test_recall_is_the_share_of_what_belongs_to_a_query():
    # Products with the query 1: 5, 4, 3, 2, 1.
    vectors = np.array([[5.0], [4.0], [3.0], [2.0], [1.0]])
    queries = np.array([[1.0], [1.0], [-1.0]])
    recall = recall_at(queries, vectors, [{0}, {1, 4}, {0, 4}], ks=(1, 2, 5, 9))
    assert recall == pytest.approx({1: (1 + 0 + 0.5) / 3, 2: (1 + 0.5 + 0.5) / 3, 5: 1, 9: 1})


@pytest.mark.parametrize("relevant", [[], [{0}], [{0}, set()]])
def test_recall_refuses(relevant):
    with pytest.raises(ValueError, match="set of relevant places"):
        recall_at(np.ones((2, 1)), np.ones((3, 1)), relevant)
