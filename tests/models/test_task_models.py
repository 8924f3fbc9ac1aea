"""The task models as Keras models: saving, JAX, training, precision, bad arguments."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from models.head_models import CONFIG, HEADS, TRAINED, arrays, difference, make

import keras_bert as kb


@pytest.mark.parametrize("name", HEADS)
def test_kept_by_keras_files_and_configs(name, tmp_path):
    model = make(name)
    x = arrays(name, 4)[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for key, value in model(x).items():
        assert np.std(value) > 0.01 or name == "score"
        np.testing.assert_array_equal(again(x)[key], value)
    assert again.get_config() == model.get_config()
    copy = type(model).from_config(json.loads(json.dumps(model.get_config())))
    copy.set_weights(model.get_weights())
    for key, value in model(x).items():
        np.testing.assert_array_equal(copy(x)[key], value)
    lines = []
    model.summary(print_fn=lines.append)
    assert f"{model.count_params():,}" in "\n".join(lines)


@pytest.mark.parametrize("name", ["multi_label", "score"])
def test_losses_metrics_and_the_optimizer_come_along(name, tmp_path):
    model = make(name)
    model.compile(optimizer=kb.optimizers.adamw(1e-2), **HEADS[name][1]())
    x, y, w = arrays(name, 4)
    model.fit(x, y, sample_weight=w, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    logs = [each.fit(x, y, sample_weight=w, verbose=0).history for each in (model, again)]
    assert logs[0] == logs[1] and difference(model, again) == 0


def test_an_embedder_is_kept_by_keras_files(tmp_path):
    model = kb.BertTextEmbedder(kb.BertBackbone(CONFIG), pooling="max", normalize=False)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert (again.pooling, again.normalize) == ("max", False)
    x = arrays("text", 3)[0]
    np.testing.assert_array_equal(again(x)["embedding"], model(x)["embedding"])
    assert np.abs(np.linalg.norm(model(x)["embedding"], axis=-1) - 1).max() > 0.1


@pytest.mark.parametrize("name", HEADS)
def test_logits_are_float32_under_mixed_precision(name):
    exact, mixed = make(name), make(name, dtype="mixed_bfloat16")
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    mixed.set_weights(exact.get_weights())
    x = arrays(name, 6)[0]
    for key, value in exact(x).items():
        actual = mixed(x)[key]
        assert actual.dtype == "float32"
        error = np.abs(actual - value).max()
        assert 0 < error < 0.1 * np.abs(value).max(), (error, np.abs(value).max())


def test_embeddings_are_float32_under_mixed_precision():
    exact = kb.BertTextEmbedder(kb.BertBackbone(CONFIG))
    mixed = kb.BertTextEmbedder(kb.BertBackbone(CONFIG, dtype="mixed_bfloat16"))
    mixed.set_weights(exact.get_weights())
    x = arrays("text", 6)[0]
    embedding = mixed(x)["embedding"]
    assert embedding.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=-1), 1, atol=1e-6)
    assert 0 < np.abs(embedding - exact(x)["embedding"]).max() < 0.03


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_sqrt_len_tokens"])
def test_rows_without_a_token_have_embeddings_and_gradients(pooling):
    import tensorflow as tf

    model = kb.BertTextEmbedder(kb.BertBackbone(CONFIG), pooling=pooling)
    x = arrays("text", 2)[0]
    x["padding_mask"][1] = 0
    with tf.GradientTape() as tape:
        embedding = model(x)["embedding"]
        loss = tf.reduce_sum(embedding**3)
    assert np.isfinite(embedding).all()
    if pooling != "cls":
        assert (embedding[1].numpy() == 0).all()
    gradients = tape.gradient(loss, model.backbone.encoder_layers[0].trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_any_number_of_choices():
    model = make("choice")
    x = arrays("choice", 4)[0]
    all_three = np.asarray(model(x)["multiple_choice"])
    assert all_three.shape == (4, 3)
    for rows, choices in ((4, 2), (1, 3), (2, 1)):
        part = {key: value[:rows, :choices] for key, value in x.items()}
        np.testing.assert_allclose(
            model(part)["multiple_choice"], all_three[:rows, :choices], atol=1e-5
        )
    # A choice's score is its own: in another order the same.
    turned = model({key: value[:, ::-1] for key, value in x.items()})["multiple_choice"]
    np.testing.assert_allclose(turned, all_three[:, ::-1], atol=1e-5)


@pytest.fixture(scope="module")
def jax(tmp_path_factory):
    """Every head on TensorFlow: what it said and became; and a file of the same from JAX."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("heads")
    expected = {}
    models = {name: make(name) for name in HEADS}
    models["embedder"] = kb.BertTextEmbedder(kb.BertBackbone(CONFIG), pooling="max")
    models["ensemble"] = kb.ensemble([make("text", 1), make("text", 2)])
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
        x, y, w = arrays(name, 8)
        for key, value in model.predict(x, verbose=0).items():
            expected[f"{name}/output/{key}"] = value
        if name in TRAINED:
            model.compile(optimizer=kb.optimizers.adamw(1e-2), **HEADS[name][1]())
            fitted = model.fit(
                x, y, sample_weight=w, epochs=3, batch_size=4, shuffle=False, verbose=0
            )
            expected |= {f"{name}/log/{key}": value for key, value in fitted.history.items()}
            expected |= {f"{name}/weight/{v.path}": v.numpy() for v in model.weights}
    done = subprocess.run(
        [sys.executable, str(pathlib.Path(__file__).parent / "heads_on_jax.py"), str(folder)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return expected, np.load(folder / "results.npz")


@pytest.mark.slow
def test_jax_says_and_learns_the_same(jax):
    expected, actual = jax
    assert set(actual.files) == set(expected)
    for name, value in expected.items():
        # Biases that a softmax does not see have no gradient but rounding errors, which Adam makes
        # steps of; the pooler of a head that does not read it has none at all, and JAX gives it
        # zeros, so that it decays.
        rounding = name.endswith(("key/bias", "choice_score/bias"))
        unread = name.startswith(("token/", "chain/")) and "pooler" in name
        tolerance = 0.1 if rounding else 2e-3 if unread else 3e-5
        np.testing.assert_allclose(actual[name], value, atol=tolerance, rtol=1e-4, err_msg=name)


LABELLED = [kb.BertTextClassifier, kb.BertTokenClassifier, kb.BertRelationClassifier]


@pytest.mark.parametrize("task", LABELLED)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["one"], "two or more different names; received"),
        (["a", "b", "a"], "different names"),
        ([0, 1], 'Write numbers as str, for instance \\["0", "1"\\]'),
        ("ab", "a list of str; received 'ab'"),
    ],
)
def test_wrong_labels(task, labels, message):
    with pytest.raises(ValueError, match=f"{task.__name__}: .*{message}"):
        task(kb.BertBackbone(CONFIG), labels)


def test_wrong_arguments():
    backbone = kb.BertBackbone(CONFIG)
    with pytest.raises(ValueError, match=r"problem_type must be one of .* received 'multilabel'"):
        kb.BertTextClassifier(backbone, ["a", "b"], problem_type="multilabel")
    for problem_type in ("multi_label", "regression"):
        assert kb.BertTextClassifier(backbone, ["a"], problem_type=problem_type).labels == ["a"]
        with pytest.raises(ValueError, match="one or more different names; received"):
            kb.BertTextClassifier(backbone, [], problem_type=problem_type)
    with pytest.raises(ValueError, match=r"pooling must be one of .* received 'average'"):
        kb.BertTextEmbedder(backbone, pooling="average")
    for task in (kb.BertSpanClassifier, kb.BertMultipleChoice, kb.BertNextSentence):
        with pytest.raises(ValueError, match="Expected a BertBackbone; received str"):
            task("base")
