"""Chains of labels against all paths tried one by one."""

import chain_by_hand
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.training import chains

CLASSES = 3


def rows(length, seed=0, spread=1.0):
    """Scores, labels and a mask; the rows have all, some, one, and none of their labels."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, spread, (5, length, CLASSES))
    between = np.broadcast_to(
        rng.normal(0, spread, (CLASSES + 2, CLASSES)), (5, CLASSES + 2, CLASSES)
    )
    scores = np.concatenate([own, between], axis=1).astype("float32")
    labels = rng.integers(0, CLASSES, (5, length))
    mask = (rng.random((5, length)) < [[2], [0.5], [0.6], [-1], [-1]]).astype("int32")
    mask[3, length // 2] = 1
    return scores, labels, mask


# A chain of one, of two, and one that is long for trying all paths.
@pytest.mark.parametrize("length", [1, 2, 6])
@pytest.mark.parametrize("compiled", [False, True])
def test_all_paths(length, compiled):
    scores, labels, mask = rows(length)

    def both(labels, scores, mask):
        return chains.negative_log_likelihood(labels, scores, mask), *chains.decode(scores, mask)

    if compiled:
        shapes = ([None, None], tf.int64), ([None, None, CLASSES],), ([None, None], tf.int32)
        both = tf.function(both, input_signature=[tf.TensorSpec(*shape) for shape in shapes])
    losses, tags, logits = both(labels, scores, mask)
    probabilities = tf.nn.softmax(logits).numpy()
    own = scores[:, :length]
    for row in range(5):
        there = mask[row] == 1
        np.testing.assert_array_equal(tags[row][~there], own[row][~there].argmax(-1))
        np.testing.assert_array_equal(logits[row][~there], own[row][~there])
        if not there.any():
            assert float(losses[row]) == 0
            continue
        expected = -chain_by_hand.likelihood(scores[row], labels[row], mask[row])
        assert float(losses[row]) == pytest.approx(expected, rel=1e-5, abs=1e-5)
        best = chain_by_hand.best(scores[row], mask[row])
        np.testing.assert_array_equal(tags[row][there], best[there])
        marginals = chain_by_hand.marginals(scores[row], mask[row])
        np.testing.assert_allclose(probabilities[row][there], marginals, atol=1e-5)
    # The likeliest chain is not that of the likeliest labels, of either kind.
    if length == 6:
        first = np.asarray(tags)[0].tolist()
        assert first not in (own[0].argmax(-1).tolist(), probabilities[0].argmax(-1).tolist())


def test_what_lies_between_counts_for_nothing():
    scores, labels, mask = rows(6)
    rng = np.random.default_rng(1)
    there = mask[..., None] == 1
    others = scores.copy()
    others[:, :6] = np.where(there, scores[:, :6], rng.normal(0, 50, (5, 6, CLASSES)))
    noise = np.where(mask == 1, labels, -100)
    for before, after in zip(
        (chains.negative_log_likelihood(labels, scores, mask), *chains.decode(scores, mask)),
        (chains.negative_log_likelihood(noise, others, mask), *chains.decode(others, mask)),
        strict=True,
    ):
        selected = mask == 1 if len(before.shape) > 1 else slice(None)
        np.testing.assert_array_equal(before.numpy()[selected], after.numpy()[selected])
    # Nor do columns of padding: sums are the same to the last bit.
    wide = np.concatenate([scores[:, :6], np.ones((5, 3, CLASSES)), scores[:, 6:]], axis=1)
    more = [np.pad(x, [(0, 0), (0, 3)]) for x in (labels, mask)]
    np.testing.assert_allclose(
        chains.negative_log_likelihood(more[0], wide, more[1]),
        chains.negative_log_likelihood(labels, scores, mask),
        rtol=1e-6,
    )


def test_the_gradient_is_that_of_small_differences():
    scores, labels, mask = rows(4)
    weights = mask * np.array([[1.0], [0.5], [2.0], [1.0], [1.0]])
    loss = kb.losses.ChainLikelihood()
    variable = tf.Variable(scores)
    with tf.GradientTape() as tape:
        value = loss(labels, variable, weights)
    gradient = tape.gradient(value, variable).numpy()

    def reference(scores):
        values = [
            chain_by_hand.likelihood(scores[row], labels[row], mask[row]) * weights[row].max()
            for row in range(4)
        ]
        return -sum(values) / weights.sum()

    assert float(value) == pytest.approx(reference(scores), rel=1e-5)
    assert np.abs(gradient[4]).max() == 0
    exact = scores.astype("float64")
    for place in [*np.ndindex(3, 4, CLASSES), *((1, row, 1) for row in range(4, 9))]:
        step = np.zeros_like(exact)
        step[place] = 1e-5
        slope = (reference(exact + step) - reference(exact - step)) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-5), place


def test_without_scores_of_neighbours_it_is_the_crossentropy():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (3, 5, 4)).astype("float32")
    labels, weights = rng.integers(0, 4, (3, 5)), rng.integers(0, 2, (3, 5)).astype("float32")
    packed = np.concatenate([logits, np.zeros((3, 6, 4), "float32")], axis=1)
    expected = kb.losses.MeanCrossentropy()(labels, logits, weights)
    found = kb.losses.ChainLikelihood()(labels, packed, weights)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    tags, out = chains.decode(packed, weights > 0)
    np.testing.assert_array_equal(tags, logits.argmax(-1))
    np.testing.assert_allclose(tf.nn.softmax(out), tf.nn.softmax(logits), atol=1e-6)


def test_large_scores_and_long_chains_stay_finite():
    scores, labels, mask = rows(300, spread=80.0)
    variable = tf.Variable(scores)
    with tf.GradientTape() as tape:
        value = kb.losses.ChainLikelihood()(labels, variable, mask.astype("float32"))
    assert np.isfinite(float(value)) and float(value) > 10
    assert np.isfinite(tape.gradient(value, variable)).all()
    assert np.isfinite(chains.decode(scores, mask)[1]).all()


def test_a_label_that_is_no_class():
    scores, labels, mask = rows(6)
    labels[0, 2] = CLASSES
    values = chains.negative_log_likelihood(labels, scores, mask).numpy()
    assert np.isnan(values[0]) and np.isfinite(values[1:]).all()


def test_rates_of_the_chain():
    """Its scores move by their own rate; all others by the one they had."""
    assert kb.optimizers.adamw(1e-4).crf_factor is None
    for wrong in ({"crf_learning_rate": 0}, {"crf_learning_rate": -1}):
        with pytest.raises(ValueError, match="crf_learning_rate must be above 0"):
            kb.optimizers.adamw(1e-4, **wrong)
    optimizer = kb.optimizers.adamw(1e-4, weight_decay=0.0, crf_learning_rate=1e-2, layer_decay=0.5)
    copy = type(optimizer).from_config(optimizer.get_config())
    assert copy.crf_factor == pytest.approx(100)
    names = ("encoder_layer_0/a", "crf/transitions", "head/kernel")
    variables = [keras.Variable(np.ones(2, "float32"), name=name.split("/")[1]) for name in names]
    for variable, name in zip(variables, names, strict=True):
        variable._path = name
    optimizer.build(variables)
    optimizer.apply([tf.ones(2)] * 3, variables)
    moved = [1 - float(variable[0]) for variable in variables]
    assert moved == pytest.approx([5e-5, 1e-2, 1e-4], rel=1e-2)
