"""LoRA: what is trained, that the base stays, and that the merged model is the same."""

import keras
import numpy as np
import pytest
from training.tuned import arrays, classifier, dataset, moved, weights_of

import keras_bert as kb


def trained(dtype=None, epochs=4, **options):
    model = classifier(dtype)
    kb.add_lora(model, **{"rank": 2, **options})
    model.compile(kb.optimizers.adamw(1e-2, weight_decay=0.0), **kb.losses.classification())
    model.fit(dataset(16), epochs=epochs, verbose=0)
    return model


def test_the_base_stays_and_few_weights_move():
    whole, model = classifier(), classifier()
    x = arrays(8)[0]
    kb.add_lora(model, rank=2)
    np.testing.assert_array_equal(model(x)["classification"], whole(x)["classification"])
    new = {path for path in weights_of(model) if "lora" in path}
    assert len(new) == 3 * 2 * 2 and len(model.weights) == len(whole.weights) + len(new)
    size = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    assert size == 3 * 2 * (12 * 2 + 2 * 12) + (12 * 12 + 12) + (12 * 3 + 3)
    before = weights_of(model)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    model.fit(dataset(16), epochs=2, verbose=0)
    heads = {path for path in before if path.startswith(("pooler", "classification"))}
    assert moved(model, before) == new | heads
    assert len(model.optimizer._momentums) == len(new) + len(heads)


@pytest.mark.parametrize(
    ("dtype", "options", "tolerance"),
    [
        (None, {"alpha": 3.0}, 1e-6),
        (None, {"layers": ("query", "key", "value", "projection", "intermediate", "output")}, 1e-6),
        ("mixed_bfloat16", {}, 2e-2),
    ],
)
def test_merged_equals_unmerged(dtype, options, tolerance):
    model = trained(dtype, **options)
    x = arrays(8)[0]
    expected = model.predict(x, verbose=0)["classification"]
    plain = classifier(dtype)
    base = plain.backbone.encoder_layers[1].attention.query.kernel.numpy()
    dense = model.backbone.encoder_layers[1].attention.query
    scale = options.get("alpha", 2.0) / 2
    kernel = base + scale * dense.lora_kernel_a.numpy() @ dense.lora_kernel_b.numpy()
    assert np.abs(kernel - base).max() > 0.02
    kb.merge_lora(model)
    np.testing.assert_allclose(dense.kernel.numpy(), kernel, rtol=1e-5, atol=1e-6)
    # By a function that was compiled before, and by one that is not.
    scale = np.abs(expected).max()
    for found in (model.predict(x, verbose=0), model(x)):
        found = np.asarray(found["classification"])
        np.testing.assert_allclose(found, expected, atol=tolerance * scale)
    assert list(weights_of(model)) == list(weights_of(plain))
    assert len(model.trainable_weights) == len(plain.weights)


def test_saved_and_read_back_as_plain_weights(tmp_path, tiny_vocabulary):
    model = classifier(vocabulary_size=len(tiny_vocabulary))
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    kb.add_lora(model, rank=2)
    for weight in model.weights:
        if "lora_kernel_b" in weight.path:
            weight.assign(weight + 0.3)
    x = arrays(8)[0]
    expected = np.asarray(model(x)["classification"])
    with pytest.raises(ValueError, match="lora_kernel_a"):
        kb.save_preset(tmp_path / "model", model, tokenizer)
    kb.merge_lora(model)
    kb.save_preset(tmp_path / "model", model, tokenizer)
    again = kb.BertTextClassifier.from_preset(tmp_path / "model")
    np.testing.assert_allclose(again(x)["classification"], expected, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x)["classification"], model(x)["classification"])


def test_with_frozen_layers_and_a_second_training():
    model = classifier()
    kb.freeze(model, layers=2)
    kb.add_lora(model, rank=2)
    assert {path.split("/")[0] for path in weights_of(model) if "lora" in path} == {
        "encoder_layer_2"
    }
    kb.merge_lora(model)
    kb.merge_lora(model)  # nothing left to do
    names = {weight.path.split("/")[0] for weight in model.trainable_weights}
    assert names == {"embeddings", "encoder_layer_2", "pooler", "classification"}
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    before = weights_of(model)
    model.fit(dataset(8), verbose=0)
    assert {path.split("/")[0] for path in moved(model, before)} == names


def test_errors():
    model = classifier()
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="rank must be an int of at least 1"):
            kb.add_lora(model, rank=wrong)
    with pytest.raises(ValueError, match="alpha must be above 0"):
        kb.add_lora(model, alpha=0)
    for wrong in (("query", "pooler"), (), "query"):
        with pytest.raises(ValueError, match="layers are some of query, key"):
            kb.add_lora(model, layers=wrong)
    assert len(model.trainable_weights) == len(model.weights)
    kb.add_lora(model)
    with pytest.raises(ValueError, match="has LoRA already"):
        kb.add_lora(model)
