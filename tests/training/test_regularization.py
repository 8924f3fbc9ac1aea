"""L1 and L2 against NumPy, in the loss and in what they do to kernels."""

import numpy as np
import pytest
from training.tuned import arrays, classifier, dataset, weights_of

import keras_bert as kb


def compiled(**penalties):
    model = classifier()
    kb.freeze(model, layers=1)
    if penalties:
        kb.regularize(model, **penalties)
    model.compile(kb.optimizers.adamw(1e-2, weight_decay=0.0), **kb.losses.classification())
    return model


def kernels(model):
    """Of dense layers, but for the frozen layer's: 2 encoder layers of 6, pooler and head."""
    found = {
        path: value
        for path, value in weights_of(model).items()
        if path.endswith("/kernel") and "encoder_layer_0" not in path
    }
    assert len(found) == 2 * 6 + 2
    return found


def test_the_loss_holds_the_penalties():
    x, y, w = arrays(8)
    plain, both = compiled(), compiled(l1=2e-3, l2=3e-3)
    losses = [
        model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)["loss"]
        for model in (plain, both)
    ]
    penalty = sum(
        2e-3 * np.abs(value).sum() + 3e-3 * np.square(value).sum()
        for value in (value.astype("float64") for value in kernels(both).values())
    )
    assert penalty > 0.5
    assert losses[1] - losses[0] == pytest.approx(penalty, rel=1e-5)
    kb.regularize(both)  # and off again
    assert not both.losses


def test_kernels_shrink_and_parts_make_the_same_step():
    models = [compiled(), compiled(l2=0.1), compiled(l2=0.1)]
    for model, parts in zip(models, (1, 1, 2), strict=True):
        model.fit(dataset(16), epochs=4, micro_batches=parts, verbose=0)
    sizes = [sum(np.square(v).sum() for v in kernels(model).values()) for model in models]
    assert sizes[1] < 0.9 * sizes[0]
    for path, value in weights_of(models[1]).items():
        np.testing.assert_allclose(weights_of(models[2])[path], value, atol=2e-4, err_msg=path)


def test_errors():
    with pytest.raises(ValueError, match=r"received l1=0\.0, l2=-1"):
        kb.regularize(classifier(), l2=-1)
