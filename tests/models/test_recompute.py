"""Activations computed again: the same gradients, dropout on, and what else must stay."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import reference_bert as reference
from training.masked_batches import arrays, dataset, difference, pretrainer

import keras_bert as kb

CONFIG = {"vocabulary_size": 40, "hidden_dim": 16, "num_heads": 2, "max_sequence_length": 12}


def gradients(model, compiled):
    inputs, labels, weights = arrays(8)

    def compute():
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss = model.compute_loss(inputs, labels, outputs, weights)
        return loss, tape.gradient(loss, model.trainable_variables)

    loss, found = (tf.function(compute) if compiled else compute)()
    return float(loss), [np.asarray(tf.convert_to_tensor(gradient)) for gradient in found]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_gradients_are_the_same_with_dropout(dtype):
    plain, again = (pretrainer(dropout=0.3, dtype=dtype, recompute=r) for r in (False, True))
    start = plain.get_weights()
    expected_loss, expected = gradients(plain, compiled=True)
    loss, actual = gradients(again, compiled=True)
    largest = max(np.abs(value).max() for value in expected)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert difference(actual, expected) < (1e-6 if dtype == "float32" else 0.02) * largest
    second, other = gradients(again, compiled=True)
    assert second != loss and difference(actual, other) > 1e-2 * largest  # it draws anew each step
    assert difference(plain, start) == 0


def test_the_layer_is_computed_again_only_in_training():
    plain, again = (pretrainer(dropout=0.3, recompute=recompute) for recompute in (False, True))

    def products(model, training):
        inputs, labels, weights = arrays(8)

        @tf.function
        def compute(inputs):
            with tf.GradientTape() as tape:
                outputs = model(inputs, training=training)
                loss = model.compute_loss(inputs, labels, outputs, weights)
            return tape.gradient(loss, model.trainable_variables)

        graph = compute.get_concrete_function(inputs).graph
        return sum("MatMul" in operation.type for operation in graph.get_operations())

    # Four projections, two products of attention, and the feed-forward part's two, once more.
    assert products(again, True) >= products(plain, True) + 8
    assert products(again, False) == products(plain, False)


def test_training_in_parts_and_on_two_replicas(two_replicas):
    models = [pretrainer(dropout=0.2, recompute=recompute) for recompute in (False, True)]
    for model in models:
        model.fit(dataset(16), verbose=0, micro_batches=2)
    assert difference(*models) < 1e-6
    report = two_replicas["recompute"]
    assert report["difference"] < 1e-6 and report["moved"] > 0.01


def test_it_comes_back_from_the_config_and_a_preset(tmp_path, tiny_vocabulary):
    config = kb.BertConfig(**{**CONFIG, "vocabulary_size": len(tiny_vocabulary)}, num_layers=1)
    backbone = kb.BertBackbone(config, recompute=True)
    assert kb.BertBackbone.from_config(backbone.get_config()).encoder_layers[0].recompute
    model = reference.randomize(kb.BertMaskedLM(backbone))
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").backbone.recompute
    kb.save_preset(tmp_path / "preset", model, kb.BertTokenizer(tiny_vocabulary))
    assert not kb.BertMaskedLM.from_preset(tmp_path / "preset").backbone.recompute
    read = kb.BertMaskedLM.from_preset(tmp_path / "preset", recompute=True)
    assert read.backbone.encoder_layers[0].recompute
    assert kb.BertBackbone.from_preset(tmp_path / "preset", recompute=True).recompute


def test_what_happens_inside_is_shown_as_before():
    config = kb.BertConfig(**CONFIG, num_layers=2, pre_norm=True)
    inputs = reference.without_positions(reference.example_inputs(config))
    inside = {}
    for recompute in (False, True):
        keras.utils.set_random_seed(3)
        backbone = kb.BertBackbone(config, recompute=recompute)
        inside[recompute] = backbone.internals()(inputs)
        outputs = backbone(inputs)
        for name in outputs:
            np.testing.assert_array_equal(outputs[name], inside[recompute][name])
    assert len(inside[True]["attention_maps"]) == 2 and len(inside[True]["layer_outputs"]) == 3
    for a, b in zip(*(keras.tree.flatten(inside[key]) for key in (False, True)), strict=True):
        np.testing.assert_array_equal(a, b)
