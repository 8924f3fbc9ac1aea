"""Strategies: names, errors, and two replicas that train as one device does."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.training.distribution import sum_over_replicas

SCRIPT = pathlib.Path(__file__).parent / "two_devices.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Weights, predictions and logs of one device and of two."""
    folder = tmp_path_factory.mktemp("two_devices")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    logs = json.loads((folder / "logs.json").read_text())
    return np.load(folder / "one.npz"), np.load(folder / "two.npz"), logs


def test_weights_after_twenty_steps_are_those_of_one_device(trained):
    one, two, logs = trained
    assert logs["replicas"] == 2
    assert logs["one"]["moved"] > 0.05
    assert min(logs["one"]["norms"]) > 2 * 0.3  # clipping, at 0.3, is active first and last
    weights = [name for name in one.files if name.startswith("weight/")]
    assert len(weights) == len(set(weights)) > 25 and set(one.files) == set(two.files)
    worst = max(weights, key=lambda name: np.abs(one[name] - two[name]).max())
    assert np.abs(one[worst] - two[worst]).max() < 1e-5, worst
    for name in one.files:
        if name.startswith("moment/"):
            np.testing.assert_allclose(one[name], two[name], atol=1e-5)


def test_history_evaluate_and_predict_agree(trained):
    one, two, logs = trained
    for part in ("history", "evaluation"):
        assert set(logs["one"][part]) == set(logs["two"][part])
        for name, value in logs["one"][part].items():
            assert logs["two"][part][name] == pytest.approx(value, rel=1e-4), (part, name)
    # By the fake clock a step takes one second: tokens a step, of both replicas together.
    tokens_per_second = logs["two"]["history"]["tokens_per_second"][0]
    total = logs["two"]["evaluation"]["real_tokens"]
    assert tokens_per_second == pytest.approx(total / 20, rel=0.1)
    for name in ("masked_lm", "next_sentence"):
        assert one[name].shape == two[name].shape and len(one[name]) == 160
        np.testing.assert_allclose(two[name], one[name], atol=2e-4)


def test_bad_ids_are_named_under_a_strategy_too(trained):
    assert "= 40 is not in [0, 40)" in trained[2]["bad_ids"]


@pytest.mark.parametrize("left", [1, 3])
@pytest.mark.parametrize("pipeline", ["pretraining", "classification"])
def test_real_pipelines_with_a_partial_last_batch(trained, pipeline, left):
    one, two = (trained[2]["real"][f"{pipeline}, {left} left"][k] for k in ("one", "two"))
    for part in ("before", "fit", "after"):
        assert set(one[part]) == set(two[part])
        for name, value in one[part].items():
            assert np.all(np.isfinite(value)) and np.all(np.isfinite(two[part][name]))
            # On equal weights the sums differ by rounding alone; training adds its steps to that.
            tolerance = 1e-5 if part == "before" else 1e-3
            np.testing.assert_allclose(
                two[part][name], value, rtol=tolerance, atol=tolerance, err_msg=f"{part}, {name}"
            )


def test_names():
    assert kb.strategy("default") is tf.distribute.get_strategy()
    if not tf.config.list_logical_devices("GPU"):
        assert kb.strategy() is kb.strategy("auto") is tf.distribute.get_strategy()
    mirrored = kb.strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    with pytest.raises(ValueError, match=r"expected one of auto, default, .*; received 'tpus'"):
        kb.strategy("tpus")


def test_one_replica_sums_to_itself():
    assert float(sum_over_replicas(tf.constant(3.5))) == 3.5
    mirrored = kb.strategy("mirrored")
    assert float(mirrored.run(lambda: sum_over_replicas(tf.constant(2.5)))) == 2.5


def test_metrics_made_outside_of_the_scope_are_refused(trained):
    assert "inside `with strategy.scope():`" in trained[2]["outside"]


def test_two_replicas_cut_and_started_again_have_the_same_weights(trained):
    assert trained[2]["resumed"] == {"is_equal": True, "steps": 8}
