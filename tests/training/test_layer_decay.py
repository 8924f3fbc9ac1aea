"""Rates that fall from layer to layer: the ratios of the first step's updates."""

import keras
import numpy as np
import pytest
from training.tuned import arrays, classifier, dataset, weights_of

import keras_bert as kb
from keras_bert.training.layer_decay import rate_factors


def updates(layer_decay, micro_batches=1, **changes):
    model = classifier(**changes)
    model.compile(
        kb.optimizers.adamw(1e-2, weight_decay=0.1, layer_decay=layer_decay),
        **kb.losses.classification(),
    )
    before = weights_of(model)
    model.fit(dataset(8), micro_batches=micro_batches, verbose=0)
    return {path: value - before[path] for path, value in weights_of(model).items()}


EXPECTED = {
    "embeddings": 0.7**4,
    "encoder_layer_0": 0.7**3,
    "encoder_layer_1": 0.7**2,
    "encoder_layer_2": 0.7,
    "pooler": 1.0,
    "classification": 1.0,
}


@pytest.mark.parametrize("micro_batches", [1, 2])
def test_first_updates_have_the_ratios(micro_batches):
    whole, decayed = updates(None), updates(0.7, micro_batches)
    assert {path.split("/")[0] for path in whole} == set(EXPECTED)
    for path, update in whole.items():
        assert np.abs(update).max() > 5e-3 or "key/bias" in path, path
        if "key/bias" in path:
            continue  # its gradient is 0 but for rounding: softmax does not see it
        factor = EXPECTED[path.split("/")[0]]
        # Weights are up to 1: their own rounding is what differs.
        np.testing.assert_allclose(decayed[path], factor * update, atol=3e-6, err_msg=path)


def test_shared_layers_and_a_projection():
    whole, decayed = (updates(decay, embedding_dim=6, share_layers=True) for decay in (None, 0.5))
    expected = {"embeddings": 0.25, "embedding_projection": 0.25, "encoder_layer": 0.5}
    for path, update in whole.items():
        if "key/bias" not in path:
            factor = expected.get(path.split("/")[0], 1.0)
            np.testing.assert_allclose(decayed[path], factor * update, atol=3e-6, err_msg=path)


def test_paths():
    paths = ["model/embeddings/token_table", "model/encoder_layer_10/a/kernel"]
    assert rate_factors([*paths, "encoder_layer_11/x"], 0.5) == [0.5**13, 0.25, 0.5]
    assert rate_factors(["embeddings/table", "head/kernel"], 0.5) == [0.5, 1.0]
    assert rate_factors(["my_encoder_layer_3/kernel"], 0.5) == [1.0]


def test_kept_by_keras_files_with_the_moments(tmp_path):
    model = classifier()
    model.compile(kb.optimizers.adamw(1e-2, layer_decay=0.5), **kb.losses.classification())
    model.fit(dataset(8), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.optimizer.layer_decay == 0.5
    x, y, w = arrays(8)
    for each in (model, again):
        each.fit(x, y, sample_weight=w, shuffle=False, verbose=0)
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("wrong", [0.0, -0.5, 1.1])
def test_errors(wrong):
    with pytest.raises(ValueError, match=f"at most 1, or None; received {wrong}"):
        kb.optimizers.adamw(1e-3, layer_decay=wrong)
