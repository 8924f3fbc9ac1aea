"""KerasHub's BERT and ours, both ways: outputs, loss and gradients of every head that both have."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.checkpoints import names

TOLERANCE = 1e-5  # relative, by the norms of tensors
HEAD = {"head_activation": "gelu", "head_layer_norm_epsilon": 1e-5}
SMALL = {"num_layers": 3, "num_heads": 4, "hidden_dim": 32, "intermediate_dim": 48}
BASE = {"num_layers": 12, "num_heads": 12, "hidden_dim": 768, "intermediate_dim": 3072}
TASKS = {kb.BertBackbone: {}, kb.BertMaskedLM: HEAD, kb.BertTextClassifier: {}}
sizes = pytest.mark.parametrize(
    "size", [SMALL, pytest.param(BASE, marks=pytest.mark.slow)], ids=["small", "base"]
)
tasks = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(scope="module")
def hub():
    import keras_hub

    return keras_hub.models


@pytest.fixture
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def randomize(model, size):
    """Random weights, all different; at base size of BERT's own range.

    Twice as much, and twelve layers make all tokens of a row alike, so that float32 has no digits
    left for the gradient of attention, there as here.
    """
    rng = np.random.default_rng(0)
    deviation = 0.02 if size is BASE else 0.2
    for weight in model.weights:
        mean = 1.0 if weight.path.endswith("gamma") else 0.0
        weight.assign(rng.normal(mean, deviation, weight.shape))
    return model


def own(task, tokenizer, size):
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        max_sequence_length=24,
        activation="gelu_tanh",
        dropout=0.0,
        attention_dropout=0.0,
        **size,
        **TASKS[task],
    )
    backbone = kb.BertBackbone(config)
    if task is kb.BertTextClassifier:
        return randomize(task(backbone, ["a", "b", "c"]), size)
    return randomize(backbone if task is kb.BertBackbone else task(backbone), size)


def theirs(hub, task, tokenizer, size):
    backbone = hub.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size, max_sequence_length=24, dropout=0.0, **size
    )
    if task is kb.BertTextClassifier:
        return randomize(hub.BertTextClassifier(backbone, num_classes=3, dropout=0.0), size)
    return randomize(backbone if task is kb.BertBackbone else hub.BertMaskedLM(backbone), size)


def batch(task, vocabulary_size, rows=4, length=20):
    """Rows of different lengths with two segments; masked positions are all real and different."""
    rng = np.random.default_rng(1)
    lengths = np.array([length, length - 1, 9, 13])[:rows, None]
    columns = np.arange(length)[None]
    mask = (columns < lengths).astype("int32")
    x = {
        "token_ids": (rng.integers(5, vocabulary_size, (rows, length)) * mask).astype("int32"),
        "segment_ids": ((columns >= lengths // 2) * mask).astype("int32"),
        "padding_mask": mask,
    }
    if task is kb.BertMaskedLM:
        x["mask_positions"] = np.stack([1 + rng.permutation(n[0] - 1)[:4] for n in lengths]).astype(
            "int32"
        )
        return x, rng.integers(0, vocabulary_size, (rows, 4)).astype("int32")
    return x, rng.integers(0, 3, rows).astype("int32")


def output(values, task, mask):
    """One array of what a model returns, ours or theirs; real tokens only."""
    if task is kb.BertBackbone:
        real = np.array(values["sequence_output"])[mask == 1]
        return np.concatenate([real, np.array(values["pooled_output"])])
    name = "masked_lm" if task is kb.BertMaskedLM else "classification"
    return np.array(values[name] if isinstance(values, dict) else values)


def difference(received, expected):
    """The norm of the difference, relative to that of what is expected."""
    return np.linalg.norm(received - expected) / np.linalg.norm(expected)


@sizes
@tasks
def test_keras_hub_writes_and_we_read(task, size, hub, tokenizer, tmp_path, record_parity):
    model = theirs(hub, task, tokenizer, size)
    model.save_to_preset(str(tmp_path / "theirs"))
    ours = task.from_preset(tmp_path / "theirs")
    x, _ = batch(task, tokenizer.vocabulary_size)
    expected = output(model(x), task, x["padding_mask"])
    found = difference(output(ours(x), task, x["padding_mask"]), expected)
    record_parity("KerasHub", "outputs of what it wrote (relative)", found)
    assert found < TOLERANCE


@sizes
@tasks
def test_we_write_and_keras_hub_reads(task, size, hub, tokenizer, tmp_path, record_parity):
    model = own(task, tokenizer, size)
    kb.export_checkpoint(model, tokenizer, tmp_path / "ours", "keras_hub")
    read = getattr(hub, task.__name__).from_preset(str(tmp_path / "ours"))
    x, _ = batch(task, tokenizer.vocabulary_size)
    expected = output(model(x), task, x["padding_mask"])
    found = difference(output(read(x), task, x["padding_mask"]), expected)
    record_parity("KerasHub", "outputs of what we wrote (relative)", found)
    assert found < TOLERANCE


@sizes
@pytest.mark.parametrize("task", [kb.BertMaskedLM, kb.BertTextClassifier])
def test_loss_and_gradients(task, size, hub, tokenizer, tmp_path, record_parity):
    """Ours by `kb.losses`, theirs by the loss that KerasHub compiles with."""
    model = own(task, tokenizer, size)
    kb.export_checkpoint(model, tokenizer, tmp_path / "ours", "keras_hub")
    read = getattr(hub, task.__name__).from_preset(str(tmp_path / "ours"))
    x, labels = batch(task, tokenizer.vocabulary_size)
    name = "masked_lm" if task is kb.BertMaskedLM else "classification"
    model.compile(optimizer="sgd", **getattr(kb.losses, name)())
    weights = {name: np.ones(labels.shape, "float32")} if task is kb.BertMaskedLM else None
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, {name: labels}, model(x, training=True), weights)
    tensors = names.model_tensors(model)
    ours = tape.gradient(loss, [tensor.variable.value for tensor in tensors])
    ours = {names.canonical(t.name): g for t, g in zip(tensors, ours, strict=True)}

    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        expected = crossentropy(labels, read(x, training=True))
    record_parity("KerasHub", "loss (relative)", abs(1 - loss / expected))
    np.testing.assert_allclose(loss, expected, rtol=TOLERANCE)
    wanted = tape.gradient(expected, [weight.value for weight in read.trainable_weights])
    compared = 0
    for weight, gradient in zip(read.trainable_weights, wanted, strict=True):
        if gradient is None:  # the pooler, under the masked-LM head
            assert "pooled" in weight.path
            continue
        gradient = np.array(tf.convert_to_tensor(gradient))
        received = np.array(tf.convert_to_tensor(ours[canonical(weight.path)]))
        received = received.reshape(gradient.shape)
        if weight.path.endswith("key/bias"):  # it moves all scores of a row alike: zero but for
            assert np.abs(received).max() < 1e-6  # rounding, in both
            continue
        found = difference(received, gradient)
        record_parity("KerasHub", "gradients (relative)", found)
        assert found < TOLERANCE, weight.path
        compared += 1
    # Every tensor but the keys' biases and a pooler that is not used.
    assert compared == 15 * size["num_layers"] + (10 if task is kb.BertMaskedLM else 9)


def canonical(path):
    """KerasHub's path of a variable -> the canonical name, sharing no code with the product."""
    for theirs, ours in (
        ("token_embedding/embeddings", "embeddings.word_embeddings.weight"),
        ("position_embedding/embeddings", "embeddings.position_embeddings.weight"),
        ("segment_embedding/embeddings", "embeddings.token_type_embeddings.weight"),
        ("embeddings_layer_norm/", "embeddings.LayerNorm."),
        ("transformer_layer_", "encoder.layer."),
        ("/self_attention_layer/attention_output/", ".attention.output.dense."),
        ("/self_attention_layer/", ".attention.self."),
        ("/self_attention_layer_norm/", ".attention.output.LayerNorm."),
        ("/feedforward_layer_norm/", ".output.LayerNorm."),
        ("/feedforward_intermediate_dense/", ".intermediate.dense."),
        ("/feedforward_output_dense/", ".output.dense."),
        ("pooled_dense/", "pooler.dense."),
        ("mlm_head/output_bias", "cls.predictions.bias"),
        ("mlm_head/intermediate_dense/", "cls.predictions.transform.dense."),
        ("mlm_head/intermediate_layer_norm/", "cls.predictions.transform.LayerNorm."),
        ("logits/", "classifier."),
        ("/", "."),
        ("kernel", "weight"),
        ("gamma", "weight"),
        ("beta", "bias"),
    ):
        path = path.replace(theirs, ours)
    return path
