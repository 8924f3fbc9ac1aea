"""Every head: read from a file it computes what NumPy does, written and read it is the same."""

import json
import logging

import numpy as np
import pytest
from numpy_bert import NumpyBert, choice_inputs, hf_config, hf_tensors, inputs
from safetensors.numpy import load_file

import keras_bert as kb
from keras_bert.checkpoints.sentence_transformers import POOLINGS
from keras_bert.layers import token_pooling

TOLERANCE = 1e-5
NAMES = {"0": "O", "1": "B-谁", "2": "I-谁"}


def of(architecture, **values):
    return hf_config(architectures=[architecture], **values)


def text(problem_type, **values):
    return of("BertForSequenceClassification", id2label=NAMES, problem_type=problem_type, **values)


# Ours, config.json, outputs of the classifier in the file, the reference's outputs by name.
HEADS = {
    "single_label": (
        kb.BertTextClassifier,
        text("single_label_classification"),
        lambda bert, x: {"classification": bert.classification(**x)},
    ),
    "multi_label": (
        kb.BertTextClassifier,
        text("multi_label_classification", classifier_dropout=0.25),
        lambda bert, x: {"classification": bert.classification(**x)},
    ),
    "regression": (
        kb.BertTextClassifier,
        text("regression"),
        lambda bert, x: {"regression": bert.classification(**x)},
    ),
    "token": (
        kb.BertTokenClassifier,
        of("BertForTokenClassification", id2label=NAMES, classifier_dropout=0.0),
        lambda bert, x: {"token_classification": bert.token_classification(**x)},
    ),
    "span": (
        kb.BertSpanClassifier,
        of("BertForQuestionAnswering"),
        lambda bert, x: dict(zip(("span_start", "span_end"), bert.span(**x), strict=True)),
    ),
    "choice": (
        kb.BertMultipleChoice,
        of("BertForMultipleChoice", classifier_dropout=0.4),
        lambda bert, x: {"multiple_choice": bert.multiple_choice(**x)},
    ),
    "next_sentence": (
        kb.BertNextSentence,
        of("BertForNextSentencePrediction"),
        lambda bert, x: {"next_sentence": bert.next_sentence(**x)},
    ),
    "embedder": (
        kb.BertTextEmbedder,
        of("BertModel"),
        lambda bert, x: {"embedding": bert.embedding("mean", True, **x)},
    ),
}
WITHOUT_POOLER = (kb.BertTokenClassifier, kb.BertSpanClassifier)
PREFIXES = {
    "token": ("bert.", "classifier."),
    "span": ("bert.", "qa_outputs."),
    "next_sentence": ("bert.", "cls.seq_relationship."),
    "embedder": ("bert.",),
}


@pytest.fixture(params=HEADS)
def head(request):
    return request.param


@pytest.fixture
def written(head, hf_directory, tiny_vocabulary):
    """Ours, the tensors of a file by hand, its folder, inputs and the reference's outputs."""
    task, config, reference = HEADS[head]
    config = {**config, "vocab_size": len(tiny_vocabulary)}
    tensors = hf_tensors(config, labels=1 if head == "choice" else 3)
    directory = hf_directory(config, tensors, vocabulary=tiny_vocabulary)
    x = (choice_inputs if head == "choice" else inputs)(config)
    return task, tensors, directory, x, reference(NumpyBert(config, tensors), x)


def close(actual, expected, x, tolerance=TOLERANCE):
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert actual[name].dtype == "float32"
        assert actual[name].shape == value.shape
        np.testing.assert_allclose(actual[name], value, atol=tolerance, err_msg=name)


def test_a_file_is_computed(written):
    task, _, directory, x, expected = written
    model = task.from_preset(directory)
    for name in expected:
        assert np.std(expected[name]) > 0.05
    close(model(x), expected, x)
    close(model.predict(x, batch_size=2, verbose=0), expected, x)


