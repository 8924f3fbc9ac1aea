"""Ensembles and averages of weights: answers against NumPy, files, what is refused."""

import keras
import numpy as np
import pytest
from models.head_models import CONFIG, HEADS, arrays, make

import keras_bert as kb


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def outputs(model, x):
    return {name: np.asarray(value, "float64") for name, value in model(x).items()}


@pytest.mark.parametrize("name", [name for name in HEADS if name not in ("score", "chain")])
def test_answers_are_averaged(name):
    models = [make(name, seed) for seed in (1, 2)]
    together = kb.ensemble(models)
    x, *_ = arrays(name, 6)
    found = outputs(together, x)
    for output in models[0].output:
        logits = np.stack([outputs(model, x)[output] for model in models])
        assert np.abs(logits - logits.mean(0)).max() > 0.1
        if name in ("regression", "span"):
            expected, actual = logits.mean(0), found[output]
        else:
            to_probability = sigmoid if name == "multi_label" else softmax
            expected = to_probability(logits).mean(0)
            actual = to_probability(found[output])
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    if name == "choice":  # a compiled step is as the others'
        predicted = together.predict(x, verbose=0)
        np.testing.assert_allclose(predicted[output], found[output], atol=1e-5)


def test_chains_have_no_mean():
    with pytest.raises(ValueError, match=r"labels in a chain \(crf\).*averaged_weights takes both"):
        kb.ensemble([make("chain", seed) for seed in (1, 2)])


def test_sure_members_have_no_infinite_answers():
    from keras_bert.layers.answer_mean import AnswerMean

    sure = np.float32([[200.0, -200.0]])
    for kind in ("classes", "labels"):
        found = np.asarray(AnswerMean(kind)([sure, sure, sure]))
        assert np.isfinite(found).all() and found[0, 0] > found[0, 1] + 100
    np.testing.assert_allclose(AnswerMean("classes")([sure, -sure]), np.log([[0.5, 0.5]]))
    np.testing.assert_allclose(AnswerMean("labels")([sure, -sure]), [[0.0, 0.0]], atol=1e-6)
    with pytest.raises(ValueError, match="kind is one of classes, labels, numbers; received 'x'"):
        AnswerMean("x")


def test_thresholds_sizes_and_keras_files(tmp_path):
    models = [make("multi_label", seed) for seed in (1, 2)]
    models[0].thresholds, models[1].thresholds = [0.2, 0.4, 0.6], [0.4, 0.4, 0.0]
    longer = kb.BertBackbone(CONFIG.replace(max_sequence_length=12, num_layers=2))
    other = kb.BertTextClassifier(
        longer, ["a", "b", "c"], problem_type="multi_label", thresholds=[0.3, 0.7, 0.9]
    )
    together = kb.ensemble([other, *models])
    assert together.thresholds == pytest.approx([0.3, 0.5, 0.5])
    assert together.config.max_sequence_length == 9 and together.labels == ["a", "b", "c"]
    together.thresholds = [0.1, 0.2, 0.3]
    together.save(tmp_path / "ensemble.keras")
    again = keras.models.load_model(tmp_path / "ensemble.keras")
    x, *_ = arrays("multi_label", 4)
    assert again.thresholds == [0.1, 0.2, 0.3]
    np.testing.assert_array_equal(again(x)["classification"], together(x)["classification"])
    spans = [make("span", seed) for seed in (1, 2)]
    spans[0].no_answer_threshold, spans[1].no_answer_threshold = 1.0, 4.0
    assert kb.ensemble(spans).no_answer_threshold == 2.5
    assert kb.averaged_weights(spans).no_answer_threshold == 2.5


def test_weights_are_averaged(tmp_path, tiny_vocabulary):
    config = CONFIG.replace(vocabulary_size=len(tiny_vocabulary))
    models = []
    for seed in (1, 2, 4):
        keras.utils.set_random_seed(seed)
        model = kb.BertTextClassifier(
            kb.BertBackbone(config), ["a", "b"], out_of_scope="?", thresholds=seed / 10
        )
        models.append(model)
    values = [model.get_weights() for model in models]
    soup = kb.averaged_weights(iter(models))
    for found, *parts in zip(soup.get_weights(), *values, strict=True):
        np.testing.assert_allclose(found, np.mean(np.float64(parts), 0), rtol=1e-6, atol=1e-8)
    for model, before in zip(models, values, strict=True):  # they stay as they are
        assert all(map(np.array_equal, model.get_weights(), before))
    assert soup.thresholds == pytest.approx([7 / 30] * 2)
    assert (soup.labels, soup.out_of_scope) == (["a", "b"], "?")
    kb.save_preset(tmp_path / "soup", soup, kb.BertTokenizer(tiny_vocabulary))
    again = kb.model_from_preset(tmp_path / "soup")
    x, *_ = arrays("text", 4)
    np.testing.assert_allclose(again(x)["classification"], soup(x)["classification"], atol=1e-6)
    with pytest.raises(ValueError, match="is an ensemble, and a model directory holds one model"):
        kb.save_preset(tmp_path / "no", kb.ensemble(models), kb.BertTokenizer(tiny_vocabulary))


def test_models_that_do_not_fit():
    def classifier(labels=("a", "b"), vocabulary_size=30, **options):
        config = CONFIG.replace(vocabulary_size=vocabulary_size)
        return kb.BertTextClassifier(kb.BertBackbone(config), list(labels), **options)

    one = classifier()
    for other, message in [
        (classifier("ba"), r"differ in labels: \['a', 'b'\] and \['b', 'a'\]; expected the same"),
        (classifier(problem_type="regression"), "0 and 1 differ in problem_type: single_label and"),
        (classifier(out_of_scope="?"), "differ in out_of_scope"),
        (classifier(vocabulary_size=31), "differ in vocabulary_size: 30 and 31"),
        (make("choice"), "differ in their task: BertTextClassifier and BertMultipleChoice"),
    ]:
        for function in (kb.ensemble, kb.averaged_weights):
            with pytest.raises(ValueError, match=message):
                function([one, other])
    for function in (kb.ensemble, kb.averaged_weights):
        with pytest.raises(ValueError, match="expected two models or more; received 1"):
            function([one])
    embedder = kb.BertTextEmbedder(kb.BertBackbone(CONFIG))
    with pytest.raises(ValueError, match=r"expected models of .*; received a BertTextEmbedder"):
        kb.ensemble([embedder, embedder])
    small = kb.BertTextClassifier(kb.BertBackbone(CONFIG.replace(intermediate_dim=8)), ["a", "b"])
    kb.ensemble([one, small])  # may be of any size
    with pytest.raises(ValueError, match="models 0 and 1 have other configurations"):
        kb.averaged_weights([one, small])
    kb.add_lora(small)
    with pytest.raises(ValueError, match="model 1 has LoRA; end it by merge_lora"):
        kb.averaged_weights([one, small])
