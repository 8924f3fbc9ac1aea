"""Another vocabulary for a trained model: values by NumPy, old ids bit for bit, files, errors."""

import json
import logging
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from models import reference_bert as reference
from models.changed_tables import NAMES, check_the_rest, make_models, mean, value

import keras_bert as kb

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [
    "[PAD]",
    "[unused0]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[unused1]",
    *["co", "##vid", "##ics", "gene", "##om", "om", "é", "e", "-", "the", "the1"],
]
CONFIG = kb.BertConfig(
    vocabulary_size=len(VOCABULARY),
    num_layers=2,
    hidden_dim=12,
    num_heads=3,
    max_sequence_length=9,
)
PER_TOKEN = ("token_table", "masked_lm/bias")
ORDINARY = np.arange(7, len(VOCABULARY))
LOGGER = "keras_bert.models.vocabulary"


@pytest.fixture(scope="module")
def models():
    return make_models(CONFIG)


@pytest.fixture
def tokenizer():
    return kb.BertTokenizer(VOCABULARY)


def ids(*tokens):
    return [VOCABULARY.index(token) for token in tokens]


@pytest.mark.parametrize("name", NAMES)
def test_new_rows_are_the_mean_of_their_pieces(models, tokenizer, name, caplog):
    model = models[name]
    before = [weight.numpy().copy() for weight in model.weights]
    tokens = ["covid", "##omics", "genecovid", "☃"]
    new, new_tokenizer = kb.extend_vocabulary(model, tokenizer, tokens)
    assert new_tokenizer.vocabulary == VOCABULARY + tokens
    check_the_rest(model, new, PER_TOKEN, vocabulary_size=22)
    endings = ["token_table"] + ["masked_lm/bias"] * hasattr(model, "masked_lm_head")
    for ending in endings:
        old, rows = value(model, ending), value(new, ending)
        assert len(rows) == 22
        np.testing.assert_array_equal(rows[:18], old)
        np.testing.assert_array_equal(rows[18], mean(old[ids("co", "##vid")]))
        np.testing.assert_array_equal(rows[19], mean(old[ids("##om", "##ics")]))
        # "genecovid" has no continuation "##co", so nothing but [UNK] came of it; nor of "☃".
        for row in rows[20:]:
            np.testing.assert_allclose(row, mean(old[ORDINARY]), rtol=1e-6)
    assert "2 tokens are [UNK]" in caplog.text
    assert "'genecovid', '☃'" in caplog.text
    # What was given is as it was.
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    assert tokenizer.vocabulary == VOCABULARY


@pytest.mark.parametrize("name", NAMES)
def test_old_ids_give_the_same_outputs(models, tokenizer, name):
    model = models[name]
    new, _ = kb.extend_vocabulary(model, tokenizer, ["covid", "##omics"])
    inputs = reference.example_inputs(CONFIG)
    inputs = {key: inputs[key] for key in model.input}
    outputs = new(inputs)
    for key, expected in model(inputs).items():
        found = np.asarray(outputs[key])
        if key == "masked_lm":
            assert found.shape[-1] == 20
            # A product with a wider table may add in another order.
            np.testing.assert_allclose(found[..., :18], expected, atol=1e-5)
        else:
            np.testing.assert_array_equal(found, np.asarray(expected))


def test_masked_lm_logits_of_a_new_token_are_the_mean_of_its_pieces(models, tokenizer):
    model = models["pretrainer"]
    new, _ = kb.extend_vocabulary(model, tokenizer, ["covid"])
    inputs = reference.example_inputs(CONFIG)
    logits = np.asarray(new(inputs)["masked_lm"])
    expected = logits[..., ids("co", "##vid")].mean(-1)
    np.testing.assert_allclose(logits[..., 18], expected, atol=1e-4)
    assert np.std(expected) > 0.1