def test_written_and_read_it_is_the_same(head, written, tiny_vocabulary, tmp_path):
    task, tensors, directory, x, _ = written
    model = task.from_preset(directory)
    kb.save_preset(tmp_path / "saved", model, kb.BertTokenizer(tiny_vocabulary))
    stored = load_file(tmp_path / "saved" / "model.safetensors")
    starts = PREFIXES.get(head, ("bert.", "classifier."))
    expected = {name: value for name, value in tensors.items() if name.startswith(starts)}
    if task in WITHOUT_POOLER:  # Hugging Face's class has none
        expected = {name: value for name, value in expected.items() if "pooler" not in name}
    if head == "embedder":
        expected = {name.removeprefix("bert."): value for name, value in expected.items()}
    assert set(stored) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(stored[name], value)
    theirs = json.loads((directory / "config.json").read_text())
    ours = json.loads((tmp_path / "saved" / "config.json").read_text())
    for name in ("architectures", "problem_type", "id2label"):
        assert ours.get(name) == theirs.get(name)

    again = task.from_preset(tmp_path / "saved")
    for name in ("labels", "problem_type", "dropout_rate", "pooling", "normalize", "config"):
        assert getattr(again, name, None) == getattr(model, name, None)
    if "dropout_rate" in vars(model):
        assert model.dropout_rate == theirs.get("classifier_dropout", 0.1)
    if "labels" in vars(model):
        assert model.labels == list(NAMES.values())
    for name, value in model(x).items():
        np.testing.assert_array_equal(again(x)[name], value)


def test_padding_and_its_length_do_not_matter(head, written):
    task, _, directory, x, _ = written
    model = task.from_preset(directory)
    longer = {
        name: np.pad(
            value,
            [(0, 0)] * (value.ndim - 1) + [(0, 3)],
            constant_values=0 if name == "padding_mask" else 1,
        )
        for name, value in x.items()
    }
    short, long = model(x), model(longer)
    real = x["padding_mask"] == 1
    for name, value in short.items():
        value, other = np.asarray(value), np.asarray(long[name])
        if head in ("token", "span"):
            value, other = value[real], other[:, : real.shape[1]][real]
        np.testing.assert_allclose(other, value, atol=1e-5)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_ways_of_pooling(hf_directory, tiny_vocabulary, tmp_path, pooling, normalize):
    config = hf_config(vocab_size=len(tiny_vocabulary))
    tensors = hf_tensors(config, prefix="")
    directory = hf_directory(config, tensors)
    x = inputs(config)
    model = kb.BertTextEmbedder.from_preset(directory, pooling=pooling, normalize=normalize)
    expected = NumpyBert(config, tensors, prefix="").embedding(pooling, normalize, **x)
    np.testing.assert_allclose(model(x)["embedding"], expected, atol=TOLERANCE)
    kb.save_preset(tmp_path / "saved", model, kb.BertTokenizer(tiny_vocabulary))
    again = kb.BertTextEmbedder.from_preset(tmp_path / "saved")
    assert (again.pooling, again.normalize) == (pooling, normalize)
    np.testing.assert_array_equal(again(x)["embedding"], model(x)["embedding"])
    with pytest.raises(ValueError, match=r"pooling must be one of mean.*received 'last'"):
        kb.BertTextEmbedder.from_preset(directory, pooling="last")


def test_what_is_pooled_is_what_can_be_written():
    assert set(token_pooling.POOLINGS) == set(POOLINGS)


def test_the_length_that_is_written_is_the_preprocessors(tiny_vocabulary, tmp_path):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), num_layers=1, hidden_dim=8, num_heads=2
    )
    model = kb.BertTextEmbedder(kb.BertBackbone(config), pooling="max")
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=24)
    for name, second, length in (("a", preprocess, 24), ("b", tokenizer, 512)):
        kb.save_preset(tmp_path / name, model, second)
        written = json.loads((tmp_path / name / "sentence_bert_config.json").read_text())
        assert written["max_seq_length"] == length


# Three of Hugging Face's classes call their head `classifier`.
FOREIGN = [
    (kb.BertTextClassifier, "BertForTokenClassification", {"labels": ["a", "b", "c"]}),
    (kb.BertTokenClassifier, "BertForSequenceClassification", {"labels": ["a", "b", "c"]}),
    (kb.BertMultipleChoice, "BertForSequenceClassification", {}),
]


