"""config.json says to Hugging Face what BertConfig says here, and the other way round."""

import json

import pytest
from numpy_bert import hf_config

import keras_bert as kb
from keras_bert.checkpoints import config_file
from keras_bert.checkpoints.source import Source


@pytest.fixture
def directory_with(tmp_path):
    def write(text):
        (tmp_path / "config.json").write_text(
            text if isinstance(text, str) else json.dumps(text), encoding="utf-8"
        )
        return tmp_path

    return write


def read(directory):
    path, values = config_file.read_json(directory)
    return config_file.config_of(values, path)


def labels(directory):
    path, values = config_file.read_json(directory)
    return config_file.labels_of(Source("huggingface", directory, None, path, None, values))


def test_every_field_is_read(directory_with):
    values = hf_config(layer_norm_eps=1e-7, initializer_range=0.01, hidden_act="gelu_new")
    assert read(directory_with(values)) == kb.BertConfig(
        vocabulary_size=23,
        hidden_dim=8,
        num_layers=2,
        num_heads=2,
        intermediate_dim=12,
        num_segments=2,
        max_sequence_length=10,
        dropout=0.1,
        attention_dropout=0.2,
        layer_norm_epsilon=1e-7,
        initializer_range=0.01,
        activation="gelu_tanh",
    )


def test_defaults_are_hugging_faces(directory_with):
    assert read(directory_with({"model_type": "bert"})) == kb.BertConfig()


@pytest.mark.parametrize(
    "theirs, ours",
    [("gelu", "gelu"), ("gelu_new", "gelu_tanh"), ("gelu_pytorch_tanh", "gelu_tanh"),
     ("relu", "relu"), ("swish", "silu"), ("silu", "silu"), ("tanh", "tanh")],
)  # fmt: skip
def test_activations(directory_with, theirs, ours):
    config = read(directory_with(hf_config(hidden_act=theirs)))
    assert config.activation == ours
    written = config_file.config_values(config, "BertModel")
    assert read(directory_with(written)) == config


@pytest.mark.parametrize(
    "values, message",
    [
        (hf_config(model_type="roberta"), "model_type is 'roberta'"),
        (hf_config(model_type="distilbert"), "model_type is 'distilbert'"),
        ({"hidden_size": 8}, "model_type is None"),
        (hf_config(hidden_act="mish"), "hidden_act is 'mish'"),
        (hf_config(position_embedding_type="relative_key"), "position_embedding_type"),
        (hf_config(is_decoder=True), "is_decoder"),
        (hf_config(num_attention_heads=3), r"config\.json: .*num_heads"),
        (hf_config(vocab_size="many"), r"config\.json: .*vocabulary_size"),
        ("{", r"config\.json is not JSON"),
        ("[]", "expected a JSON object"),
    ],
)
def test_what_is_no_bert_of_ours_is_refused(directory_with, values, message):
    with pytest.raises(ValueError, match=message):
        read(directory_with(values))


def test_missing_folder_and_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such model directory"):
        read(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        read(tmp_path)


@pytest.mark.parametrize(
    "variant", [{"pre_norm": True}, {"share_layers": True}, {"embedding_dim": 4}]
)
def test_variants_hugging_face_lacks_carry_a_type_it_refuses(directory_with, variant):
    config = kb.BertConfig(hidden_dim=8, num_heads=2, num_layers=2, **variant)
    written = config_file.config_values(config, "BertModel")
    assert written["model_type"] == "keras_bert"
    assert read(directory_with(written)) == config
    plain = config_file.config_values(kb.BertConfig(hidden_dim=8, num_heads=2), "BertModel")
    assert plain["model_type"] == "bert"
    assert not set(variant) & set(plain)


def test_a_head_hugging_face_lacks(directory_with):
    """It matters where there is such a head, and is kept where there is none."""
    head = {"head_activation": "gelu", "head_layer_norm_epsilon": 1e-5}
    config = kb.BertConfig(hidden_dim=8, num_heads=2, activation="gelu_tanh", **head)
    kinds = {"BertForMaskedLM": "keras_bert", "BertForPreTraining": "keras_bert"}
    for architecture in (*kinds, "BertModel", "BertForSequenceClassification"):
        written = config_file.config_values(config, architecture)
        assert written["model_type"] == kinds.get(architecture, "bert")
        assert read(directory_with(written)) == config
    plain = config_file.config_values(config.replace(**dict.fromkeys(head)), "BertForMaskedLM")
    assert plain["model_type"] == "bert"
    assert not set(head) & set(plain)


def test_labels_stand_in_the_order_of_their_numbers(directory_with):
    names = {str(number): f"class {number}" for number in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9)}
    directory = directory_with(hf_config(id2label=names))
    assert labels(directory) == [f"class {number}" for number in range(11)]
    assert labels(directory_with(hf_config())) is None
    for wrong in ({"0": "a", "2": "b"}, {"a": "0"}, ["a", "b"]):
        with pytest.raises(ValueError, match="number the classes from 0"):
            labels(directory_with(hf_config(id2label=wrong)))


def test_problem_types(directory_with):
    def read_type(**values):
        path, values = config_file.read_json(directory_with(hf_config(**values)))
        source = Source("huggingface", "", None, path, None, values)
        return config_file.problem_type_of(source)

    for ours, theirs in config_file.PROBLEM_TYPES.items():
        assert read_type(problem_type=theirs) == ours
        written = config_file.config_values(kb.BertConfig(), "x", ["a"], problem_type=ours)
        assert written["problem_type"] == theirs
    assert read_type() is None and read_type(problem_type=None) is None
    for wrong in ("single_label", "ranking", 3):
        with pytest.raises(ValueError, match=r"config\.json: problem_type is .*; expected one of"):
            read_type(problem_type=wrong)
