"""BertConfig: what it accepts, refuses, writes and reads; the sizes of Google's models."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.config import ACTIVATIONS, NAMED_SIZES, VOCABULARY_SIZES, BertConfig


def parameters(config):
    """The parameters of a backbone, summed part by part from the paper's description."""
    h, e, inner = config.hidden_dim, config.embedding_dim, config.intermediate_dim
    tables = (config.vocabulary_size + config.num_segments + config.max_sequence_length) * e
    embeddings = tables + 2 * e + (0 if e == h else e * h + h)
    attention = 4 * (h * h + h) + 2 * h
    feed_forward = h * inner + inner + inner * h + h + 2 * h
    layers = 1 if config.share_layers else config.num_layers
    final_norm = 2 * h if config.pre_norm else 0
    return embeddings + layers * (attention + feed_forward) + final_norm + h * h + h


@st.composite
def configs(draw):
    num_heads = draw(st.integers(1, 16))
    hidden_dim = num_heads * draw(st.integers(1, 64))
    rate = st.floats(0, 1, exclude_max=True)
    positive = st.floats(0, 10, exclude_min=True)
    size = st.integers(1, 10**9)
    return BertConfig(
        vocabulary_size=draw(size),
        num_layers=draw(size),
        hidden_dim=hidden_dim,
        num_heads=num_heads,
        intermediate_dim=draw(st.none() | size),
        num_segments=draw(size),
        max_sequence_length=draw(size),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        dropout=draw(rate | st.just(0)),
        attention_dropout=draw(rate),
        layer_norm_epsilon=draw(positive),
        initializer_range=draw(positive),
        pre_norm=draw(st.booleans()),
        share_layers=draw(st.booleans()),
        embedding_dim=draw(st.none() | st.integers(1, hidden_dim)),
        head_activation=draw(st.none() | st.sampled_from(ACTIVATIONS)),
        head_layer_norm_epsilon=draw(st.none() | positive),
    )


@given(configs())
@settings(max_examples=200, deadline=None)
def test_every_config_survives_json_and_dict(config):
    text = config.to_json()
    assert BertConfig.from_json(text) == config
    assert BertConfig.from_dict(config.to_dict()) == config
    # Written values are plain: another JSON reader sees the same.
    assert BertConfig.from_dict(json.loads(json.dumps(json.loads(text)))) == config
    assert list(json.loads(text)) == [field.name for field in dataclasses.fields(config)]


def test_load_reads_what_to_json_wrote(tmp_path):
    config = BertConfig.named("mini", vocabulary_size=77, activation="gelu_tanh", pre_norm=True)
    path = tmp_path / "config.json"
    path.write_text(config.to_json(), encoding="utf-8")
    assert BertConfig.load(path) == config
    assert BertConfig.load(str(path)) == config


def test_frozen_and_hashable():
    config = BertConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden_dim = 3
    assert len({config, BertConfig(), BertConfig(num_layers=3)}) == 2


def test_defaults_are_bert_base_uncased():
    config = BertConfig()
    assert config == BertConfig.named("base", vocabulary_size=30_522)
    assert (config.intermediate_dim, config.embedding_dim) == (3_072, 768)
    assert (config.max_sequence_length, config.num_segments) == (512, 2)
    assert (config.dropout, config.attention_dropout) == (0.1, 0.1)
    assert (config.layer_norm_epsilon, config.initializer_range) == (1e-12, 0.02)
    assert config.activation == "gelu"
    assert not config.pre_norm and not config.share_layers


@pytest.mark.parametrize(
    ("name", "layers", "hidden", "heads"),
    [
        ("tiny", 2, 128, 2),
        ("mini", 4, 256, 4),
        ("small", 4, 512, 8),
        ("medium", 8, 512, 8),
        ("base", 12, 768, 12),
        ("large", 24, 1024, 16),
    ],
)
def test_named_sizes_are_googles(name, layers, hidden, heads):
    config = BertConfig.named(name, num_segments=3)
    assert (config.num_layers, config.hidden_dim, config.num_heads) == (layers, hidden, heads)
    assert (config.intermediate_dim, config.num_segments) == (4 * hidden, 3)
    assert len(NAMED_SIZES) == 6


def test_vocabulary_sizes_are_googles():
    assert VOCABULARY_SIZES == {
        "uncased": 30_522,
        "cased": 28_996,
        "chinese": 21_128,
        "multilingual_cased": 119_547,
    }


