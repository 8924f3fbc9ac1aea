"""Ways to fine-tune on Keras's JAX backend: equal weights and losses."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from training.tuned import classifier
from training.tuned_on_jax import tuned

pytest.importorskip("jax")


def test_the_same_on_jax(tmp_path):
    start = classifier().get_weights()
    np.savez(tmp_path / "start.npz", **{str(i): value for i, value in enumerate(start)})
    script = pathlib.Path(__file__).parent / "tuned_on_jax.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path / "start.npz", tmp_path / "end.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    end, logs = tuned(start)
    with np.load(tmp_path / "end.npz") as file:
        np.testing.assert_allclose(file["logs"], logs, rtol=1e-4)
        for i, value in enumerate(end):
            # Where a gradient is next to nothing its sign is chance, and the step is not.
            near = np.abs(file[f"arr_{i}"] - value) < 2e-4
            assert near.mean() > 0.98 or value.size < 40, i
        assert file["losses"][-1] < file["losses"][0]
        assert np.abs(file["merged"]).max() > 0.1
        np.testing.assert_allclose(file["merged"], file["unmerged"], atol=1e-5)
        assert "needs Keras on TensorFlow" in str(file["error"])
