"""A token classifier with a CRF: what it learns that one without does not, and its files."""

import json
import logging

import keras
import numpy as np
import pytest
from models.head_models import CONFIG, arrays, difference, make
from safetensors.numpy import load_file

import keras_bert as kb
from keras_bert.training import chains


def persistent_labels(rows, seed):
    """A mark sets the label of all that follows it; all other words are one word."""
    rng = np.random.default_rng(seed)
    marks = np.where(rng.random((rows, 9)) < 0.3, rng.integers(0, 2, (rows, 9)), -1)
    marks[:, 0] = rng.integers(0, 2, rows)
    labels = marks.copy()
    for place in range(1, 9):
        labels[:, place] = np.where(marks[:, place] < 0, labels[:, place - 1], marks[:, place])
    real = np.arange(9) < rng.integers(5, 10, (rows, 1))
    x = {"token_ids": (marks + 6) * real, "segment_ids": 0 * marks, "padding_mask": real}
    y, w = {"token_classification": labels}, {"token_classification": real.astype("float32")}
    return {key: value.astype("int32") for key, value in x.items()}, y, w


@pytest.mark.slow
def test_labels_that_follow_from_those_before_them():
    """With an encoder that is not trained; without the chain the words say too little."""
    train, dev = persistent_labels(96, seed=0), persistent_labels(64, seed=1)
    accuracy = {}
    for crf in (False, True):
        keras.utils.set_random_seed(0)
        model = kb.BertTokenClassifier(kb.BertBackbone(CONFIG), ["a", "b"], crf=crf)
        kb.freeze(model, layers=1, embeddings=True)
        optimizer = kb.optimizers.adamw(3e-2, crf_learning_rate=1e-1)
        model.compile(optimizer, **kb.losses.token_classification(crf=crf))
        x, y, w = train
        model.fit(x, y, sample_weight=w, epochs=40, batch_size=16, verbose=0)
        x, y, w = dev
        logs = model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)
        accuracy[crf] = logs["accuracy"]
    assert accuracy[True] > 0.85 > accuracy[False] + 0.1, accuracy
    # Staying is what it has learned.
    stay = np.asarray(model.crf.transitions)
    assert np.diag(stay).min() > stay[0, 1] + 1 and np.diag(stay).min() > stay[1, 0] + 1


def test_the_files_keep_the_chain(tmp_path, tiny_vocabulary, caplog):
    config = CONFIG.replace(vocabulary_size=len(tiny_vocabulary))
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    model = kb.BertTokenClassifier(kb.BertBackbone(config), ["O", "B", "I"], crf=True)
    rng = np.random.default_rng(0)
    model.set_weights([weight + rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    kb.save_preset(tmp_path / "chain", model, tokenizer, verify=True)
    again = kb.model_from_preset(tmp_path / "chain")
    assert type(again) is kb.BertTokenClassifier and again.crf is not None
    assert difference(again.crf, model.crf) == 0
    x = arrays("token", 4)[0]
    np.testing.assert_array_equal(
        again(x)["token_classification"], model(x)["token_classification"]
    )
    values = json.loads((tmp_path / "chain/config.json").read_text())
    assert values["crf"] is True and values["architectures"] == ["BertForTokenClassification"]
    tensors = load_file(tmp_path / "chain/model.safetensors")
    np.testing.assert_array_equal(tensors["crf.transitions"], model.crf.transitions)
    assert tensors["crf.start"].shape == tensors["crf.end"].shape == (3,)
    # A table that grows leaves the chain as it is.
    longer = kb.lengthen(model, 12)
    assert difference(longer.crf, model.crf) == 0

    plain = kb.BertTokenClassifier.from_preset(tmp_path / "chain", crf=False)
    np.testing.assert_array_equal(
        plain(x)["token_classification"], model(x)["token_classification"][:, :-5]
    )
    kb.save_preset(tmp_path / "plain", plain, tokenizer)
    assert "crf" not in json.loads((tmp_path / "plain/config.json").read_text())
    assert kb.model_from_preset(tmp_path / "plain").crf is None
    with caplog.at_level(logging.WARNING):
        new = kb.BertTokenClassifier.from_preset(tmp_path / "plain", crf=True)
    assert "crf.transitions, crf.start, crf.end: these start anew" in caplog.text
    np.testing.assert_array_equal(new.crf.transitions, np.zeros((3, 3)))


def test_bfloat16_leaves_the_chain_in_float32():
    model = make("chain", dtype="mixed_bfloat16")
    x, y, w = arrays("chain", 6)
    assert model.crf.compute_dtype == "float32"
    assert {weight.dtype for weight in model.crf.weights} == {"float32"}
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.token_classification(crf=True))
    before = np.asarray(model.crf.transitions)
    logs = model.fit(x, y, sample_weight=w, epochs=4, verbose=0).history
    assert logs["loss"][-1] < logs["loss"][0]
    assert np.abs(np.asarray(model.crf.transitions) - before).max() > 1e-2


def test_what_does_not_go_together():
    model, plain = make("chain"), make("token")
    x, y, w = arrays("chain", 4)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.token_classification())
    with pytest.raises(ValueError, match=r"kb.losses.token_classification\(crf=True\)"):
        model.fit(x, y, sample_weight=w, verbose=0)
    with pytest.raises(ValueError, match=r"expected the output of .* crf=True"):
        chains.decode(plain(x)["token_classification"], x["padding_mask"])
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.token_classification(crf=True))
    with pytest.raises(ValueError, match="received token_classification: ChainLikelihood"):
        model.fit(x, y, sample_weight=w, r_drop=1.0, verbose=0)
