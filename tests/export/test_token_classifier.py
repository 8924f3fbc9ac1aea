"""The exported token classifier answers as the model in this process, without this package."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import keras_bert as kb
from keras_bert.jobs.tokens import predict_entities

LABELS = ["O", "B-PER", "I-PER", "B-地", "I-地"]
TEXTS = [
    "The café, CAFÉ 我爱吃 it!",
    "",
    "e\u0301clair 😀 a, the bad film was good",
    "dog cat " * 20,
    "中国人 sat \x00 \u200bon",
]


@pytest.fixture(scope="module")
def model(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=2,
        max_sequence_length=24,
    )
    model = kb.BertTokenClassifier(kb.BertBackbone(config), labels=LABELS)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
    # Around their mean over some texts, so that not every word has the same label.
    kernel, bias = model.token_classifier.get_weights()
    inputs = kb.TokenClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), 24)(TEXTS)
    mean = model(inputs)["token_classification"].numpy().mean((0, 1))
    model.token_classifier.set_weights([kernel, bias - mean])
    return model


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TokenClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=24)


@pytest.fixture(scope="module")
def folder(model, preprocess, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "ner" / "1"
    kb.export_saved_model(model, preprocess, folder)
    return folder


@pytest.fixture(scope="module")
def predictor(folder):
    return kb.Predictor(folder)


def same(answers, expected):
    assert len(answers) == len(expected)
    for answer, wanted in zip(answers, expected, strict=True):
        assert [{**e, "score": 0} for e in answer] == [{**e, "score": 0} for e in wanted]
        assert [e["score"] for e in answer] == pytest.approx([e["score"] for e in wanted], abs=1e-6)


def test_the_predictor_answers_as_the_model_does(predictor, model, preprocess):
    expected = predict_entities(model, preprocess, TEXTS)
    found = [e for entities in expected for e in entities]
    assert len(found) >= 5 and len({e["label"] for e in found}) == 2 and expected[1] == []
    for text, entities in zip(TEXTS, expected, strict=True):
        assert all(e["text"] == text[e["start"] : e["end"]] for e in entities)
    for batch_size in (1, 3, 32):
        same(predictor(TEXTS, batch_size=batch_size), expected)
    same([predictor(TEXTS[0])], expected[:1])
    assert predictor([]) == []
    assert all(type(e["start"]) is int and type(e["score"]) is float for e in found)


def test_predicates_change_the_answers(predictor, model, preprocess):
    texts = [TEXTS[0], TEXTS[4], TEXTS[0]]
    places = [(4, 8), (3, 7), (15, 16)]
    expected = predict_entities(model, preprocess, texts, places)
    same(predictor([(t, *p) for t, p in zip(texts, places, strict=True)]), expected)
    same([predictor((texts[0], *places[0]))], expected[:1])
    assert expected != predict_entities(model, preprocess, texts) and expected[0] != expected[2]
    for wrong in (("ab", 0, 3), ("ab", 1, 1), ("ab", -1, 1)):
        with pytest.raises(ValueError, match=r"0 <= start < end <= 2; received .* at place 0"):
            predictor(wrong)
    for wrong in ([("a", 0, 1), "b"], [("a", 0.0, 1)], [("a", True, 1)], [("a", 1)]):
        with pytest.raises(TypeError, match=r"received .* at place \d"):
            predictor(wrong)
    with pytest.raises(
        ValueError, match=r"takes single texts or tuples \(text, start, end\), .*; received pairs"
    ):
        predictor(("a", "b"))


def test_signatures(predictor, model, preprocess, folder):
    assert set(predictor.signatures) == {"serving_default", "serve_predicates", "serve_tokens"}
    inputs = preprocess(TEXTS)
    outputs = predictor.signatures["serve_tokens"](**inputs)
    scores = tf.nn.softmax(model(inputs)["token_classification"]).numpy()
    np.testing.assert_allclose(outputs["scores"], scores.max(-1), atol=1e-6)
    names = [[LABELS[i].encode() for i in row] for row in scores.argmax(-1)]
    assert outputs["labels"].numpy().tolist() == names
    empty = predictor.signatures["serving_default"](text=tf.constant([], tf.string))
    assert all(value.shape[0] == 0 for value in empty.values())
    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    seen = set()
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        values = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        predictor.signatures[request.model_spec.signature_name](**values)
        seen.add(request.model_spec.signature_name)
    assert seen == set(predictor.signatures)


def test_a_fresh_process_needs_tensorflow_and_tensorflow_text_alone(
    folder, model, preprocess, tmp_path
):
    code = f"""
        import json, sys
        import tensorflow as tf, tensorflow_text
        serve = tf.saved_model.load({str(folder)!r}).signatures["serving_default"]
        found = []
        for texts in ({TEXTS!r}, {TEXTS[2:3]!r}):
            out = {{k: v.numpy() for k, v in serve(text=tf.constant(texts)).items()}}
            for row, count in enumerate(out["num_entities"]):
                found.append([
                    [out["texts"][row, i].decode(), out["labels"][row, i].decode(),
                     int(out["starts"][row, i]), int(out["ends"][row, i]),
                     float(out["scores"][row, i])]
                    for i in range(count)
                ])
        assert "keras_bert" not in sys.modules
        json.dump(found, open({str(tmp_path / "found.json")!r}, "w"))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
    found = json.loads((tmp_path / "found.json").read_text())
    keys = ("text", "label", "start", "end", "score")
    found = [[dict(zip(keys, e, strict=True)) for e in entities] for entities in found]
    expected = predict_entities(model, preprocess, TEXTS)
    same(found, [*expected, expected[2]])


def test_one_segment_has_no_predicates(tiny_vocabulary, preprocess, tmp_path):
    config = kb.BertConfig.named("tiny", vocabulary_size=len(tiny_vocabulary), num_segments=1)
    model = kb.BertTokenClassifier(kb.BertBackbone(config), labels=LABELS)
    kb.export_saved_model(model, preprocess, tmp_path / "1")
    predictor = kb.Predictor(tmp_path / "1")
    assert set(predictor.signatures) == {"serving_default", "serve_tokens"}
    with pytest.raises(
        ValueError, match=r"takes single texts; received tuples \(text, start, end\), the predicate"
    ):
        predictor(("a", 0, 1))


def test_what_cannot_be_exported(model, preprocess, tiny_vocabulary, tmp_path):
    other = kb.BertTokenClassifier(model.backbone, labels=["LABEL_0", "LABEL_1"])
    with pytest.raises(ValueError, match="the tag 'LABEL_0' marks no span"):
        kb.export_saved_model(other, preprocess, tmp_path / "1")
    wrong = kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), 24)
    with pytest.raises(ValueError, match="expected a TokenClassifierPreprocessor"):
        kb.export_saved_model(model, wrong, tmp_path / "1")
