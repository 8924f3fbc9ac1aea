"""Losses of embeddings against NumPy, on one device, on two and in parts."""

import keras
import numpy as np
import pytest
from training.embedding_batches import arrays, cosine, expected, make

import keras_bert as kb
from keras_bert.training.in_batch import InBatchAccuracy

NAMES = ["cosine_regression", "triplet", "in_batch_negatives"]


@pytest.mark.parametrize("name", NAMES)
def test_loss_of_a_model(name):
    model = make()
    x, y, w = arrays(name, 7)
    model.compile(**getattr(kb.losses, name)())
    logs = model.evaluate(x, y, sample_weight=w, batch_size=7, verbose=0, return_dict=True)
    vectors = np.asarray(model(x)["embeddings"])
    values = expected(name, y["embeddings"], vectors, w["embeddings"])
    assert abs(values - expected(name, y["embeddings"], vectors, np.ones(7))) > 1e-3
    assert logs["loss"] == pytest.approx(values, rel=2e-5)
    assert logs["real_tokens"] == x["padding_mask"].sum()


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("temperature", [0.05, 0.7])
@pytest.mark.parametrize("texts", [2, 3, 4])
def test_in_batch_negatives_leave_out_what_is_no_negative(texts, temperature, symmetric):
    """Random numbers of few texts: anchors, positives and negatives coincide in every way."""
    rng = np.random.default_rng(texts)
    for _ in range(20):
        y = rng.integers(0, 9, (6, texts)).astype("int32")
        table = rng.normal(0, 1, (9, 5)).astype("float32")
        vectors = table[y]
        weights = rng.choice([0.0, 1.0, 2.5], 6).astype("float32")
        weights[0] = 1
        options = {"temperature": temperature, "symmetric": symmetric}
        (loss,) = kb.losses.in_batch_negatives(**options)["loss"].values()
        values = expected("in_batch_negatives", y, vectors, weights, **options)
        actual = float(loss(y, keras.ops.convert_to_tensor(vectors), weights))
        assert actual == pytest.approx(values, rel=1e-4, abs=1e-5)
        again = type(loss).from_config(loss.get_config())
        assert float(again(y, keras.ops.convert_to_tensor(vectors), weights)) == actual


def test_in_batch_accuracy():
    rng = np.random.default_rng(1)
    metric = InBatchAccuracy()
    right = []
    for rows in (5, 8):
        vectors = rng.normal(0, 1, (rows, 2, 3)).astype("float32")
        vectors[:, 1] += vectors[:, 0]
        y = np.arange(2 * rows).reshape(rows, 2)
        metric.update_state(y, keras.ops.convert_to_tensor(vectors))
        for row in range(rows):
            scores = [cosine(vectors[row, 0], vectors[i, 1]) for i in range(rows)]
            right.append(np.argmax(scores) == row)
    assert 0 < np.mean(right) < 1
    assert float(metric.result()) == pytest.approx(np.mean(right))


def test_equal_texts_and_vectors_of_zeros_have_finite_gradients():
    import tensorflow as tf

    for name, y in (("cosine_regression", [1.0]), ("triplet", [[0, 0, 1]])):
        texts = 2 if name == "cosine_regression" else 3
        (loss,) = getattr(kb.losses, name)()["loss"].values()
        for value in (0.0, 1.0):
            x = tf.Variable(np.full((1, texts, 4), value, "float32"))
            with tf.GradientTape() as tape:
                result = loss(tf.constant(y), x)
            assert np.isfinite(result) and np.isfinite(tape.gradient(result, x)).all()


@pytest.mark.parametrize("name", ["cosine_regression", "triplet"])
def test_parts_of_a_batch_make_the_step_of_the_whole(name):
    x, y, w = arrays(name, 8)
    models = []
    for parts in (1, 4):
        model = make()
        model.compile(kb.optimizers.adamw(1e-2, epsilon=1e-3), **getattr(kb.losses, name)())
        start = model.get_weights()
        model.fit(x, y, sample_weight=w, batch_size=8, verbose=0, micro_batches=parts)
        models.append(model.get_weights())
    assert max(np.abs(a - b).max() for a, b in zip(models[0], start, strict=True)) > 1e-3
    assert max(np.abs(a - b).max() for a, b in zip(*models, strict=True)) < 1e-5


def test_in_batch_negatives_in_parts_are_refused():
    x, y, w = arrays("in_batch_negatives", 8)
    model = make()
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.in_batch_negatives())
    with pytest.raises(ValueError, match="parts with other negatives"):
        model.fit(x, y, sample_weight=w, batch_size=8, verbose=0, micro_batches=2)
    model.fit(x, y, sample_weight=w, batch_size=8, verbose=0)


@pytest.mark.parametrize(
    ("make_loss", "message"),
    [
        (lambda: kb.losses.in_batch_negatives(temperature=0.0), "temperature"),
        (lambda: kb.losses.triplet(margin=-1.0), "margin"),
    ],
)
def test_bad_arguments(make_loss, message):
    with pytest.raises(ValueError, match=message):
        make_loss()


@pytest.mark.parametrize(
    ("name", "texts"), [("cosine_regression", 3), ("triplet", 2), ("in_batch_negatives", 1)]
)
def test_a_wrong_number_of_texts(name, texts):
    (loss,) = getattr(kb.losses, name)()["loss"].values()
    with pytest.raises(ValueError, match=f"of {texts} texts a row"):
        loss(np.zeros(2, "float32"), keras.ops.ones((2, texts, 4)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cosine_regression", "triplet"])
def test_two_replicas_in_parts_train_as_one_device(two_replicas, name):
    report = two_replicas["embeddings"][name]
    assert report["moved"] > 1e-3 and report["difference"] < 2e-5
    (_, one), (_, two) = report["logs"]
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)


@pytest.mark.slow
def test_negatives_are_those_of_a_replica(two_replicas):
    """The mean over all rows of what each half of a batch makes with its own negatives."""
    x, y, w = arrays("in_batch_negatives", 11)
    vectors = np.asarray(make()(x)["embeddings"])
    y, w = y["embeddings"], w["embeddings"]

    def loss(parts):
        of_parts = [
            expected("in_batch_negatives", y[p], vectors[p], w[p]) for p in parts if any(w[p])
        ]
        weights = [w[p].sum() for p in parts if any(w[p])]
        return np.average(of_parts, weights=weights)

    # Batches of 8 and 3 rows, each in halves; Keras weighs batches by rows.
    halves = [(slice(0, 4), slice(4, 8)), (slice(8, 10), slice(10, 11))]
    whole = [(slice(0, 8),), (slice(8, 11),)]
    for place, batches in enumerate((whole, halves)):
        wanted = np.average([loss(parts) for parts in batches], weights=[8, 3])
        logs = two_replicas["embeddings"]["in_batch_negatives"]["logs"][place][0]
        assert logs["loss"] == pytest.approx(wanted, rel=1e-4)