def test_the_new_tokenizer_keeps_the_words_whole(models):
    options = {"lowercase": False, "strip_accents": True}
    tokenizer = kb.BertTokenizer(VOCABULARY, **options)
    text = "the covid geneomics omvidomics é Covid"
    assert tokenizer.tokenize_to_strings(text) == [
        *["the", "co", "##vid", "gene", "##om", "##ics"],
        *["om", "##vid", "##om", "##ics", "e", "[UNK]"],
    ]
    _, new = kb.extend_vocabulary(models["backbone"], tokenizer, ["covid", "genom", "##vidomics"])
    assert (new.lowercase, new.strip_accents) == (False, True)
    assert new.tokenize_to_strings(text) == [
        *["the", "covid", "gene", "##om", "##ics", "om", "##vidomics", "e", "[UNK]"]
    ]
    assert new(["covid"]).to_list() == [[18]]


def test_unused_entries_are_taken_first(models, tokenizer):
    model = models["pretrainer"]
    one, one_tokenizer = kb.extend_vocabulary(model, tokenizer, ["covid"], reuse_unused=True)
    assert one_tokenizer.vocabulary[1] == "covid"
    assert one_tokenizer.vocabulary[6] == "[unused1]"
    assert one.config == model.config
    three, three_tokenizer = kb.extend_vocabulary(
        model, tokenizer, ["covid", "##omics", "theom"], reuse_unused=True
    )
    assert three_tokenizer.vocabulary == [
        *["[PAD]", "covid", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##omics"],
        *[*VOCABULARY[7:], "theom"],
    ]
    check_the_rest(model, three, PER_TOKEN, vocabulary_size=19)
    for ending in PER_TOKEN:
        old, rows = value(model, ending), value(three, ending)
        np.testing.assert_array_equal(rows[1], mean(old[ids("co", "##vid")]))
        np.testing.assert_array_equal(rows[6], mean(old[ids("##om", "##ics")]))
        np.testing.assert_array_equal(rows[18], mean(old[ids("the", "##om")]))
        kept = [i for i in range(18) if i not in (1, 6)]
        np.testing.assert_array_equal(rows[kept], old[kept])
    assert np.abs(value(one, PER_TOKEN[0]) - value(model, PER_TOKEN[0])).max(-1).nonzero()[0] == [1]


def test_no_tokens_make_a_copy(models, tokenizer):
    new, new_tokenizer = kb.extend_vocabulary(models["pretrainer"], tokenizer, [])
    check_the_rest(models["pretrainer"], new, ())
    assert new_tokenizer.vocabulary == VOCABULARY


@pytest.mark.parametrize("name", NAMES)
def test_another_vocabulary_keeps_what_both_hold(models, tokenizer, name, caplog):
    vocabulary = [*SPECIAL, "the", "##vid", "covid", "##omics", "Covid", "naïve", "om"]
    new_tokenizer = kb.BertTokenizer(vocabulary, lowercase=False)
    model = models[name]
    with caplog.at_level(logging.INFO, LOGGER):
        new = kb.replace_vocabulary(model, tokenizer, new_tokenizer)
    assert (
        "vocabulary of 12 tokens: 8 were there before, 3 are the mean of their pieces, 1 that of "
        "all ordinary tokens" in caplog.text
    )
    assert "'naïve'" in caplog.text
    check_the_rest(model, new, PER_TOKEN, vocabulary_size=12)
    endings = ["token_table"] + ["masked_lm/bias"] * hasattr(model, "masked_lm_head")
    for ending in endings:
        old, rows = value(model, ending), value(new, ending)
        assert len(rows) == 12
        shared = [*range(7), 11]
        np.testing.assert_array_equal(rows[shared], old[ids(*(vocabulary[i] for i in shared))])
        for i, pieces in {7: ["co", "##vid"], 8: ["##om", "##ics"], 9: ["co", "##vid"]}.items():
            np.testing.assert_array_equal(rows[i], mean(old[ids(*pieces)]))
        np.testing.assert_allclose(rows[10], mean(old[ORDINARY]), rtol=1e-6)


def test_there_and_back_is_where_it_was(models, tokenizer):
    model = models["pretrainer"]
    shuffled = kb.BertTokenizer(list(np.random.default_rng(1).permutation(VOCABULARY)))
    assert shuffled.vocabulary != VOCABULARY
    there = kb.replace_vocabulary(model, tokenizer, shuffled)
    assert np.abs(value(there, "token_table") - value(model, "token_table")).max() > 0.1
    check_the_rest(model, kb.replace_vocabulary(there, shuffled, tokenizer), ())


def test_pieces_inside_a_word_are_those_of_the_middle(models):
    """Whatever begins a word is no part of it, though the vocabulary has words of that letter."""
    vocabulary = [*SPECIAL, "ᚠ", "ᚠᚠ", "##om", "ᚠom", "om", "'", "s"]
    tokenizer = kb.BertTokenizer(vocabulary)
    config = CONFIG.replace(vocabulary_size=len(vocabulary))
    model = reference.randomize(kb.BertBackbone(config))
    wanted = kb.BertTokenizer([*SPECIAL, "##omom", "##'s"])
    old = value(model, "token_table")
    rows = value(kb.replace_vocabulary(model, tokenizer, wanted), "token_table")
    np.testing.assert_array_equal(rows[5], mean(old[[7, 7]]))
    np.testing.assert_array_equal(rows[6], mean(old[[10, 11]]))


def test_frozen_stays_frozen(tokenizer):
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    model.backbone.embeddings.trainable = False
    model.backbone.encoder_layers[1].trainable = False
    new, _ = kb.extend_vocabulary(model, tokenizer, ["covid"])
    paths = [weight.path for weight in new.trainable_weights]
    assert paths == [weight.path for weight in model.trainable_weights]
    assert any("encoder_layer_0" in path for path in paths)
    for layer in (new.backbone.embeddings, new.backbone.encoder_layers[1]):
        assert not layer.trainable
        layer.trainable = True
    assert len(new.trainable_weights) == len(new.weights) > len(paths)
    model.backbone.trainable = False
    new, _ = kb.extend_vocabulary(model, tokenizer, ["covid"])
    assert [weight.path for weight in new.trainable_weights] == [
        *["classification/kernel", "classification/bias"]
    ]


def test_the_new_model_trains_and_the_old_one_does_not_notice(models, tokenizer):
    model = models["pretrainer"]
    new, _ = kb.extend_vocabulary(model, tokenizer, ["covid"])
    before = [weight.numpy().copy() for weight in model.weights]
    new.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
    inputs = reference.example_inputs(new.config, rows=4)
    labels = {"masked_lm": np.full((4, 2), 18), "next_sentence": np.array([0, 1, 1, 0])}
    new.fit(inputs, labels, verbose=0)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    assert np.abs(value(new, "token_table")[:18] - value(model, "token_table")).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("backbone", kb.BertBackbone),
        ("pretrainer", kb.BertPretrainer),
        ("masked_lm", kb.BertMaskedLM),
        ("classifier", kb.BertTextClassifier),
    ],
)
def test_it_goes_through_files(models, tokenizer, tmp_path, name, read):
    new, new_tokenizer = kb.extend_vocabulary(models[name], tokenizer, ["covid", "##omics"])
    kb.save_preset(tmp_path / "model", new, new_tokenizer)
    assert kb.BertTokenizer.from_preset(tmp_path / "model").vocabulary == new_tokenizer.vocabulary
    again = read.from_preset(tmp_path / "model")
    assert again.config == new.config
    for ending in ("token_table", *PER_TOKEN[1:] * hasattr(new, "masked_lm_head")):
        np.testing.assert_array_equal(value(again, ending), value(new, ending))
    new.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for old, weight in zip(new.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old.numpy())


