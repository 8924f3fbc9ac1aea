"""The exported graph answers raw text as the model in this process does, without this package."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import prediction_log_pb2

import keras_bert as kb

TOLERANCE = 1e-6
LENGTH = 16
TEXTS = ["the cat sat on the mat .", "", "我爱吃苹果", "good film " * 500, "\x00 \ud7ff ÀÉ i̇"]


def tiny_config(vocabulary, **changes):
    return kb.BertConfig(
        vocabulary_size=len(vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=2,
        **{"max_sequence_length": LENGTH, **changes},
    )


def randomized(model, seed=0):
    """Weights far from their start, so that every part of the model matters to the result."""
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture(scope="module")
def classifier(tiny_vocabulary):
    backbone = kb.BertBackbone(tiny_config(tiny_vocabulary))
    return randomized(kb.BertTextClassifier(backbone, labels=["schlecht", "好", "so so"]))


@pytest.fixture(scope="module")
def preprocess(tokenizer):
    return kb.TextClassifierPreprocessor(tokenizer, sequence_length=LENGTH)


@pytest.fixture(scope="module")
def exported(classifier, preprocess, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved_models") / "tiny" / "3"
    kb.export_saved_model(classifier, preprocess, path)
    return path


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported))


def expected_scores(classifier, preprocess, texts):
    logits = np.float64(classifier(preprocess(texts))["classification"])
    exponents = np.exp(logits - logits.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def check(outputs, scores, labels):
    np.testing.assert_allclose(outputs["scores"], scores, atol=TOLERANCE)
    np.testing.assert_allclose(outputs["score"], scores.max(1), atol=TOLERANCE)
    best = [labels[i].encode() for i in outputs["scores"].numpy().argmax(1)]
    assert outputs["label"].numpy().tolist() == best
    assert outputs["labels"].numpy().tolist() == [[label.encode() for label in labels]] * len(best)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_texts(loaded, classifier, preprocess, batch):
    texts = TEXTS[:batch]
    outputs = loaded.signatures["serving_default"](text=tf.constant(texts))
    check(outputs, expected_scores(classifier, preprocess, texts), classifier.labels)
    assert outputs["scores"].numpy().std(0).max() > 0.01 or batch == 1  # texts do differ


def test_pairs(loaded, classifier, preprocess):
    pairs = (TEXTS, TEXTS[::-1])
    outputs = loaded.signatures["serve_pairs"](
        text=tf.constant(pairs[0]), text_pair=tf.constant(pairs[1])
    )
    check(outputs, expected_scores(classifier, preprocess, pairs), classifier.labels)
    alone = expected_scores(classifier, preprocess, TEXTS)
    assert np.abs(outputs["scores"] - alone).max() > 0.01


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, LENGTH)])
def test_tokens(loaded, classifier, shape):
    rng = np.random.default_rng(0)
    inputs = {
        "token_ids": rng.integers(0, 60, shape).astype("int32"),
        "segment_ids": rng.integers(0, 2, shape).astype("int32"),
        "padding_mask": np.maximum(rng.integers(0, 2, shape), np.arange(shape[1]) == 0).astype(
            "int32"
        ),
    }
    outputs = loaded.signatures["serve_tokens"](
        **{name: tf.constant(value) for name, value in inputs.items()}
    )
    scores = tf.nn.softmax(classifier(inputs)["classification"]).numpy()
    check(outputs, scores, classifier.labels)


def test_a_batch_of_none(loaded):
    none = tf.constant([], tf.string)
    ids = tf.zeros((0, 0), tf.int32)
    for name, inputs in {
        "serving_default": {"text": none},
        "serve_pairs": {"text": none, "text_pair": none},
        "serve_tokens": {"token_ids": ids, "segment_ids": ids, "padding_mask": ids},
    }.items():
        outputs = loaded.signatures[name](**inputs)
        shapes = {key: value.shape.as_list() for key, value in outputs.items()}
        assert shapes == {"label": [0], "score": [0], "scores": [0, 3], "labels": [0, 3]}


def test_ragged_lengths_do_not_leak_between_rows(loaded):
    """A text alone gets the scores it gets beside longer ones: padding counts for nothing."""
    serve = loaded.signatures["serving_default"]
    together = serve(text=tf.constant(TEXTS))["scores"]
    for row, text in enumerate(TEXTS):
        alone = serve(text=tf.constant([text]))["scores"]
        np.testing.assert_allclose(alone[0], together[row], atol=TOLERANCE)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(st.text(max_size=60), st.binary(max_size=30)), max_size=6))
def test_any_strings(loaded, classifier, preprocess, texts):
    """Any Unicode, and bytes that are no UTF-8: an answer, and the one of this process."""
    texts = [t.encode() if isinstance(t, str) else t for t in texts]
    outputs = loaded.signatures["serving_default"](text=tf.constant(texts, tf.string))
    assert outputs["label"].shape == (len(texts),)
    if texts:
        inputs = preprocess(tf.constant(texts, tf.string))
        scores = tf.nn.softmax(classifier(inputs)["classification"])
        np.testing.assert_allclose(outputs["scores"], scores, atol=TOLERANCE)


def test_a_fresh_process_needs_tensorflow_and_tensorflow_text_alone(
    exported, classifier, preprocess, tmp_path
):
    code = f"""
        import json, sys
        import tensorflow as tf, tensorflow_text
        serve = tf.saved_model.load({str(exported)!r}).signatures["serving_default"]
        texts = {TEXTS!r}
        scores = serve(text=tf.constant(texts))["scores"].numpy().tolist()
        scores += serve(text=tf.constant(texts[:1]))["scores"].numpy().tolist()
        assert "keras_bert" not in sys.modules
        json.dump(scores, open({str(tmp_path / "scores.json")!r}, "w"))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
    scores = expected_scores(classifier, preprocess, TEXTS)
    np.testing.assert_allclose(
        json.loads((tmp_path / "scores.json").read_text()), [*scores, scores[0]], atol=TOLERANCE
    )