@pytest.mark.parametrize("task, architecture, arguments", FOREIGN)
def test_another_tasks_head_is_not_taken(hf_directory, caplog, task, architecture, arguments):
    size = 1 if task is kb.BertMultipleChoice else 3
    config = of(architecture, id2label={str(i): f"old {i}" for i in range(size)})
    tensors = hf_tensors(config, labels=size)
    directory = hf_directory(config, tensors)
    with caplog.at_level(logging.WARNING):
        model = task.from_preset(directory, **arguments)
    assert len(caplog.records) == 1
    for word in (architecture, "classifier.weight", "this model is a BertFor", "start anew"):
        assert word in caplog.text
    kernel = model.get_weights()[-2]
    assert kernel.shape == (8, size) and np.std(kernel) > 1e-3
    assert np.abs(kernel.T - tensors["classifier.weight"]).max() > 0.1
    np.testing.assert_array_equal(
        model.backbone.pooler.dense.bias, tensors["bert.pooler.dense.bias"]
    )
    if arguments:
        message = f"no classifier of a BertFor.*but one of a {architecture}; pass labels"
        with pytest.raises(ValueError, match=message):
            task.from_preset(directory)
        # As many as the model wants, not as the other head has.
        assert task.from_preset(directory, labels=["x", "y"]).labels == ["x", "y"]


def test_heads_of_pretraining_are_shared(hf_directory, caplog):
    config = of("BertForPreTraining")
    tensors = hf_tensors(config)
    directory = hf_directory(config, tensors)
    with caplog.at_level(logging.WARNING):
        model = kb.BertNextSentence.from_preset(directory)
        kb.BertMaskedLM.from_preset(directory)
    assert not caplog.records
    x = inputs(config)
    np.testing.assert_allclose(
        model(x)["next_sentence"], NumpyBert(config, tensors).next_sentence(**x), atol=TOLERANCE
    )


def test_a_head_of_no_named_class_is_taken(hf_directory, caplog):
    """Files without `architectures` say nothing against it."""
    config = hf_config()
    tensors = hf_tensors(config)
    with caplog.at_level(logging.WARNING):
        model = kb.BertTokenClassifier.from_preset(hf_directory(config, tensors))
    assert not caplog.records
    np.testing.assert_array_equal(model.token_classifier.bias, tensors["classifier.bias"])
    assert model.labels == ["LABEL_0", "LABEL_1", "LABEL_2"]


def test_a_missing_pooler_is_drawn_where_none_is_read(hf_directory, caplog):
    """Another model on the same backbone may read it: all zeros would learn nothing."""
    config = of("BertForQuestionAnswering")
    tensors = {k: v for k, v in hf_tensors(config).items() if "pooler" not in k}
    directory = hf_directory(config, tensors)
    with caplog.at_level(logging.WARNING):
        models = [task.from_preset(directory) for task in (kb.BertSpanClassifier, kb.BertMaskedLM)]
    assert not caplog.records
    for model in models:
        assert 0.01 < np.std(model.backbone.pooler.dense.kernel) < 0.03


def test_problem_types_of_checkpoints(hf_directory, tiny_vocabulary, tmp_path):
    def problem_type(size, given=None, labels=None, **values):
        config = of("BertForSequenceClassification", vocab_size=len(tiny_vocabulary), **values)
        name = f"{size}-{given}-{len(list(tmp_path.iterdir()))}"
        directory = hf_directory(config, hf_tensors(config, labels=size), name)
        return kb.BertTextClassifier.from_preset(directory, labels=labels, problem_type=given)

    # As Hugging Face has it where nothing is written: one number is a regression.
    assert problem_type(1).problem_type == "regression"
    assert problem_type(1).labels == ["LABEL_0"]
    assert problem_type(3).problem_type == "single_label"
    multi = "multi_label_classification"
    assert problem_type(3, problem_type=multi).problem_type == "multi_label"
    assert problem_type(1, problem_type=multi, id2label={"0": "a"}).labels == ["a"]
    changed = problem_type(3, "regression", problem_type=multi)
    assert changed.problem_type == "regression" and list(changed.output) == ["regression"]
    with pytest.raises(ValueError, match=r"problem_type must be one of single_label.*'ranking'"):
        problem_type(3, "ranking")
    with pytest.raises(ValueError, match=r"config\.json: problem_type is 'ranking'"):
        problem_type(3, problem_type="ranking")
    with pytest.raises(ValueError, match="two or more different names; received"):
        problem_type(1, "single_label")
    # A new head is what its maker says, whatever stood there for one that is gone.
    config = hf_config(problem_type=multi)
    directory = hf_directory(config, hf_tensors(config, prefix=""), "encoder")
    new = kb.BertTextClassifier.from_preset(directory, labels=["a", "b"])
    assert new.problem_type == "single_label"
