"""The predictor: answers in the order of the texts, whatever the batches inside."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb


@pytest.fixture(scope="module")
def model(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=32,
    )
    model = kb.BertTextClassifier(kb.BertBackbone(config), labels=["bad", "gut", "好"])
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=32)


@pytest.fixture(scope="module")
def folder(model, preprocess, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "tiny"
    kb.export_saved_model(model, preprocess, folder / "10")
    (folder / "9").mkdir()
    (folder / "9" / "saved_model.pb").write_text("an older version")
    return folder


@pytest.fixture(scope="module")
def predictor(folder):
    return kb.Predictor(folder / "10")


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    words = np.array("the cat dog sat on mat a good bad film 我 爱 q7".split())
    return [" ".join(rng.choice(words, rng.integers(0, 40))) for _ in range(67)]


def expected(model, preprocess, texts):
    scores = tf.nn.softmax(model(preprocess(texts))["classification"]).numpy()
    return [(model.labels[row.argmax()], float(row.max())) for row in scores]


def check(answers, pairs):
    assert [answer["label"] for answer in answers] == [label for label, _ in pairs]
    np.testing.assert_allclose([a["score"] for a in answers], [s for _, s in pairs], atol=1e-6)
    assert all(set(a) == {"label", "score"} and type(a["score"]) is float for a in answers)


@pytest.mark.parametrize("batch_size", [1, 7, 32, 1000])
def test_order_and_values(predictor, model, preprocess, texts, batch_size):
    answers = predictor(texts, batch_size=batch_size)
    check(answers, expected(model, preprocess, texts))
    assert len({answer["label"] for answer in answers}) > 1


def test_pairs(predictor, model, preprocess, texts):
    pairs = list(zip(texts, texts[::-1], strict=True))
    check(predictor(pairs, batch_size=8), expected(model, preprocess, (texts, texts[::-1])))
    check([predictor(pairs[3])], expected(model, preprocess, ([pairs[3][0]], [pairs[3][1]])))


def test_one_text_and_none(predictor, model, preprocess, texts):
    answer = predictor(texts[0])
    assert isinstance(answer, dict)
    check([answer], expected(model, preprocess, texts[:1]))
    assert predictor([]) == []
    assert predictor(iter(texts[:2])) == predictor(texts[:2])
    predictor(["lone \ud800 surrogate", "x" * 1_000_000, "\x00"])


def test_the_highest_version_is_taken(folder, predictor, texts):
    latest = kb.Predictor(folder)
    assert latest.path == str(folder / "10")
    assert latest(texts[:3]) == predictor(texts[:3])


def test_what_is_no_text(predictor):
    for wrong in ([b"bytes"], ["a", 1], [("a", "b"), "c"], [("a", "b", "c")], [("a", 2)], [None]):
        with pytest.raises(TypeError, match=r"received .* at place \d"):
            predictor(wrong)
    for batch_size in (0, 1.5, True):
        with pytest.raises(ValueError, match="batch_size must be a positive int"):
            predictor(["a"], batch_size=batch_size)


def test_what_is_no_saved_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        kb.Predictor(tmp_path / "absent")
    with pytest.raises(ValueError, match=r"holds no saved_model\.pb"):
        kb.Predictor(tmp_path)
    module = tf.Module()
    module.f = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec((), tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "other"), signatures=module.f)
    with pytest.raises(ValueError, match=r"not of a task .* returns \['y'\]"):
        kb.Predictor(tmp_path / "other")