def test_parameters_of_base_and_large():
    assert parameters(BertConfig.named("base")) == 109_482_240
    assert parameters(BertConfig.named("large")) == 335_141_888


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *[
            ({name: value}, f"{name} must be a positive int; received {value!r}")
            for name in (
                "vocabulary_size",
                "num_layers",
                "hidden_dim",
                "num_heads",
                "intermediate_dim",
                "num_segments",
                "max_sequence_length",
                "embedding_dim",
            )
            for value in (0, -1, 2.0, "3", True)
        ],
        ({"hidden_dim": None}, "hidden_dim must be a positive int"),
        *[
            ({name: value}, f"{name} must be at least 0 and less than 1; received {value!r}")
            for name in ("dropout", "attention_dropout")
            for value in (1.0, -0.1, float("nan"), "0.1", False, None)
        ],
        *[
            ({name: value}, f"{name} must be a positive number; received {value!r}")
            for name in ("layer_norm_epsilon", "head_layer_norm_epsilon", "initializer_range")
            for value in (0.0, -1e-12, float("nan"), float("inf"), "1", True)
        ],
        ({"pre_norm": 1}, "pre_norm must be True or False; received 1"),
        ({"share_layers": "yes"}, "share_layers must be True or False; received 'yes'"),
        ({"activation": "gelu_new"}, "activation must be one of gelu, gelu_tanh, relu"),
        ({"head_activation": "gelu_new"}, "head_activation must be one of gelu, gelu_tanh, relu"),
        ({"activation": ["gelu"]}, "received \\['gelu'\\]"),
        ({"hidden_dim": 100, "num_heads": 12}, "num_heads=12 and hidden_dim=100, which leaves 4"),
        ({"embedding_dim": 769}, "embedding_dim must be at most hidden_dim \\(768\\)"),
    ],
)
def test_wrong_values_are_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        BertConfig(**wrong)


def test_unknown_keys_and_names_are_refused():
    with pytest.raises(ValueError, match="unknown keys hidden_size, vocab_size; known are activ"):
        BertConfig.from_dict({"vocab_size": 3, "hidden_size": 4, "num_layers": 1})
    with pytest.raises(ValueError, match="expected a JSON object; received list"):
        BertConfig.from_json("[1]")
    with pytest.raises(ValueError, match="expected a JSON object; the text is no JSON: Expecting"):
        BertConfig.from_json("{")
    with pytest.raises(ValueError, match="tiny, mini, small, medium, base, large; received 'huge'"):
        BertConfig.named("huge")
    with pytest.raises(TypeError, match="hidden_size"):
        BertConfig.named("tiny", hidden_size=3)
    with pytest.raises(TypeError):
        BertConfig(30_522)  # by keyword only: the order of fields means nothing


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "bert_config.json"
    for text, message in (("{", "the text is no JSON"), ('{"layers": 3}', "unknown keys layers")):
        path.write_text(text)
        with pytest.raises(ValueError, match=f"^{path}: .*{message}"):
            BertConfig.load(path)


def test_the_head_follows_the_encoder_until_it_is_set():
    base = BertConfig(activation="relu", layer_norm_epsilon=1e-5)
    assert (base.head_activation, base.head_layer_norm_epsilon) == ("relu", 1e-5)
    assert base == BertConfig(
        activation="relu",
        layer_norm_epsilon=1e-5,
        head_activation="relu",
        head_layer_norm_epsilon=1e-5,
    )
    changed = base.replace(activation="tanh", layer_norm_epsilon=1e-7)
    assert (changed.head_activation, changed.head_layer_norm_epsilon) == ("tanh", 1e-7)
    keras_hubs = BertConfig(
        activation="gelu_tanh", head_activation="gelu", head_layer_norm_epsilon=1e-5
    )
    assert keras_hubs.activation == "gelu_tanh" and keras_hubs.layer_norm_epsilon == 1e-12
    changed = keras_hubs.replace(activation="silu", layer_norm_epsilon=1e-7)
    assert (changed.head_activation, changed.head_layer_norm_epsilon) == ("gelu", 1e-5)
    assert keras_hubs != keras_hubs.replace(head_activation=None)


def test_replace_checks_again_and_lets_sizes_follow():
    base = BertConfig.named("base")
    assert base.replace(hidden_dim=1024, num_heads=16, num_layers=24) == BertConfig.named("large")
    assert base.replace(hidden_dim=240).embedding_dim == 240
    albert = base.replace(embedding_dim=128, intermediate_dim=1_000)
    assert albert.replace(hidden_dim=480).embedding_dim == 128
    assert albert.replace(hidden_dim=480).intermediate_dim == 1_000
    assert base.replace(hidden_dim=240, intermediate_dim=7).intermediate_dim == 7
    with pytest.raises(ValueError, match="num_heads must divide"):
        base.replace(num_heads=5)
    assert base == BertConfig()
