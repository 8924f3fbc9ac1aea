"""Documents in windows: pooling against NumPy, one window against none, files, the export."""

import keras
import numpy as np
import pytest
from models.head_models import CONFIG, difference

import keras_bert as kb
from keras_bert.layers.window_pooling import POOLINGS, WindowPooling

KINDS = ("single_label", "multi_label", "regression")


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def model_of(vocabulary_size, window_pooling, kind="single_label"):
    keras.utils.set_random_seed(1)
    backbone = kb.BertBackbone(CONFIG.replace(vocabulary_size=vocabulary_size))
    model = kb.BertTextClassifier(
        backbone, ["a", "b", "c"], problem_type=kind, window_pooling=window_pooling
    )
    for weight in model.weights:
        weight.assign(weight * 6 + keras.random.normal(weight.shape, stddev=0.2, seed=2))
    return model


def by_hand(vectors, mask, pooling, query):
    result = []
    for row, real in zip(np.float64(vectors), mask.any(-1), strict=True):
        row = row[real]
        if not len(row):
            result.append(np.zeros(vectors.shape[-1]))
        elif pooling == "max":
            result.append(row.max(0))
        else:
            scores = row @ query if pooling == "attention" else np.zeros(len(row))
            weights = np.exp(scores - scores.max())
            result.append((weights / weights.sum()) @ row)
    return np.array(result)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_that_of_real_windows(pooling):
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 2, (4, 3, 5)).astype("float32")
    mask = np.zeros((4, 3, 2), "int32")
    mask[0], mask[1, :2, 0], mask[2, 0] = 1, 1, 1
    layer = WindowPooling(pooling)
    layer.build(vectors.shape)
    query = rng.normal(0, 1, 5)
    if pooling == "attention":
        np.testing.assert_allclose(  # as new: the mean
            layer(vectors, mask), by_hand(vectors, mask, "mean", query), atol=1e-6
        )
        layer.query.assign(query)
    expected = by_hand(vectors, mask, pooling, query)
    np.testing.assert_allclose(layer(vectors, mask), expected, atol=1e-5)
    # Windows of padding do not count at all, whatever stands there.
    others = np.where(mask.any(-1)[..., None], vectors, 1e6).astype("float32")
    np.testing.assert_array_equal(layer(others, mask), layer(vectors, mask))
    large = np.where(mask.any(-1)[..., None], vectors * 1e3, 0).astype("float32")
    assert np.isfinite(layer(large, mask)).all()
    with pytest.raises(ValueError, match="window_pooling must be one of mean, max, attention"):
        WindowPooling("sum")


@pytest.mark.parametrize("kind", KINDS)
def test_one_window_is_the_plain_model(tokenizer, kind):
    texts = ["the cat sat", "a dog", "我爱"]
    plain = model_of(tokenizer.vocabulary_size, None, kind)
    x = kb.TextClassifierPreprocessor(tokenizer, 7)(texts)
    documents = kb.TextClassifierPreprocessor(tokenizer, 7, windows=2)([*texts, "a b c d e f g"])
    for pooling in POOLINGS:
        model = model_of(tokenizer.vocabulary_size, pooling, kind)
        model.backbone.set_weights(plain.backbone.get_weights())
        model.classifier.set_weights(plain.classifier.get_weights())
        (key,) = plain.output
        expected = plain(x)[key].numpy()
        assert np.std(expected) > 0.1
        np.testing.assert_allclose(model(documents)[key][:3], expected, atol=1e-5)
        # More windows of padding change nothing; another last window does.
        wide = {name: np.pad(value, [(0, 0), (0, 3), (0, 0)]) for name, value in documents.items()}
        np.testing.assert_allclose(model(wide)[key], model(documents)[key], atol=1e-5)
        other = {name: np.array(value) for name, value in documents.items()}
        other["token_ids"][3, 1, 1] = 7
        assert np.abs(model(other)[key][3] - model(documents)[key][3]).max() > 1e-3


def test_kept_exported_and_answered(tokenizer, tmp_path):
    model = model_of(tokenizer.vocabulary_size, "attention")
    preprocess = kb.TextClassifierPreprocessor(tokenizer, 6, windows=3, stride=2)
    kb.save_preset(tmp_path / "model", model, preprocess, verify=True)
    again = kb.model_from_preset(tmp_path / "model")
    assert again.window_pooling == "attention" and difference(again, model) == 0
    kept = kb.TextClassifierPreprocessor.from_preset(tmp_path / "model")
    assert (kept.windows, kept.stride, kept.sequence_length) == (3, 2, 6)
    # A stride that follows from the length does so again.
    plain = kb.TextClassifierPreprocessor(tokenizer, 6, windows=3)
    kb.save_preset(tmp_path / "even", model, plain)
    other = kb.TextClassifierPreprocessor.from_preset(tmp_path / "even", sequence_length=8)
    assert (other.windows, other.stride) == (3, 6)
    none = kb.TextClassifierPreprocessor.from_preset(tmp_path / "even", windows=None)
    assert none.windows is None

    kb.export_saved_model(again, kept, tmp_path / "saved/1")
    predictor = kb.Predictor(tmp_path / "saved/1")
    assert set(predictor.signatures) == {"serving_default", "serve_tokens"}
    texts = ["the cat sat on a mat .", "a", "", "我爱吃苹果 . the dog was bad"]
    logits = model(preprocess(texts))["classification"].numpy()
    scores = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    for batch_size in (1, 4):
        answers = predictor(texts, batch_size=batch_size)
        assert [a["label"] for a in answers] == ["abc"[i] for i in scores.argmax(-1)]
        np.testing.assert_allclose([a["score"] for a in answers], scores.max(-1), atol=1e-5)
    assert predictor([]) == []
    found = predictor.signatures["serve_tokens"](**preprocess(texts))
    np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
    for wrong in (
        (model, kb.TextClassifierPreprocessor(tokenizer, 6)),
        (model_of(tokenizer.vocabulary_size, None), preprocess),
    ):
        with pytest.raises(ValueError, match=r"window_pooling=.* windows=.*; expected both"):
            kb.export_saved_model(*wrong, tmp_path / "no/1")


def test_new_heads_on_other_files(tokenizer, tmp_path):
    """A classifier of documents is a plain one for whoever asks for that; and what is lost."""
    model = model_of(tokenizer.vocabulary_size, "max")
    kb.save_preset(tmp_path / "model", model, tokenizer)
    source = kb.BertTextClassifier.from_preset(tmp_path / "model")
    assert source.window_pooling == "max"
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config() and difference(again, model) == 0
    assert kb.lengthen(model, 12).window_pooling == "max"


def test_google_has_no_place_for_windows(tokenizer, tmp_path, caplog):
    model = model_of(tokenizer.vocabulary_size, "mean")
    kb.export_checkpoint(model, tokenizer, tmp_path / "google", "google")
    assert "the mean pooling of a document's windows" in caplog.text
