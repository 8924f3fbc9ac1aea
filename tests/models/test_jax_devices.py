"""Data and model parallelism on JAX, eight virtual CPU devices: the weights of one device."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_bert as kb

pytest.importorskip("jax")
pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).parent / "on_jax_devices.py"
HIDDEN, INNER, VOCABULARY = 16, 24, 32


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_vocabulary):
    """Weights, predictions and logs of one device, of eight, and of two groups of four."""
    folder = tmp_path_factory.mktemp("jax_devices")
    (folder / "vocab.txt").write_text("\n".join([*tiny_vocabulary, ""]), encoding="utf-8")
    text = "the cat sat on the mat .\nit was good , and the dog is bad .\na bad film !\n\n"
    (folder / "corpus.txt").write_text(40 * text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    logs = json.loads((folder / "logs.json").read_text())
    arrays = {name: np.load(folder / f"{name}.npz") for name in ("one", "data", "model")}
    return folder, arrays, logs


@pytest.mark.parametrize("kind", ["data", "model"])
def test_weights_after_ten_steps_are_those_of_one_device(trained, kind):
    _, arrays, logs = trained
    one, other = arrays["one"], arrays[kind]
    assert logs["devices"] == 8 and set(one.files) == set(other.files)
    assert sum(name.startswith("weight/") for name in one.files) > 40
    for name in one.files:
        np.testing.assert_allclose(other[name], one[name], atol=1e-5, rtol=0, err_msg=name)
    for part in ("history", "evaluation"):
        assert set(logs["one"][part]) == set(logs[kind][part])
        for name, value in logs["one"][part].items():
            if name not in ("tokens_per_second", "share_of_peak"):
                assert logs[kind][part][name] == pytest.approx(value, rel=1e-5), name


def test_variables_lie_where_they_are_laid_out(trained):
    logs = trained[2]
    for kind, devices in (("one", 1), ("data", 8), ("model", 8)):
        assert set(logs[kind]["devices"]) == {devices}
    whole, parts = logs["data"]["parts"], logs["model"]["parts"]
    assert whole == logs["one"]["parts"]
    cut = {path: shapes for path, shapes in parts.items() if shapes != whole[path]}
    expected = {"embeddings/token_table": [VOCABULARY // 4, HIDDEN], "masked_lm/bias": [8]}
    for layer in ("encoder_layer_0", "encoder_layer_1"):
        for name in ("query", "key", "value"):
            expected[f"{layer}/attention/{name}/kernel"] = [HIDDEN, HIDDEN // 4]
            expected[f"{layer}/attention/{name}/bias"] = [HIDDEN // 4]
        expected[f"{layer}/attention/projection/kernel"] = [HIDDEN // 4, HIDDEN]
        expected[f"{layer}/intermediate/kernel"] = [HIDDEN, INNER // 4]
        expected[f"{layer}/intermediate/bias"] = [INNER // 4]
        expected[f"{layer}/output/kernel"] = [INNER // 4, HIDDEN]
    assert cut == {path: [shape] for path, shape in expected.items()}
    moments = logs["model"]["moments"]
    for path, shape in expected.items():
        for moment in ("momentum", "velocity"):
            (found,) = (
                shapes
                for name, shapes in moments.items()
                if name.endswith(f"/{path.replace('/', '_')}_{moment}")
            )
            assert found == [shape]


def test_a_vocabulary_that_does_not_divide_is_cut_by_its_vectors(trained):
    logs = trained[2]
    assert logs["odd"]["parts"]["embeddings/token_table"] == [[33, HIDDEN // 4]]
    assert logs["odd"]["parts"]["masked_lm/bias"] == [[33]]
    for name, value in logs["odd alone"]["evaluation"].items():
        assert logs["odd"]["evaluation"][name] == pytest.approx(value, rel=1e-5)


def test_an_indivisible_batch_is_refused_and_the_model_stays_whole(trained):
    logs = trained[2]
    assert "a batch of 4 rows for 8 devices" in logs["indivisible"]
    assert logs["whole afterwards"]


def test_text_files_run_log_and_presets_work_there_too(trained):
    folder, _, logs = trained
    history = json.loads((folder / "run/history.json").read_text())
    assert history["step"] == [5, 10, 14] and history["minutes_left"][-1] > 0
    assert history["tokens_per_second"][-1] > 0
    assert len(logs["read back"]) > 40 and all(logs["read back"])


def test_errors_are_clear(trained):
    unknown, shards, indivisible = trained[2]["errors"]
    assert "expected one of data, model; received 'both'" in unknown
    assert "model_shards goes with" in shards
    assert "must divide the number of devices, 8; received 3" in indivisible
    with pytest.raises(ValueError, match="Keras runs on tensorflow"):
        kb.distribution("data")