def test_precision_stays(models, tokenizer):
    new, _ = kb.extend_vocabulary(models["masked_lm"], tokenizer, ["covid"])
    assert new.backbone.embeddings.dtype_policy.name == "mixed_bfloat16"
    assert new.masked_lm_head.compute_dtype == "bfloat16"
    assert new.backbone.embeddings.token_table.dtype == "float32"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["covid", "gene", "om"], "'gene', 'om': in the vocabulary already"),
        (["[unused1]"], "in the vocabulary already"),
        (["covid", "theom", "covid"], "'covid': given twice"),
        (["Covid"], r"'Covid' \(it makes 'co ##vid'\)"),
        (["the-om"], r"'the-om' \(it makes 'the - om'\)"),
        (["the om"], r"'the om' \(it makes 'the om'\)"),
        (["##é"], "strip_accents=True"),
        (["##-"], r"'##-' \(it makes '-'\)"),
        (["[E1]"], "no text gives the tokenizer these tokens"),
        (["##"], r"'##' \(it makes"),
        ([""], r"'' \(it makes 'nothing'\)"),
    ],
)
def test_tokens_that_cannot_be_added(models, tokenizer, tokens, message):
    with pytest.raises(ValueError, match=message):
        kb.extend_vocabulary(models["backbone"], tokenizer, tokens)


