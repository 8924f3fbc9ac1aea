"""The exported embedder gives the model's vectors, in a process without this package too."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import keras_bert as kb

TEXTS = ["the cat sat on the mat .", "", "我爱吃苹果", "good film " * 500, "\x00 ÀÉ i̇"]
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def embedder(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=2,
        max_sequence_length=16,
    )
    model = kb.BertTextEmbedder(kb.BertBackbone(config))
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model, kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), 16)


@pytest.fixture(scope="module")
def exported(embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved_models") / "embedder" / "1"
    kb.export_saved_model(*embedder, path)
    return path


@pytest.fixture(scope="module")
def expected(embedder):
    model, preprocess = embedder
    vectors = np.asarray(model(preprocess(TEXTS))["embedding"])
    assert vectors.std(axis=0).max() > 0.01  # texts do differ
    return vectors


def test_in_a_fresh_process(exported, expected, tmp_path):
    script = """
        import json, sys
        import tensorflow as tf, tensorflow_text
        signatures = tf.saved_model.load(sys.argv[1]).signatures
        texts = json.loads(sys.argv[2])
        run = signatures["serving_default"]
        batches = [texts, texts[:1], texts[3:], []]
        answers = [run(text=tf.constant(batch, tf.string)) for batch in batches]
        ids = tf.constant([[2, 9, 3]])
        tokens = signatures["serve_tokens"](
            token_ids=ids, segment_ids=0 * ids, padding_mask=tf.ones_like(ids))
        assert not [name for name in sys.modules if name.startswith("keras_bert")]
        assert [list(answer) for answer in answers] == [["embedding"]] * 4
        with open(sys.argv[3], "w") as file:
            json.dump([x["embedding"].numpy().tolist() for x in [*answers, tokens]], file)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(exported), json.dumps(TEXTS),
         str(tmp_path / "out.json")],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    whole, first, last, none, tokens = json.loads((tmp_path / "out.json").read_text())
    np.testing.assert_allclose(whole, expected, atol=TOLERANCE)
    np.testing.assert_allclose(first, expected[:1], atol=TOLERANCE)
    np.testing.assert_allclose(last, expected[3:], atol=TOLERANCE)
    assert none == [] and np.shape(tokens) == (1, 16)


def test_tokens(exported, embedder):
    ids = tf.constant([[2, 9, 30, 3], [2, 11, 3, 0]])
    inputs = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": tf.cast(ids > 0, tf.int32)}
    answer = tf.saved_model.load(str(exported)).signatures["serve_tokens"](**inputs)["embedding"]
    np.testing.assert_allclose(answer, embedder[0](inputs)["embedding"], atol=TOLERANCE)


def test_predictor_answers_lists_of_numbers(exported, expected):
    predict = kb.Predictor(exported.parent)
    answers = predict(TEXTS, batch_size=2)
    assert all(type(number) is float for answer in answers for number in answer)
    np.testing.assert_allclose(answers, expected, atol=TOLERANCE)
    np.testing.assert_allclose(predict(TEXTS[2]), expected[2], atol=TOLERANCE)
    with pytest.raises(ValueError, match="single texts"):
        predict([("a", "b")])
    index = kb.SemanticIndex(predict, TEXTS)
    assert index.search("我爱吃苹果", top_k=1)[0]["place"] == 2


def test_warmup_requests_run(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    names = []
    for record in tf.data.TFRecordDataset(
        str(exported / "assets.extra/tf_serving_warmup_requests")
    ):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        names.append(log.model_spec.signature_name)
        assert log.model_spec.name == "embedder"
        inputs = {name: tf.constant(tf.make_ndarray(x)) for name, x in log.inputs.items()}
        assert np.isfinite(signatures[names[-1]](**inputs)["embedding"]).all()
    assert sorted(names) == ["serve_tokens", "serving_default", "serving_default"]


def test_the_training_model_says_what_to_export(embedder, tmp_path):
    model, preprocess = embedder
    with pytest.raises(ValueError, match=r"model\.embedder"):
        kb.export_saved_model(kb.BertEmbeddingTrainer(model), preprocess, tmp_path / "x" / "1")
