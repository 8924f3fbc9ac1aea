"""Thresholds and the name of what is out of scope are part of a classifier, wherever it is kept."""

import json

import keras
import pytest
from models.head_models import CONFIG

import keras_bert as kb

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
KINDS = [
    {"problem_type": "multi_label", "thresholds": [0.25, 0.75]},
    {"problem_type": "multi_label"},
    {"out_of_scope": "oos", "thresholds": 0.625},
    {"out_of_scope": "无"},
    {"problem_type": "regression"},
    {},
]


@pytest.mark.parametrize("arguments", KINDS, ids=str)
def test_kept_in_folders_and_keras_files(arguments, tmp_path):
    backbone = kb.BertBackbone(CONFIG.replace(vocabulary_size=6))
    model = kb.BertTextClassifier(backbone, ["a", "b"], **arguments)
    kb.save_preset(tmp_path / "model", model, kb.BertTokenizer(SPECIAL))
    model.save(tmp_path / "model.keras")
    expected = {
        "multi_label": arguments.get("thresholds", [0.5, 0.5]),
        "single_label": [arguments.get("thresholds", 0.0)] * 2
        if "out_of_scope" in arguments
        else None,
        "regression": None,
    }[model.problem_type]
    for again in (
        model,
        kb.model_from_preset(tmp_path / "model"),
        keras.models.load_model(tmp_path / "model.keras"),
        kb.BertTextClassifier.from_config(json.loads(json.dumps(model.get_config()))),
    ):
        assert again.thresholds == expected
        assert again.out_of_scope == arguments.get("out_of_scope")
        assert again.problem_type == arguments.get("problem_type", "single_label")
    values = json.loads((tmp_path / "model/config.json").read_text())
    assert values.get("thresholds") == expected and values["model_type"] == "bert"


def test_thresholds_that_are_set_later_are_kept(tmp_path):
    backbone = kb.BertBackbone(CONFIG.replace(vocabulary_size=6))
    model = kb.BertTextClassifier(backbone, ["a", "b"], problem_type="multi_label")
    model.thresholds = [0.1, 0.9]
    kb.save_preset(tmp_path / "model", model, kb.BertTokenizer(SPECIAL))
    assert kb.BertTextClassifier.from_preset(tmp_path / "model").thresholds == [0.1, 0.9]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"thresholds": 0.5}, "thresholds are for problem_type='multi_label'"),
        ({"problem_type": "regression", "thresholds": 0.5}, "thresholds are for"),
        ({"problem_type": "multi_label", "thresholds": [0.5]}, "one for each of 2 labels"),
        ({"problem_type": "multi_label", "thresholds": 1.5}, r"thresholds in \[0, 1\]"),
        ({"problem_type": "multi_label", "out_of_scope": "oos"}, "out_of_scope is the name of"),
        ({"out_of_scope": "a"}, "out_of_scope is the name of texts of none"),
    ],
)
def test_what_means_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"], **arguments)
