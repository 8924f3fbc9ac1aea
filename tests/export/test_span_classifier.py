"""The exported span classifier answers as the windows of this process do, text by text."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.text.answers import best_answers, best_spans

LENGTH = 16
QUESTIONS = ["the cat ?", "", "我爱?", "was it " * 40, "the cat ?", "q7"]
CONTEXTS = [
    "The Cafe\u0301 cat sat ON a mat, was it good? " * 14,  # some 50 windows, so several portions
    "\u200bA good \U0001f600 dog.",
    "中国人爱吃苹果。" * 4,
    "in the film",
    "",
    " \u0301 \x00",
]


def make_model(vocabulary, threshold=None):
    config = kb.BertConfig(
        vocabulary_size=len(vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=LENGTH,
    )
    model = kb.BertSpanClassifier(kb.BertBackbone(config), no_answer_threshold=threshold)
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.SpanPreprocessor(kb.BertTokenizer(tiny_vocabulary), LENGTH, 4, 5, 4)


@pytest.fixture(scope="module", params=[None, 1.0])
def model(request, tiny_vocabulary):
    return make_model(tiny_vocabulary, request.param)


@pytest.fixture(scope="module")
def folder(model, preprocess, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "qa" / "1"
    kb.export_saved_model(model, preprocess, folder)
    return folder


def expected(model, preprocess, questions, contexts):
    """Question by question, all windows at once."""
    answers = []
    for question, context in zip(questions, contexts, strict=True):
        inputs, places = preprocess((question, context))
        logits = model(inputs)
        spans = best_spans(logits["span_start"], logits["span_end"], places, 4)
        found = best_answers(spans, places["example"], 1, model.no_answer_threshold)
        start, end = int(found["start"][0]), int(found["end"][0])
        text = context[start:end] if start >= 0 else ""
        answers.append((text, start, end, float(found["score"][0])))
    return answers


def check(answers, expected):
    for answer, (text, start, end, score) in zip(answers, expected, strict=True):
        assert (answer["answer"], answer["start"], answer["end"]) == (text, start, end)
        assert answer["score"] == pytest.approx(score, rel=1e-4, abs=1e-6)


def test_answers_of_a_batch_and_alone(folder, model, preprocess):
    rows = expected(model, preprocess, QUESTIONS, CONTEXTS)
    told = [row[0] for row in rows]
    assert told[4:] == ["", ""] and [row[1:] for row in rows[4:]] == [(-1, -1, 1.0)] * 2
    assert len(set(told[:4])) > 2
    predictor = kb.Predictor(folder)
    pairs = list(zip(QUESTIONS, CONTEXTS, strict=True))
    for batch_size in (1, 4, 32):
        check(predictor(pairs, batch_size=batch_size), rows)
    check([predictor(pairs[1])], rows[1:2])
    assert all(set(answer) == {"answer", "start", "end", "score"} for answer in predictor(pairs))
    assert predictor([]) == []


def test_the_threshold_decides(preprocess, tiny_vocabulary, tmp_path):
    """Between two texts: the one whose difference lies above the threshold has no answer."""
    pairs = list(zip(QUESTIONS[1:4], CONTEXTS[1:4], strict=True))
    inputs, places = preprocess(tuple(zip(*pairs, strict=True)))
    model = make_model(tiny_vocabulary)
    logits = model(inputs)
    spans = best_spans(logits["span_start"], logits["span_end"], places, 4)
    differences = best_answers(spans, places["example"], 3)["difference"].numpy()
    model.no_answer_threshold = threshold = float(np.sort(differences)[:2].mean())
    kb.export_saved_model(model, preprocess, tmp_path / "1")
    answers = kb.Predictor(tmp_path)(pairs)
    assert [answer["answer"] != "" for answer in answers] == (differences < threshold).tolist()
    assert sum(answer["start"] >= 0 for answer in answers) == 1


def test_the_threshold_stays_with_the_model(preprocess, tiny_vocabulary, tmp_path):
    kb.save_preset(tmp_path / "model", make_model(tiny_vocabulary, -0.125), preprocess)
    again = kb.model_from_preset(tmp_path / "model")
    assert isinstance(again, kb.BertSpanClassifier) and again.no_answer_threshold == -0.125
    assert kb.BertSpanClassifier.from_preset(tmp_path / "model").no_answer_threshold == -0.125
    assert kb.BertSpanClassifier.from_config(again.get_config()).no_answer_threshold == -0.125
    kb.save_preset(tmp_path / "plain", make_model(tiny_vocabulary), preprocess)
    config = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert "no_answer_threshold" not in config
    plain = kb.BertSpanClassifier.from_preset(tmp_path / "plain")
    assert plain.no_answer_threshold is None
    for wrong in ("0.5", float("nan"), float("inf"), True):
        with pytest.raises(ValueError, match="no_answer_threshold must be a finite number"):
            plain.no_answer_threshold = wrong
    config["no_answer_threshold"] = "much"
    (tmp_path / "plain" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: no_answer_threshold must be a number"):
        kb.BertSpanClassifier.from_preset(tmp_path / "plain")


def test_no_questions_tokens_and_strings_that_are_no_utf8(folder, model, preprocess):
    signatures = tf.saved_model.load(str(folder)).signatures
    none = tf.constant([], tf.string)
    outputs = signatures["serving_default"](question=none, context=none)
    assert sorted(outputs) == ["answer", "end", "score", "start"]
    assert {tuple(value.shape) for value in outputs.values()} == {(0,)}
    text = "the \ufffd cat \ufffd sat on"
    broken = tf.constant([text.encode().replace(b"\xef\xbf\xbd", b"\xff")])
    outputs = signatures["serving_default"](question=tf.constant(["a"]), context=broken)
    answer = {name: value.numpy()[0] for name, value in outputs.items()}
    answer["answer"] = answer["answer"].decode()
    check([answer], expected(model, preprocess, ["a"], [text]))
    inputs, _ = preprocess((QUESTIONS, CONTEXTS))
    logits = signatures["serve_tokens"](**inputs)
    for name, values in model(inputs).items():
        np.testing.assert_allclose(logits[name], values, atol=1e-5)
    empty = dict.fromkeys(inputs, tf.zeros((0, 0), tf.int32))
    assert signatures["serve_tokens"](**empty)["span_end"].shape == (0, 0)


def test_a_fresh_process_needs_tensorflow_and_tensorflow_text_alone(
    folder, model, preprocess, tmp_path
):
    code = f"""
        import json, sys
        import tensorflow as tf, tensorflow_text
        serve = tf.saved_model.load({str(folder)!r}).signatures["serving_default"]
        questions, contexts = {QUESTIONS!r}, {CONTEXTS!r}
        rows = []
        for part in (slice(0, 6), slice(0, 1), slice(1, 4)):
            found = serve(
                question=tf.constant(questions[part]), context=tf.constant(contexts[part])
            )
            columns = {{name: value.numpy().tolist() for name, value in found.items()}}
            for row in zip(*columns.values()):
                row = dict(zip(columns, row))
                rows.append({{**row, "answer": row["answer"].decode()}})
        assert "keras_bert" not in sys.modules
        json.dump(rows, open({str(tmp_path / "rows.json")!r}, "w"))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
    rows = expected(model, preprocess, QUESTIONS, CONTEXTS)
    check(json.loads((tmp_path / "rows.json").read_text()), [*rows, *rows[:1], *rows[1:4]])


def test_warmup_requests_run(folder):
    from tensorflow_serving.apis import prediction_log_pb2

    signatures, seen = tf.saved_model.load(str(folder)).signatures, []
    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        signatures[request.model_spec.signature_name](**inputs)
        seen.append(request.model_spec.signature_name)
    assert set(seen) == set(signatures)


def test_bad_input(folder, model, tiny_vocabulary, tmp_path):
    predictor = kb.Predictor(folder)
    for wrong in (["a text"], "a text"):
        with pytest.raises(ValueError, match=r"takes tuples \(question, context\)"):
            predictor(wrong)
    for wrong in ([("a", "b", "c")], [("a", None)], [("a", "b"), "c"]):
        with pytest.raises(TypeError, match="received"):
            predictor(wrong)
    other = kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), LENGTH)
    with pytest.raises(ValueError, match="expected a SpanPreprocessor; received TextClassifier"):
        kb.export_saved_model(model, other, tmp_path / "x" / "1")
