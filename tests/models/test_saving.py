"""`.keras` files: equal bit for bit in a fresh process, and training goes on where it stood."""

import json
import subprocess
import sys

import numpy as np
import pytest
from models import reference_bert as reference

import keras_bert as kb

CONFIG = kb.BertConfig(
    vocabulary_size=23, num_layers=2, hidden_dim=12, num_heads=3, max_sequence_length=9
)
VARIANT = CONFIG.replace(pre_norm=True, share_layers=True, embedding_dim=4, activation="gelu_tanh")

MODELS = {
    "backbone": lambda: kb.BertBackbone(CONFIG, name="my_backbone"),
    "variant": lambda: kb.BertBackbone(VARIANT),
    "pretrainer": lambda: kb.BertPretrainer(kb.BertBackbone(VARIANT), name="mine"),
    "masked_lm": lambda: kb.BertMaskedLM(kb.BertBackbone(CONFIG)),
    "classifier": lambda: kb.BertTextClassifier(
        kb.BertBackbone(CONFIG), ["no", "yes", "谁"], dropout=0.3
    ),
    "mixed": lambda: kb.BertPretrainer(kb.BertBackbone(CONFIG, dtype="mixed_bfloat16")),
}

# Only these imports: what a user does who has a file and nothing else.
FRESH = """
import sys
import keras, keras_bert
import numpy as np

folder, names = sys.argv[1], sys.argv[2].split(",")
inputs = dict(np.load(f"{folder}/inputs.npz"))
outputs = {}
for name in names:
    model = keras.models.load_model(f"{folder}/{name}.keras")
    result = model({key: inputs[key] for key in model.input})
    outputs |= {f"{name}/{key}": np.asarray(value, "float32") for key, value in result.items()}
model = keras.models.load_model(f"{folder}/compiled.keras")
step = int(model.optimizer.iterations)
labels = {key: inputs[key] for key in ("masked_lm", "next_sentence")}
model.fit({key: inputs[key] for key in model.input}, labels, shuffle=False, verbose=0)
outputs |= {f"weights/{i}": value for i, value in enumerate(model.get_weights())}
np.savez(f"{folder}/outputs.npz", step=step, **outputs)
"""


def labels_for(rows):
    rng = np.random.default_rng(9)
    return {
        "masked_lm": rng.integers(0, 23, (rows, 2)).astype("int32"),
        "next_sentence": rng.integers(0, 2, rows).astype("int32"),
    }


@pytest.fixture(scope="module")
def models():
    return {name: reference.randomize(make(), seed=7) for name, make in MODELS.items()}


@pytest.fixture(scope="module")
def compiled():
    """A model in the middle of its training: moments, step and schedule matter."""
    config = CONFIG.replace(dropout=0.0, attention_dropout=0.0)
    model = kb.BertPretrainer(kb.BertBackbone(config))
    model.compile(
        optimizer=kb.optimizers.adamw(1e-2, warmup_steps=2, total_steps=9),
        **kb.losses.pretraining(),
    )
    inputs = reference.example_inputs(CONFIG, rows=4)
    model.fit(inputs, labels_for(4), epochs=3, shuffle=False, verbose=0)
    return model


def test_a_fresh_process_gets_the_same_bits(models, compiled, tmp_path):
    inputs = reference.example_inputs(CONFIG, rows=4)
    np.savez(tmp_path / "inputs.npz", **inputs, **labels_for(4))
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    compiled.save(tmp_path / "compiled.keras")
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path), ",".join(models)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    fresh = np.load(tmp_path / "outputs.npz")
    compared = set()
    for name, model in models.items():
        for key, value in model({key: inputs[key] for key in model.input}).items():
            value = np.asarray(value, "float32")
            assert np.std(value) > 0.01
            np.testing.assert_array_equal(fresh[f"{name}/{key}"], value)
            compared.add(f"{name}/{key}")
    assert compared == {key for key in fresh.files if "/" in key and not key.startswith("weights")}

    # The optimizer came along: the next step there is the next step here.
    assert fresh["step"] == 3
    before = compiled.get_weights()
    compiled.fit(inputs, labels_for(4), shuffle=False, verbose=0)
    for i, (weight, old) in enumerate(zip(compiled.weights, before, strict=True)):
        # The softmax does not see the keys' biases: their gradient is 0 but for rounding.
        assert np.abs(weight - old).max() > 1e-6 or weight.path.endswith("key/bias")
        np.testing.assert_allclose(fresh[f"weights/{i}"], weight, atol=1e-6)


def test_config_round_trip(models):
    for name, model in models.items():
        config = json.loads(json.dumps(model.get_config()))
        copy = type(model).from_config(config)
        assert copy.get_config() == model.get_config(), name
        assert (copy.name, copy.config) == (model.name, model.config)
        assert [w.path for w in copy.weights] == [w.path for w in model.weights]
        copy.set_weights(model.get_weights())
        inputs = reference.example_inputs(CONFIG, rows=2)
        inputs = {key: inputs[key] for key in model.input}
        for key, value in model(inputs).items():
            np.testing.assert_array_equal(copy(inputs)[key], value)
    copy = kb.BertTextClassifier.from_config(models["classifier"].get_config())
    assert (copy.labels, copy.dropout_rate) == (["no", "yes", "谁"], 0.3)


def test_summary_counts_tied_weights_once(models):
    lines = []
    models["pretrainer"].summary(print_fn=lines.append)
    text = "\n".join(lines)
    expected = sum(int(np.prod(weight.shape)) for weight in models["pretrainer"].weights)
    assert f"Total params: {expected:,}" in text
    paths = [weight.path for weight in models["pretrainer"].weights]
    assert len(set(paths)) == len(paths)
    assert paths.count("embeddings/token_table") == 1


def test_layers_can_be_moved_from_model_to_model(models):
    source = models["pretrainer"].backbone
    target = kb.BertTextClassifier(kb.BertBackbone(VARIANT), ["a", "b"])
    inputs = reference.without_positions(reference.example_inputs(VARIANT))
    assert (
        np.abs(target.backbone(inputs)["pooled_output"] - source(inputs)["pooled_output"]).max()
        > 0.1
    )
    for layer in source.layers:
        target.get_layer("bert_backbone").get_layer(layer.name).set_weights(layer.get_weights())
    for key, value in source(inputs).items():
        np.testing.assert_array_equal(target.backbone(inputs)[key], value)


def test_one_backbone_under_two_heads_is_one_set_of_weights(models):
    backbone = kb.BertBackbone(CONFIG)
    first, second = kb.BertMaskedLM(backbone), kb.BertPretrainer(backbone)
    backbone.embeddings.token_table.assign_add(np.ones((23, 12), "float32"))
    tables = [model.get_layer("bert_backbone").embeddings.token_table for model in (first, second)]
    assert tables[0] is tables[1]


def test_a_backbone_can_be_frozen():
    copy = kb.BertTextClassifier(kb.BertBackbone(CONFIG), ["a", "b"])
    copy.backbone.trainable = False
    copy.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.classification())
    inputs = reference.without_positions(reference.example_inputs(CONFIG, rows=4))
    before = copy.backbone.get_weights()
    kernel = copy.classifier.get_weights()[0]
    copy.fit(inputs, {"classification": np.array([0, 1, 1, 0])}, verbose=0)
    for old, new in zip(before, copy.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.abs(copy.classifier.get_weights()[0] - kernel).max() > 1e-4
