"""All models and variants against a plain NumPy BERT in float64."""

import keras
import numpy as np
import pytest
from models import reference_bert as reference

import keras_bert as kb

TOLERANCE = 2e-5  # of float32 against float64; logits here are about 1 to 10

CONFIG = kb.BertConfig(
    vocabulary_size=23,
    num_layers=3,
    hidden_dim=12,
    num_heads=3,
    intermediate_dim=20,
    max_sequence_length=9,
    # Large, so that a head with an epsilon of its own would show.
    layer_norm_epsilon=1e-2,
)
VARIANTS = {
    "bert": {},
    "tanh": {"activation": "gelu_tanh"},
    "relu": {"activation": "relu"},
    "pre_norm": {"pre_norm": True},
    "shared": {"share_layers": True},
    "factorized": {"embedding_dim": 5},
    "all": {"pre_norm": True, "share_layers": True, "embedding_dim": 5, "num_segments": 3},
}


@pytest.fixture(scope="module", params=VARIANTS)
def backbone(request):
    backbone = kb.BertBackbone(CONFIG.replace(**VARIANTS[request.param]))
    return reference.randomize(backbone, seed=1)


def assert_close(actual, expected, rows):
    """Compares real tokens only where `rows` is a mask: padding's own vectors mean nothing."""
    np.testing.assert_allclose(np.asarray(actual)[rows], expected[rows], atol=TOLERANCE, rtol=1e-5)


def test_backbone_and_its_internals(backbone):
    inputs = reference.example_inputs(backbone.config)
    inputs = reference.without_positions(inputs)
    expected = reference.backbone(backbone.config, reference.weights_of(backbone), inputs)
    real = inputs["padding_mask"] == 1
    outputs = backbone.internals()(inputs)
    assert_close(outputs["sequence_output"], expected["sequence_output"], real)
    assert_close(outputs["pooled_output"], expected["pooled_output"], slice(None))
    assert len(outputs["layer_outputs"]) == 4 and len(outputs["attention_maps"]) == 3
    for actual, wanted in zip(outputs["layer_outputs"], expected["layer_outputs"], strict=True):
        assert_close(actual, wanted, real)
    for actual, wanted in zip(outputs["attention_maps"], expected["attention_maps"], strict=True):
        assert_close(np.swapaxes(actual, 1, 2), np.swapaxes(wanted, 1, 2), real)
        np.testing.assert_allclose(np.sum(actual, -1), np.ones((3, 3, 7)), atol=1e-6)
        padding = np.broadcast_to(~real[:, None, None], actual.shape)
        assert (np.asarray(actual)[padding] == 0).all()
    # The backbone itself, without the internals, gives the same.
    for name, value in backbone(inputs).items():
        np.testing.assert_array_equal(value, outputs[name])


def test_heads(backbone):
    inputs = reference.example_inputs(backbone.config, rows=4, masks=3, seed=2)
    pretrainer = kb.BertPretrainer(backbone)
    masked_lm = kb.BertMaskedLM(backbone)
    classifier = kb.BertTextClassifier(backbone, ["a", "b", "c"])
    for model, function in (
        (pretrainer, reference.pretrainer),
        (masked_lm, reference.pretrainer),
        (classifier, reference.text_classifier),
    ):
        reference.randomize(model, seed=3)
        x = reference.without_positions(inputs) if model is classifier else inputs
        outputs = model(x)
        expected = function(backbone.config, reference.weights_of(model), x)
        assert set(outputs) == set(expected)
        for name, value in expected.items():
            assert outputs[name].dtype == "float32"
            np.testing.assert_allclose(outputs[name], value, atol=5 * TOLERANCE, rtol=1e-5)


@pytest.mark.parametrize("variant", ["bert", "all"])
def test_compiled_in_batches_of_another_size(variant):
    config = CONFIG.replace(**VARIANTS[variant])
    model = reference.randomize(kb.BertPretrainer(kb.BertBackbone(config)), seed=4)
    inputs = reference.example_inputs(config, rows=4, masks=3, seed=5)
    expected = reference.pretrainer(config, reference.weights_of(model), inputs)
    for name, value in model.predict(inputs, batch_size=3, verbose=0).items():
        np.testing.assert_allclose(value, expected[name], atol=5 * TOLERANCE, rtol=1e-5)


