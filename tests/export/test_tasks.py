"""Exported classifiers of every kind, relations, choices, next sentence: values and answers."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

LENGTH = 16
TEXTS = ["the cat sat on the mat .", "", "我爱吃苹果", "good film " * 500, "\x00 \ud7ff ÀÉ i̇"]


def softmax(logits):
    exponents = np.exp(np.float64(logits))
    return exponents / exponents.sum(-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.float64(logits)))


def randomized(model, seed=0):
    """Weights far from their start, so that every part of the model matters to the result."""
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture(scope="module")
def preprocess(tokenizer):
    return kb.TextClassifierPreprocessor(tokenizer, sequence_length=LENGTH)


def backbone_for(preprocess):
    config = kb.BertConfig(
        vocabulary_size=preprocess.tokenizer.vocabulary_size,
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=LENGTH,
    )
    return kb.BertBackbone(config)


def export(model, preprocess, tmp_path):
    kb.export_saved_model(model, preprocess, tmp_path / "task" / "1")
    return tf.saved_model.load(str(tmp_path / "task" / "1")), kb.Predictor(tmp_path / "task")


def run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    file = tmp_path / "task/1/assets.extra/tf_serving_warmup_requests"
    seen = set()
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        serve = loaded.signatures[request.model_spec.signature_name]
        rows = next(iter(inputs.values())).shape[0]
        assert all(value.shape[0] == rows for value in serve(**inputs).values())
        none = serve(**{key: value[:0] for key, value in inputs.items()})
        assert all(value.shape[0] == 0 for value in none.values())
        seen.add(request.model_spec.signature_name)
    assert seen == set(loaded.signatures)


def test_several_labels(preprocess, tmp_path):
    labels = ["sport", "钱", "music"]
    model = kb.BertTextClassifier(backbone_for(preprocess), labels, problem_type="multi_label")
    randomized(model)
    expected = sigmoid(model(preprocess(TEXTS))["classification"])
    assert expected.std(0).min() > 0.01
    # A threshold a label, so that it is told of some texts alone.
    model.thresholds = [float(np.sort(column)[2 + i] - 1e-4) for i, column in enumerate(expected.T)]
    kb.save_preset(tmp_path / "model", model, preprocess)
    loaded, predictor = export(kb.model_from_preset(tmp_path / "model"), preprocess, tmp_path)
    outputs = loaded.signatures["serving_default"](text=tf.constant(TEXTS))
    np.testing.assert_allclose(outputs["all_scores"], expected, atol=1e-6)
    assert outputs["all_labels"].numpy()[1].tolist() == [label.encode() for label in labels]
    told = expected >= model.thresholds
    assert {*told.sum(1)} > {1} and told.sum(0).tolist() == [3, 2, 1]
    answers = predictor(TEXTS, batch_size=2)
    for row in range(len(TEXTS)):
        order = sorted(np.flatnonzero(told[row]), key=lambda i: -expected[row, i])
        count = len(order)
        assert outputs["num_labels"].numpy()[row] == count
        names = [labels[i].encode() for i in order] + [b""] * (3 - count)
        assert outputs["labels"].numpy()[row].tolist() == names
        scores = [*expected[row][order], *[0] * (3 - count)]
        np.testing.assert_allclose(outputs["scores"][row], scores, atol=1e-6)
        assert [answer["label"] for answer in answers[row]] == [labels[i] for i in order]
        assert [a["score"] for a in answers[row]] == pytest.approx(scores[:count], abs=1e-6)
    pairs = predictor([("a", "b")])
    assert isinstance(pairs[0], list)
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


@pytest.mark.parametrize("names", [["score"], ["valence", "arousal"]])
def test_numbers(preprocess, tmp_path, names):
    model = kb.BertTextClassifier(backbone_for(preprocess), names, problem_type="regression")
    randomized(model)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    expected = np.asarray(model(preprocess((TEXTS, TEXTS[::-1])))["regression"])
    assert expected.std(0).min() > 0.01
    loaded, predictor = export(model, preprocess, tmp_path)
    answers = predictor(pairs, batch_size=2)
    assert [list(answer) for answer in answers] == [names] * 5
    np.testing.assert_allclose([list(a.values()) for a in answers], expected, atol=1e-5)
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


def test_out_of_scope(preprocess, tmp_path):
    backbone = backbone_for(preprocess)
    model = randomized(kb.BertTextClassifier(backbone, ["a", "b", "c"], out_of_scope="其他"))
    scores = softmax(model(preprocess(TEXTS))["classification"])
    threshold = float(np.median(scores.max(1)) + 1e-5)
    model.thresholds = [threshold] * 3
    loaded, predictor = export(model, preprocess, tmp_path)
    best = np.array(model.labels)[scores.argmax(1)]
    expected = np.where(scores.max(1) < threshold, "其他", best).tolist()
    assert expected.count("其他") == 3
    answers = predictor(TEXTS)
    assert [answer["label"] for answer in answers] == expected
    assert [a["score"] for a in answers] == pytest.approx(scores.max(1).tolist(), abs=1e-6)
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


def test_relations(tokenizer, tmp_path):
    preprocess = kb.RelationPreprocessor(tokenizer, LENGTH)
    model = kb.BertRelationClassifier(backbone_for(preprocess), ["Other", "在", "A-B(e1,e2)"])
    randomized(model)
    texts = [
        "the <e1>cat</e1> sat on <e2>a mat</e2> .",
        "<e2>我</e2>爱<e1>苹果</e1>",
        "dog " * 30 + "<e1>good</e1> <e2>film</e2>",
        "no marks",
        "<e1>cat</e1>" + " dog" * 30 + "<e2>mat</e2>",
    ]
    scores = softmax(model(preprocess(texts))["relation"])
    assert scores[:3].std(0).min() > 0.01
    loaded, predictor = export(model, preprocess, tmp_path)
    answers = predictor(texts, batch_size=2)
    for answer, row in zip(answers[:3], scores, strict=False):
        assert answer["label"] == model.labels[row.argmax()]
        assert answer["score"] == pytest.approx(row.max(), abs=1e-6)
    assert answers[3] == answers[4] == {"label": "", "score": 0.0}
    spans = [
        ("the cat sat on a mat .", (4, 7), (15, 20)),
        ("我爱苹果", [2, 4], [0, 1]),
        ("dog " * 30 + "good film", (120, 124), (125, 129)),
    ]
    for plain, marked in zip(predictor(spans), answers, strict=False):
        assert plain["label"] == marked["label"]
        assert plain["score"] == pytest.approx(marked["score"], abs=1e-6)
    assert predictor(spans[1]) == pytest.approx(predictor(texts[1]))
    with pytest.raises(
        ValueError, match=r"takes single texts or tuples \(text, \(start, end\), \(start, end\)\)"
    ):
        predictor([("a", "b")])
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


def test_choices(tokenizer, tmp_path):
    preprocess = kb.MultipleChoicePreprocessor(tokenizer, LENGTH)
    model = randomized(kb.BertMultipleChoice(backbone_for(preprocess)))
    items = [
        ("the cat sat on", ["a mat", "the dog .", "it"]),
        ("我爱吃", ["苹果", "中国人"]),
        ("good", ["film", "", "bad film"]),
        ("", ["a", "b"]),
    ]
    loaded, predictor = export(model, preprocess, tmp_path)
    answers = predictor(items, batch_size=3)
    seen = set()
    for (text, choices), answer in zip(items, answers, strict=True):
        scores = softmax(model(preprocess(([text], [choices])))["multiple_choice"])[0]
        assert (answer["choice"], answer["index"]) == (choices[scores.argmax()], scores.argmax())
        assert answer["score"] == pytest.approx(scores.max(), abs=1e-6)
        seen.add(answer["index"])
    assert len(seen) > 1
    assert predictor(items[0]) == pytest.approx(answers[0])
    for wrong in [("a", []), ("a", [1, 2]), ("a", [["b"]])]:
        with pytest.raises(TypeError, match="at place 0"):
            predictor(wrong)
    with pytest.raises(ValueError, match=r"list of choices.; received single texts"):
        predictor("a")
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


def test_next_sentence(preprocess, tmp_path):
    model = randomized(kb.BertNextSentence(backbone_for(preprocess)), seed=3)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    scores = softmax(model(preprocess((TEXTS, TEXTS[::-1])))["next_sentence"])
    loaded, predictor = export(model, preprocess, tmp_path)
    answers = predictor(pairs)
    # Class 0: the second really follows the first.
    assert [answer["score"] for answer in answers] == pytest.approx(scores[:, 0], abs=1e-6)
    assert [a["is_next"] for a in answers] == (scores[:, 0] > scores[:, 1]).tolist()
    assert scores[:, 0].std() > 0.01
    with pytest.raises(ValueError, match="takes pairs; received single texts"):
        predictor(["a"])
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


def test_an_ensemble(preprocess, tmp_path):
    models = [
        randomized(kb.BertTextClassifier(backbone_for(preprocess), ["a", "谁", "c"]), seed)
        for seed in (1, 2, 3)
    ]
    inputs = preprocess(TEXTS)
    parts = np.stack([softmax(model(inputs)["classification"]) for model in models])
    assert parts.std(0).max() > 0.05
    expected = parts.mean(0)
    loaded, predictor = export(kb.ensemble(models), preprocess, tmp_path)
    outputs = loaded.signatures["serving_default"](text=tf.constant(TEXTS))
    np.testing.assert_allclose(outputs["scores"], expected, atol=1e-6)
    answers = predictor(TEXTS, batch_size=2)
    assert [a["label"] for a in answers] == [models[0].labels[i] for i in expected.argmax(1)]
    assert [a["score"] for a in answers] == pytest.approx(expected.max(1).tolist(), abs=1e-6)
    run_every_signature_on_nothing_and_its_warmup(loaded, tmp_path)


@pytest.mark.slow
def test_ensembles_of_other_tasks_have_their_members_signatures(preprocess, tokenizer, tmp_path):
    backbone = backbone_for(preprocess)
    spans = kb.SpanPreprocessor(tokenizer, LENGTH)
    tags = kb.TokenClassifierPreprocessor(tokenizer, LENGTH)
    for name, make, own in [
        ("span", kb.BertSpanClassifier, spans),
        ("token", lambda b: kb.BertTokenClassifier(b, ["O", "B-X", "I-X"]), tags),
    ]:
        models = [randomized(make(backbone), seed) for seed in (1, 2)]
        alike = kb.ensemble([models[0], models[0]])
        loaded = []
        for number, model in enumerate((models[0], alike), start=1):
            kb.export_saved_model(model, own, tmp_path / name / str(number))
            loaded.append(tf.saved_model.load(str(tmp_path / name / str(number))))
        member, both = (
            {key: each.signatures[key].structured_outputs for key in each.signatures}
            for each in loaded
        )
        assert {key: dict(value) for key, value in member.items()} == {
            key: dict(value) for key, value in both.items()
        }
        one, two = (kb.Predictor(tmp_path / name / str(number)) for number in (1, 2))
        text = "the cat sat on the mat ."
        item = ("cat ?", text) if name == "span" else text
        assert str(one(item)).split("score")[0] == str(two(item)).split("score")[0]
