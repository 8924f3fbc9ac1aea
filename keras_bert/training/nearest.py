"""The nearest of many vectors, exactly, in bounded memory."""

import numpy as np

_VECTORS = 16_384
_QUERIES = 256


def nearest(queries, vectors, k):
    """Finds the vectors of the largest dot product with each query.

    Memory holds the products of 256 queries and 16,384 vectors at a time; the vectors may lie on
    disk (`numpy.load(..., mmap_mode="r")`).

    Args:
        queries: float32 `(queries, dim)`.
        vectors: float32 `(vectors, dim)`.
        k: int, how many; fewer where there are fewer vectors.

    Returns:
        Places, int64 `(queries, k)`, and products, float32 `(queries, k)`, largest first; of equal
        ones the first vector first.

    Raises:
        ValueError: `k` is below 1, or the vectors are of different dimensions.

    Example:
        >>> places, scores = nearest(np.eye(2)[:1], np.array([[0.0, 1.0], [2.0, 0.0]]), k=1)
        >>> places.tolist(), scores.tolist()
        ([[1]], [[2.0]])
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"how many to find must be an int of at least 1; received {k!r}")
    queries = np.asarray(queries, "float32")
    if queries.ndim != 2 or vectors.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise ValueError(
            f"expected queries and vectors of one dimension; received the shapes {queries.shape} "
            f"and {vectors.shape}"
        )
    k = min(int(k), len(vectors))
    found = [
        _nearest(queries[start : start + _QUERIES], vectors, k)
        for start in range(0, len(queries), _QUERIES)
    ]
    if not found:
        return np.zeros((0, k), "int64"), np.zeros((0, k), "float32")
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _nearest(queries, vectors, k):
    places = np.zeros((len(queries), 0), "int64")
    scores = np.zeros((len(queries), 0), "float32")
    for start in range(0, len(vectors), _VECTORS):
        products = queries @ np.asarray(vectors[start : start + _VECTORS], "float32").T
        numbers = np.broadcast_to(np.arange(start, start + products.shape[1]), products.shape)
        places = np.concatenate([places, numbers], axis=1)
        scores = np.concatenate([scores, products], axis=1)
        order = np.stack([_largest(row, k) for row in scores])
        places, scores = (np.take_along_axis(x, order, axis=1) for x in (places, scores))
    return places, scores


def _largest(values, k):
    """Where the k largest values stand, or all; of equal ones the first stands in front."""
    if k < len(values):
        # All that equal the k-th too: a partition alone takes any of them.
        kth = np.partition(values, len(values) - k)[len(values) - k]
        found = np.flatnonzero(values >= kth)
    else:
        found = np.arange(len(values))
    return found[np.argsort(-values[found], kind="stable")][:k]