def test_padding_and_its_length_do_not_matter():
    backbone = reference.randomize(kb.BertBackbone(CONFIG))
    inputs = reference.without_positions(reference.example_inputs(CONFIG, rows=1, length=5))
    longer = {
        name: np.pad(value, ((0, 0), (0, 4)), constant_values=0 if name == "padding_mask" else 1)
        for name, value in inputs.items()
    }
    short, long = backbone(inputs), backbone(longer)
    np.testing.assert_allclose(long["sequence_output"][:, :5], short["sequence_output"], atol=1e-5)
    np.testing.assert_allclose(long["pooled_output"], short["pooled_output"], atol=1e-5)


def test_unused_mask_slots_change_no_other():
    model = reference.randomize(kb.BertMaskedLM(kb.BertBackbone(CONFIG)))
    inputs = reference.example_inputs(CONFIG, masks=2)
    padded = {**inputs, "mask_positions": np.pad(inputs["mask_positions"], ((0, 0), (0, 3)))}
    np.testing.assert_allclose(
        model(padded)["masked_lm"][:, :2], model(inputs)["masked_lm"], atol=1e-5
    )


def test_mixed_bfloat16_stays_close():
    config = CONFIG.replace(hidden_dim=48, vocabulary_size=200, layer_norm_epsilon=1e-12)
    keras.utils.set_random_seed(0)
    exact = kb.BertPretrainer(kb.BertBackbone(config))
    for weight in exact.weights:  # of usual sizes: rounding errors grow with them
        if len(weight.shape) > 1:
            weight.assign(weight * 5)
    mixed = kb.BertPretrainer(kb.BertBackbone(config, dtype="mixed_bfloat16"))
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    mixed.set_weights(exact.get_weights())
    inputs = reference.example_inputs(config, rows=8, masks=3)
    assert (
        mixed.backbone(reference.without_positions(inputs))["sequence_output"].dtype == "bfloat16"
    )
    for name, value in exact(inputs).items():
        actual = mixed(inputs)[name]
        assert actual.dtype == "float32"
        difference, size = np.abs(actual - value).max(), np.abs(value).max()
        assert 0 < difference < 0.05 * size, (name, difference, size)


def test_heads_take_activation_epsilon_and_initializer_from_the_backbone():
    config = CONFIG.replace(
        activation="silu", layer_norm_epsilon=0.03, initializer_range=0.5, hidden_dim=96
    )
    backbone = kb.BertBackbone(config)
    model, masked_lm = kb.BertPretrainer(backbone), kb.BertMaskedLM(backbone)
    classifier = kb.BertTextClassifier(backbone, [str(i) for i in range(40)])
    for head in (model.masked_lm_head, masked_lm.masked_lm_head):
        assert (head.activation, head.layer_norm.epsilon) == ("silu", 0.03)
    # A normal truncated at two standard deviations has 0.88 of its deviation.
    kernels = [
        model.masked_lm_head.transform.kernel,
        classifier.classifier.kernel,
        backbone.pooler.dense.kernel,
        backbone.embeddings.token_table,
        backbone.encoder_layers[1].attention.key.kernel,
        backbone.encoder_layers[2].output_dense.kernel,
    ]
    for kernel in kernels:
        assert abs(np.std(kernel) - 0.88 * 0.5) < 0.03, kernel.path
        assert np.abs(kernel).max() <= 1.0
    assert 0.3 < np.std(model.next_sentence_head.kernel) < 0.6  # 192 values only
    assert classifier.dropout_rate == config.dropout
    # Layers of one size do not start alike.
    first, second = (backbone.encoder_layers[i].attention for i in (0, 1))
    assert np.abs(first.query.kernel - second.query.kernel).max() > 0.1
    assert np.abs(first.query.kernel - first.key.kernel).max() > 0.1


def test_counts_of_parameters(monkeypatch):
    # 109 million random numbers take seconds, zeros do not.
    monkeypatch.setattr(
        keras.initializers.TruncatedNormal,
        "__call__",
        lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype),
    )
    base = kb.BertBackbone(kb.BertConfig.named("base"))
    assert base.count_params() == 109_482_240
    del base
    keras.utils.clear_session()


def test_one_more_large_layer_counts_as_in_the_paper():
    # Large, by its difference: embeddings, pooler and one layer, then 23 layers more.
    one, two = (
        kb.BertBackbone(
            kb.BertConfig.named("large", num_layers=layers, vocabulary_size=2)
        ).count_params()
        for layers in (1, 2)
    )
    assert one + 23 * (two - one) + 30_520 * 1_024 == 335_141_888
    keras.utils.clear_session()
    shared = CONFIG.replace(share_layers=True)
    assert kb.BertBackbone(shared).count_params() == (
        kb.BertBackbone(CONFIG.replace(num_layers=1)).count_params()
    )
