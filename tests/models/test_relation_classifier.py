"""Relations: logits against NumPy, folders, and what no other class may take them for."""

import json

import numpy as np
import pytest
from models.head_models import CONFIG, arrays, make

import keras_bert as kb


def test_logits_are_those_of_the_joined_vectors():
    model = make("relation")
    x = arrays("relation", 5)[0]
    assert len({*map(tuple, x["entity_positions"].tolist())}) > 3
    backbone = {name: value for name, value in x.items() if name != "entity_positions"}
    vectors = np.asarray(model.backbone(backbone)["sequence_output"])
    rows = np.arange(5)
    first, second = x["entity_positions"].T
    joined = np.concatenate([vectors[rows, first], vectors[rows, second]], axis=1)
    kernel, bias = model.relation_classifier.get_weights()
    expected = joined @ kernel + bias
    assert expected.std() > 0.01
    np.testing.assert_allclose(model(x)["relation"], expected, atol=1e-5)


def test_a_position_beyond_its_row_is_an_error():
    model = make("relation")
    x = arrays("relation", 2)[0]
    x["entity_positions"][0, 1] = x["token_ids"].shape[1]
    with pytest.raises(ValueError, match="outside the embedding table, or a mask position"):
        model.predict(x, verbose=0)


@pytest.fixture
def folder(tmp_path):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstu"]
    preprocess = kb.RelationPreprocessor(kb.BertTokenizer(vocabulary), sequence_length=9)
    assert preprocess.tokenizer.vocabulary_size == CONFIG.vocabulary_size
    model = make("relation")
    kb.save_preset(tmp_path / "model", model, preprocess, verify=True)
    return tmp_path / "model", model, preprocess


def test_a_folder_gives_back_model_and_marks(folder):
    path, model, _ = folder
    again = kb.model_from_preset(path)
    assert type(again) is kb.BertRelationClassifier
    assert again.labels == model.labels and again.dropout_rate == model.dropout_rate
    x = kb.RelationPreprocessor.from_preset(path)(
        ["<e1>a</e1> b <e2>c</e2>", "<e2>d</e2><e1>e</e1>"]
    )
    assert x["entity_positions"].numpy().tolist() == [[1, 5], [4, 1]]
    np.testing.assert_array_equal(again(x)["relation"], model(x)["relation"])
    values = json.loads((path / "config.json").read_text())
    assert (values["model_type"], values["architectures"]) == (
        "keras_bert",
        ["BertRelationClassifier"],
    )
    with pytest.raises(ValueError, match="has a classifier of 3 outputs"):
        kb.BertRelationClassifier.from_preset(path, labels=["x", "y"])


def test_other_classes_start_anew_on_it(folder, caplog):
    path, model, _ = folder
    other = kb.BertTextClassifier.from_preset(path, labels=["x", "y"])
    assert "start anew" in caplog.text
    np.testing.assert_array_equal(
        other.backbone.embeddings.token_table, model.backbone.embeddings.token_table
    )
    with pytest.raises(ValueError, match="has no classifier"):
        kb.BertTextClassifier.from_preset(path)


def test_transformers_refuses_it(folder):
    transformers = pytest.importorskip("transformers")
    with pytest.raises((ValueError, KeyError), match="keras_bert"):
        transformers.AutoConfig.from_pretrained(folder[0])
