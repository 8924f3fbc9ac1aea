"""Bad input to the models: a ValueError that says what came, what was expected, what to do."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

CONFIG = kb.BertConfig(
    vocabulary_size=20, num_layers=1, hidden_dim=8, num_heads=2, max_sequence_length=6
)
LABELS = {"classification": np.array([0, 1, 0, 1])}


def rows(length=5, token=7):
    ones = np.ones((4, length), "int32")
    tokens = 3 * ones
    tokens[2, 1] = token
    return {"token_ids": tokens, "segment_ids": 0 * ones, "padding_mask": ones}


def stream(inputs, labels=LABELS):
    """A dataset that does not say how long its rows are."""
    spec = {name: tf.TensorSpec((None, None), "int32") for name in inputs}
    labels_spec = {"classification": tf.TensorSpec((None,), "int64")}
    return tf.data.Dataset.from_generator(
        lambda: iter([(inputs, labels)]), output_signature=(spec, labels_spec)
    )


@pytest.fixture(scope="module")
def model():
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["no", "yes"])
    model.compile(optimizer=kb.optimizers.adamw(1e-3), **kb.losses.classification())
    return model


@pytest.mark.parametrize("token", [20, 400, -1])
def test_ids_outside_the_vocabulary(model, token):
    inputs = rows(token=token)
    with pytest.raises(ValueError, match=rf"received id {token}, expected ids in \[0, 20\)"):
        model(inputs)
    for method in (
        lambda: model.fit(inputs, LABELS, verbose=0),
        lambda: model.evaluate(inputs, LABELS, verbose=0),
        lambda: model.predict(inputs, verbose=0),
    ):
        with pytest.raises(ValueError, match=rf"= {token} is not in \[0, 20\).*tokenizer"):
            method()


def test_sequences_longer_than_the_position_table(model):
    message = "sequences of 8 tokens.*max_sequence_length=6 entries; shorten"
    assert model(rows(6))["classification"].shape == (4, 2)
    with pytest.raises(ValueError, match=message):
        model(rows(8))
    with pytest.raises(ValueError, match=message):
        model.fit(rows(8), LABELS, verbose=0)
    for method in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match=message):
            method(stream(rows(8)), verbose=0)


def test_a_fresh_model_survives_a_failed_first_step():
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["no", "yes"])
    model.compile(optimizer=kb.optimizers.adamw(1e-3), **kb.losses.classification())
    with pytest.raises(ValueError, match="sequences of 8 tokens"):
        model.fit(rows(8), LABELS, verbose=0)
    loss = model.fit(rows(6), LABELS, verbose=0).history["loss"][0]
    assert 0.5 < loss < 0.9  # the logarithm of 2, about


@pytest.mark.parametrize("label", [2, -1])
def test_labels_outside_the_classes(model, label):
    with pytest.raises(ValueError, match=rf"Received the label {label}, expected .* \[0, 2\)"):
        model.fit(rows(), {"classification": np.array([0, label, 0, 1])}, verbose=0)


def test_a_missing_input_is_named(model):
    with pytest.raises(ValueError, match="padding_mask"):
        model({"token_ids": rows()["token_ids"], "segment_ids": rows()["segment_ids"]})


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["one"], "two or more different names; received"),
        ([], "two or more"),
        (["a", "b", "a"], "different names"),
        ([0, 1], 'Write numbers as str, for instance \\["0", "1"\\]'),
        ([["a"], ["b"]], "labels must be str"),
        ("ab", "a list of str; received 'ab'"),
    ],
)
def test_wrong_lists_of_labels(model, labels, message):
    with pytest.raises(ValueError, match=message):
        kb.BertTextClassifier(model.backbone, labels)


@pytest.mark.parametrize("task", [kb.BertPretrainer, kb.BertMaskedLM])
def test_a_head_wants_a_backbone(model, task):
    with pytest.raises(ValueError, match="Expected a BertBackbone; received BertTextClassifier"):
        task(model)
    with pytest.raises(ValueError, match="Expected a BertBackbone; received str"):
        task("base")


def test_a_backbone_wants_a_config():
    with pytest.raises(ValueError, match=r'received str. Use .* BertConfig.named\("base"\)'):
        kb.BertBackbone("base")
    with pytest.raises(ValueError, match="unknown keys hidden_size"):
        kb.BertBackbone({"hidden_size": 3})
