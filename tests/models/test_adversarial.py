"""The fast gradient method against steps made by hand, and what it does to a loss nearby."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models.head_models import HEADS, difference, make
from models.head_models import arrays as head_arrays
from training.tuned import arrays, classifier, dataset, weights_of

import keras_bert as kb

# A row whose tokens all differ: moving a token's vector is then moving its row of the table.
IDS = np.array([[2, 7, 1, 9, 4, 3, 8]], "int32")


def one_row():
    ones = np.ones_like(IDS)
    x = {"token_ids": IDS, "segment_ids": 0 * ones, "padding_mask": ones.copy()}
    x["padding_mask"][0, -2:] = 0
    return x, {"classification": np.array([1], "int32")}


def gradients(model, x, y):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    found = tape.gradient(loss, model.trainable_variables)
    return float(loss), [None if g is None else tf.convert_to_tensor(g).numpy() for g in found]


def test_a_step_by_hand():
    """The table itself is moved, put back, and the step is the sum of both gradients."""
    x, y = one_row()
    by_hand, model = classifier(), classifier()
    for each in (by_hand, model):
        each.compile(keras.optimizers.SGD(0.1), **kb.losses.classification())
    table = by_hand.backbone.embeddings.token_table
    start = table.numpy()
    place = [v.path for v in by_hand.trainable_variables].index(table.path)
    loss, first = gradients(by_hand, x, y)
    move = 0.5 * first[place] / np.linalg.norm(first[place])
    assert np.abs(move[[3, 8]]).max() == 0 < np.abs(move[9]).max()  # padding stays
    table.assign(start + move)
    other_loss, second = gradients(by_hand, x, y)
    table.assign(start)
    assert other_loss > loss + 0.05
    by_hand.optimizer.apply(
        [one + other for one, other in zip(first, second, strict=True)],
        by_hand.trainable_variables,
    )
    logs = model.fit(x, y, fgm=0.5, verbose=0).history
    assert logs["loss"][0] == pytest.approx(loss, rel=1e-6)  # the first pass's
    assert difference(model, by_hand) < 2e-6
    plain = classifier()
    plain.compile(keras.optimizers.SGD(0.1), **kb.losses.classification())
    plain.fit(x, y, verbose=0)
    assert difference(model, plain) > 1e-3


def test_each_row_has_its_own_length_and_parts_make_the_same_step():
    """Rows of weight 0 have no gradient: they neither move nor make others NaN."""
    models = [classifier() for _ in range(2)]
    for model, parts in zip(models, (1, 4), strict=True):
        model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
        model.fit(dataset(8), fgm=0.3, micro_batches=parts, verbose=0)
    for path, value in weights_of(models[0]).items():
        if "key/bias" not in path:
            np.testing.assert_allclose(value, weights_of(models[1])[path], atol=1e-4, err_msg=path)


def adversarial_loss(model, x, y, w, length):
    """The loss where each row's vectors are moved along their gradient."""
    from keras_bert.layers.embeddings import token_vectors_through

    vectors = []

    def watched(vector):
        tape.watch(vector)
        vectors.append(vector)
        return vector

    with tf.GradientTape() as tape, token_vectors_through(watched):
        loss = model.compute_loss(x, y, model(x), w, training=False)
    gradient = tape.gradient(loss, vectors[0]).numpy()
    norm = np.linalg.norm(gradient.reshape(len(gradient), -1), axis=-1)[:, None, None]
    move = length * gradient / np.maximum(norm, 1e-12)
    with token_vectors_through(lambda vector: vector + move):
        return float(model.compute_loss(x, y, model(x), w, training=False))


def test_a_trained_model_withstands_moves():
    x, y, w = arrays(16)
    losses = []
    for length in (0.0, 0.3):
        model = classifier()
        model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
        model.fit(dataset(16).repeat(60), fgm=length, verbose=0)
        losses.append(adversarial_loss(model, x, y, w, 0.3))
    assert losses[1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("name", "options"), [("choice", {}), ("text", {"dtype": "mixed_bfloat16", "recompute": True})]
)
def test_other_heads_and_a_frozen_table(name, options):
    model = make(name, **options)
    kb.freeze(model, embeddings=True)
    model.compile(kb.optimizers.adamw(1e-2), **HEADS[name][1]())
    x, y, w = head_arrays(name, 6)
    data = tf.data.Dataset.from_tensors((x, y, w)).repeat(5)
    table = model.backbone.embeddings.token_table.numpy()
    first, last = (model.fit(data, fgm=1.0, verbose=0).history["loss"][0] for _ in range(2))
    assert last < first
    np.testing.assert_array_equal(model.backbone.embeddings.token_table.numpy(), table)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_errors(wrong):
    model = classifier()
    model.compile(kb.optimizers.adamw(1e-3), **kb.losses.classification())
    with pytest.raises(ValueError, match="fgm must be a length from 0 on"):
        model.fit(dataset(8), fgm=wrong, verbose=0)
