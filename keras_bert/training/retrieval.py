"""How many of the texts that belong to a query are among the nearest ones."""

import numpy as np

from keras_bert.training.nearest import nearest


def recall_at(queries, vectors, relevant, ks=(1, 5, 10)):
    """Measures a search by dot products.

    Args:
        queries: float32 `(queries, dim)`.
        vectors: float32 `(vectors, dim)`, what is searched.
        relevant: list of sets of int, the places among the vectors that each query should find.
        ks: ints, how many of the nearest are looked at.

    Returns:
        Dict, k -> float in [0, 1]: the share of a query's relevant vectors that are among its k
        nearest, averaged over the queries. With fewer vectors than k it is 1.

    Raises:
        ValueError: different numbers of queries and of sets, or none; an empty set.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> recall_at(np.array([[2.0, 1.0], [2.0, 1.0]]), vectors, [{0}, {1}], ks=(1, 2))
        {1: 0.5, 2: 1.0}
    """
    if len(queries) != len(relevant) or not relevant or not all(relevant):
        raise ValueError(
            "expected a set of relevant places for each query, none of them empty; received "
            f"{len(relevant)} sets for {len(queries)} queries"
        )
    places, _ = nearest(queries, vectors, max(ks))
    return {
        k: float(
            np.mean(
                [
                    len(wanted.intersection(row[:k].tolist())) / len(wanted)
                    for row, wanted in zip(places, relevant, strict=True)
                ]
            )
        )
        for k in ks
    }