def requests(path):
    file = path / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        yield request.model_spec, inputs


def test_warmup_requests_run_and_reach_every_signature(exported, loaded):
    seen = []
    for spec, inputs in requests(exported):
        assert spec.name == "tiny"
        outputs = loaded.signatures[spec.signature_name](**inputs)
        assert outputs["label"].shape[0] == next(iter(inputs.values())).shape[0]
        seen.append(spec.signature_name)
    assert set(seen) == set(loaded.signatures)


def test_masked_lm(tiny_vocabulary, tokenizer, tmp_path):
    model = randomized(kb.BertMaskedLM(kb.BertBackbone(tiny_config(tiny_vocabulary))))
    preprocess = kb.MaskedLMPreprocessor(tokenizer, sequence_length=LENGTH)
    kb.export_saved_model(model, preprocess, tmp_path / "mlm" / "1")
    loaded = tf.saved_model.load(str(tmp_path / "mlm" / "1"))
    texts = ["the [MASK] sat on the [MASK] .", "no gap", "[MASK]"]
    outputs = loaded.signatures["serving_default"](text=tf.constant(texts))
    assert outputs["num_masks"].numpy().tolist() == [2, 0, 1]
    inputs = preprocess(texts)
    inputs.pop("mask_weights")
    scores = tf.nn.softmax(model(inputs)["masked_lm"]).numpy()
    for row, slots in enumerate([2, 0, 1]):
        for slot in range(2):
            tokens = outputs["tokens"][row, slot].numpy()
            if slot >= slots:
                assert set(tokens) == {b""}
                assert not outputs["scores"][row, slot].numpy().any()
                continue
            best = np.argsort(-scores[row, slot])[:10]
            assert [t.decode() for t in tokens] == [tiny_vocabulary[i] for i in best]
            np.testing.assert_allclose(
                outputs["scores"][row, slot], scores[row, slot][best], atol=TOLERANCE
            )
    none = loaded.signatures["serving_default"](text=tf.constant([], tf.string))
    assert none["tokens"].shape[0] == none["num_masks"].shape[0] == 0
    tokens = loaded.signatures["serve_tokens"](**inputs)
    np.testing.assert_allclose(tokens["scores"][0], outputs["scores"][0], atol=TOLERANCE)
    for spec, values in requests(tmp_path / "mlm" / "1"):
        assert loaded.signatures[spec.signature_name](**values)["scores"].shape[-1] == 10
    # The predictor gives the same as lists of dicts, one list a mask.
    answers = kb.Predictor(tmp_path / "mlm" / "1")(texts)
    assert [len(answer) for answer in answers] == [2, 0, 1]
    assert answers[2][0][0]["token"] == outputs["tokens"][2, 0, 0].numpy().decode()
    assert answers[0][1][9]["score"] == pytest.approx(float(outputs["scores"][0, 1, 9]), abs=1e-6)
    with pytest.raises(ValueError, match="takes single texts; received pairs"):
        kb.Predictor(tmp_path / "mlm" / "1")([("a", "b")])


