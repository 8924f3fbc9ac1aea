"""What is frozen stays bit for bit, the rest moves, and the optimizer holds no slots for it."""

import numpy as np
import pytest
from training.tuned import classifier, dataset, moved, weights_of

import keras_bert as kb


@pytest.mark.parametrize(("dtype", "micro_batches"), [(None, 1), ("mixed_bfloat16", 2)])
def test_frozen_weights_stay_and_others_move(dtype, micro_batches):
    model = classifier(dtype)
    kb.freeze(model, layers=2, embeddings=True)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    before = weights_of(model)
    model.fit(dataset(), micro_batches=micro_batches, verbose=0)
    frozen = {
        p for p in before if p.startswith(("embeddings", "encoder_layer_0", "encoder_layer_1"))
    }
    assert len(frozen) == 5 + 2 * 16
    assert moved(model, before) == set(before) - frozen
    slots = model.optimizer._momentums
    assert len(slots) == len(before) - len(frozen) == len(model.trainable_weights)


@pytest.mark.parametrize(("layers", "embeddings"), [(1, False), (0, True)])
def test_layers_and_embeddings_apart(layers, embeddings):
    model = classifier(embedding_dim=6)
    kb.freeze(model, layers=layers, embeddings=embeddings)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    before = weights_of(model)
    model.fit(dataset(), verbose=0)
    stayed = {p.split("/")[0] for p in set(before) - moved(model, before)}
    expected = {f"encoder_layer_{i}" for i in range(layers)}
    assert stayed == expected | ({"embeddings", "embedding_projection"} if embeddings else set())


def test_the_head_of_a_masked_language_model_shares_the_frozen_table():
    model = kb.BertMaskedLM(classifier().backbone)
    kb.freeze(model, embeddings=True)
    names = {weight.path for weight in model.trainable_weights}
    assert not any("token_table" in name for name in names)
    assert any("transform" in name for name in names)


def test_frozen_and_saved_is_read_back_whole(tmp_path, tiny_vocabulary):
    model = classifier(vocabulary_size=len(tiny_vocabulary))
    kb.freeze(model, layers=3, embeddings=True)
    kb.save_preset(tmp_path / "model", model, kb.BertTokenizer(tiny_vocabulary))
    again = kb.BertTextClassifier.from_preset(tmp_path / "model")
    assert len(again.trainable_weights) == len(again.weights) == len(model.weights)
    for one, other in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_errors():
    model = classifier()
    for layers in (4, -1, 1.0, True):
        with pytest.raises(ValueError, match="expected an int from 0 to 3"):
            kb.freeze(model, layers=layers)
    assert len(model.trainable_weights) == len(model.weights)
    with pytest.raises(ValueError, match="received Functional"):
        kb.freeze(model.backbone.internals())
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    kb.freeze(model, layers=1)  # compiled and not trained yet
    model.fit(dataset(), verbose=0)
    with pytest.raises(ValueError, match="call freeze before compile"):
        kb.freeze(model, layers=2)
