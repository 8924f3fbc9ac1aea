"""The exported sequence-to-sequence model writes what this process does, for all samplers."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from keras_hub.samplers import BeamSampler, TopKSampler

import keras_bert as kb

TEXTS = [
    "The Cafe\u0301 cat sat ON a mat, was it good? " * 4,
    "\u200bA good \U0001f600 dog.",
    "中国人爱吃苹果。",
    "",
    " \u0301 \x00",
    "q7",
]
SAMPLERS = {
    "beam": lambda: BeamSampler(num_beams=3),
    "top_k": lambda: TopKSampler(k=1, seed=1),
}


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.Seq2SeqPreprocessor(kb.BertTokenizer(tiny_vocabulary), 20, 8)


@pytest.fixture(scope="module")
def model(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=20,
    )
    model = kb.BertSeq2SeqLM(kb.BertBackbone(config))
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def exported(model, preprocess, tmp_path_factory):
    """By sampler the folder, what is written in this process, and the tokens of it."""
    found = {}
    for name, sampler in SAMPLERS.items():
        model.sampler = sampler()
        folder = tmp_path_factory.mktemp("saved_models") / name / "1"
        kb.export_saved_model(model, preprocess, folder)
        tokenizer = preprocess.tokenizer
        told = model.generate(preprocess(TEXTS), 8, tokenizer.sep_id, tokenizer.pad_id)
        ids, scores = told["token_ids"].numpy(), told["score"].numpy().tolist()
        found[name] = folder, tokenizer.detokenize(ids), ids, scores
    return found


def test_a_fresh_process_needs_tensorflow_and_tensorflow_text_alone(exported, tmp_path):
    assert len({text for _, told, _, _ in exported.values() for text in told}) > 4
    folders = {name: str(folder) for name, (folder, _, _, _) in exported.items()}
    code = f"""
        import json, sys
        import tensorflow as tf, tensorflow_text
        found = {{}}
        for name, folder in {folders!r}.items():
            serve = tf.saved_model.load(folder).signatures["serving_default"]
            texts = {TEXTS!r}
            parts = [texts, texts[:1], texts[2:5], []]
            told = [serve(text=tf.constant(part, tf.string))["text"].numpy() for part in parts]
            found[name] = [[text.decode() for text in part] for part in told]
        assert not {{"keras_bert", "keras_hub"}} & set(sys.modules)
        json.dump(found, open({str(tmp_path / "found.json")!r}, "w"))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
    for name, parts in json.loads((tmp_path / "found.json").read_text()).items():
        told = exported[name][1]
        assert parts == [told, told[:1], told[2:5], []]


def test_predictor_and_generator(exported, model, preprocess):
    folder, told, _, scores = exported["beam"]
    predictor = kb.Predictor(folder)
    for batch_size in (1, 4, 32):
        answers = predictor(TEXTS, batch_size=batch_size)
        assert [answer["text"] for answer in answers] == told
        assert [answer["score"] for answer in answers] == pytest.approx(scores, rel=1e-4)
    assert set(predictor(TEXTS[2])) == {"text", "score"} and predictor([]) == []
    model.sampler = BeamSampler(num_beams=3)
    write = kb.TextGenerator(model, preprocess)
    assert write(TEXTS, batch_size=4) == told
    assert write(TEXTS[2]) == told[2] and write([]) == []
    with pytest.raises(ValueError, match="takes single texts; received pairs"):
        predictor(("a", "b"))


def test_tokens_warm_up_and_strings_that_are_no_utf8(exported, preprocess):
    from tensorflow_serving.apis import prediction_log_pb2

    folder, _, ids, scores = exported["top_k"]
    signatures, seen = tf.saved_model.load(str(folder)).signatures, set()
    found = signatures["serve_tokens"](**preprocess(TEXTS))
    np.testing.assert_array_equal(found["token_ids"], ids)
    np.testing.assert_allclose(found["score"], scores, rtol=1e-4)
    broken = tf.constant([b"the \xff cat", "the \ufffd cat".encode()])
    first, second = signatures["serving_default"](text=broken)["text"].numpy()
    assert first == second != b""
    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.constant(tf.make_ndarray(v)) for key, v in request.inputs.items()}
        signatures[request.model_spec.signature_name](**inputs)
        seen.add(request.model_spec.signature_name)
    assert seen == set(signatures)


def test_bad_input(model, preprocess, tmp_path, tiny_vocabulary):
    other = kb.TextClassifierPreprocessor(preprocess.tokenizer, 20)
    with pytest.raises(ValueError, match="a Seq2SeqPreprocessor; received TextClassifier"):
        kb.export_saved_model(model, other, tmp_path / "x" / "1")
    with pytest.raises(ValueError, match="a Seq2SeqPreprocessor; received TextClassifier"):
        kb.TextGenerator(model, other)
    with pytest.raises(ValueError, match="a BertSeq2SeqLM; received BertBackbone"):
        kb.TextGenerator(model.backbone, preprocess)
    long = kb.Seq2SeqPreprocessor(preprocess.tokenizer, 21, 8)
    short = kb.Seq2SeqPreprocessor(kb.BertTokenizer(tiny_vocabulary[:-1]), 20, 8)
    for wrong, message in ((long, "sequence_length=21 is longer"), (short, "the tokenizer has")):
        with pytest.raises(ValueError, match=message):
            kb.TextGenerator(model, wrong)
    write = kb.TextGenerator(model, preprocess)
    with pytest.raises(TypeError, match="received 3 at place 1"):
        write(["a", 3])
    with pytest.raises(ValueError, match="batch_size must be a positive int"):
        write(["a"], batch_size=0)