def test_mixed_precision(tiny_vocabulary, preprocess, tmp_path):
    config = tiny_config(tiny_vocabulary)
    backbone = kb.BertBackbone(config, dtype="mixed_bfloat16")
    model = randomized(kb.BertTextClassifier(backbone, labels=["a", "b"]))
    kb.export_saved_model(model, preprocess, tmp_path / "1")
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    scores = serve(text=tf.constant(TEXTS))["scores"]
    assert scores.dtype == tf.float32
    # bfloat16 has 8 bits: fused or not, operations may round otherwise.
    expected = expected_scores(model, preprocess, TEXTS)
    np.testing.assert_allclose(scores, expected, atol=2e-2)
    np.testing.assert_allclose(scores.numpy().sum(1), 1, atol=1e-6)


def test_what_cannot_be_exported(classifier, tokenizer, preprocess, tiny_vocabulary, tmp_path):
    longer = kb.BertTokenizer([*tiny_vocabulary, "extra"])
    size = len(tiny_vocabulary)
    for model, other, message in [
        (classifier, kb.TextClassifierPreprocessor(longer), f"{size + 1} tokens.*={size} rows"),
        (
            classifier,
            kb.TextClassifierPreprocessor(tokenizer, LENGTH + 1),
            f"sequence_length={LENGTH + 1} is longer than.*max_sequence_length={LENGTH}",
        ),
        (classifier, kb.MaskedLMPreprocessor(tokenizer), "expected a TextClassifierPreprocessor"),
        (classifier, tokenizer, "expected a TextClassifierPreprocessor; received BertTokenizer"),
        (classifier.backbone, preprocess, "expected one of BertTextClassifier.*Put the backbone"),
        (
            kb.BertPretrainer(classifier.backbone),
            preprocess,
            "received BertPretrainer. Save it by save_preset.*export BertMaskedLM.from_preset",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            kb.export_saved_model(model, other, tmp_path / "model" / "1")
    assert os.listdir(tmp_path) == []


def test_an_existing_folder_is_kept(classifier, preprocess, tmp_path, monkeypatch):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "thesis.tex").write_text("dear")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        kb.export_saved_model(classifier, preprocess, tmp_path / "1")
    with pytest.raises(FileExistsError, match=r"holds no saved_model\.pb"):
        kb.export_saved_model(classifier, preprocess, tmp_path / "1", overwrite=True)
    assert os.listdir(tmp_path / "1") == ["thesis.tex"]
    (tmp_path / "1" / "saved_model.pb").write_text("former")

    def full(*args, **kwargs):
        # What TensorFlow makes of a full disk.
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    # The disk is full for the model, or for its warm-up file alone.
    for module, name in ((tf.saved_model, "save"), (tf.io.TFRecordWriter, "write")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(OSError, match=f"^{tmp_path / '1'} cannot be written: No space"):
                kb.export_saved_model(classifier, preprocess, tmp_path / "1", overwrite=True)
        assert (tmp_path / "1" / "saved_model.pb").read_text() == "former"
        assert os.listdir(tmp_path) == ["1"]


def test_a_length_without_room_for_pairs(tiny_vocabulary, tokenizer, tmp_path):
    config = tiny_config(tiny_vocabulary)
    model = kb.BertTextClassifier(kb.BertBackbone(config), labels=["a", "b"])
    kb.export_saved_model(model, kb.TextClassifierPreprocessor(tokenizer, 3), tmp_path / "1")
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    assert sorted(signatures) == ["serve_tokens", "serving_default"]