def test_wrong_arguments(models, tokenizer):
    with pytest.raises(TypeError, match="must be a list of str; received 'covid'"):
        kb.extend_vocabulary(models["backbone"], tokenizer, "covid")
    with pytest.raises(TypeError, match="must be str; received 7"):
        kb.extend_vocabulary(models["backbone"], tokenizer, ["covid", 7])
    other = kb.BertTokenizer([*SPECIAL, "the"])
    for change in (
        lambda: kb.extend_vocabulary(models["backbone"], other, ["covid"]),
        lambda: kb.replace_vocabulary(models["backbone"], other, tokenizer),
    ):
        with pytest.raises(ValueError, match="the tokenizer has 6 tokens"):
            change()
    for change in (
        lambda model: kb.extend_vocabulary(model, tokenizer, ["covid"]),
        lambda model: kb.replace_vocabulary(model, tokenizer, other),
    ):
        with pytest.raises(ValueError, match="task model on one; received Functional"):
            change(models["backbone"].internals())


def test_a_model_that_does_not_tell_its_arguments_is_refused(tokenizer):
    class Deeper(kb.BertBackbone):
        def __init__(self, config, deeper=True, **kwargs):
            super().__init__(config.replace(num_layers=3) if deeper else config, **kwargs)

        @classmethod
        def from_config(cls, config):
            config = kb.BertConfig.from_dict({**config["config"].to_dict(), "num_layers": 1})
            return kb.BertBackbone(config)

    with pytest.raises(ValueError, match="expected that get_config\\(\\) returns all"):
        kb.extend_vocabulary(Deeper(CONFIG), tokenizer, ["covid"])


@pytest.mark.slow
def test_on_jax(models, tokenizer, tmp_path):
    pytest.importorskip("jax")
    model = models["variant_pretrainer"]
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **reference.example_inputs(CONFIG, rows=4))
    (tmp_path / "vocabulary.json").write_text(json.dumps(VOCABULARY))
    script = pathlib.Path(__file__).parent / "changed_tables_on_jax.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = np.load(tmp_path / "outputs.npz")
    assert outputs["backend"] == "jax"
    assert outputs["moved"].max() > 1e-4
    here, _ = kb.extend_vocabulary(model, tokenizer, ["covid", "##omics"])
    np.testing.assert_array_equal(outputs["token_table"], value(here, "token_table"))
    np.testing.assert_array_equal(outputs["bias"], value(here, "masked_lm/bias"))
    np.testing.assert_array_equal(outputs["back"], value(model, "token_table"))
    longer = value(kb.lengthen(model, 30), "position_table")
    np.testing.assert_array_equal(outputs["position_table"], longer)
