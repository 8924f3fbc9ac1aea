"""Correlations against SciPy, ties and all."""

import numpy as np
import pytest

from keras_bert.training.correlation import pearson, spearman


@pytest.mark.parametrize("seed", range(4))
def test_as_scipy_has_it(seed):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, 200)
    y = x + rng.normal(0, 2, 200)
    for a, b in ((x, y), (x.round(), y.round()), (1e9 + x, -1e-9 * y), (np.exp(9 * x), y)):
        assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b)[0], abs=1e-6)
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b)[0], abs=1e-12)


def test_by_hand():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    assert spearman([1, 2, 2, 9], [0, 1, 2, 3]) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert spearman([1, 2, 3], [5, 4, 1]) == -1
    assert pearson([1e-200, 3e-200], [7, 8]) == 1
    for flat in ([0.1, 0.1, 0.1], [0, 0, 0]):
        assert pearson(flat, [1, 2, 3]) == spearman([1, 2, 3], flat) == 0
    for x, y in (([1], [1, 2]), ([], []), ([[1]], [[1]])):
        with pytest.raises(ValueError, match="as many numbers in both"):
            pearson(x, y)
