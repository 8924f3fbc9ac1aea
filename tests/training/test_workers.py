"""Two worker processes with real sockets train as one process does with the whole batch."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_bert.training.cluster import Cluster, free_addresses

pytestmark = pytest.mark.slow
SCRIPT = pathlib.Path(__file__).parent / "two_workers.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Arrays and logs of one process alone, and of two workers."""
    folder = tmp_path_factory.mktemp("workers")
    addresses = free_addresses(2)
    workers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), f"worker_{index}"],
            env={**os.environ, "TF_CONFIG": Cluster(addresses, index).to_environment()},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    try:
        errors = [worker.communicate(timeout=400)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], (
        errors[0][-3000:] + errors[1][-3000:]
    )
    alone = _alone()
    read = [
        (
            dict(np.load(folder / f"worker_{index}.npz")),
            json.loads((folder / f"worker_{index}.json").read_text()),
        )
        for index in range(2)
    ]
    return alone, *read


def _alone():
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import two_workers
    finally:
        sys.path.pop(0)
    return two_workers.everything(tf.distribute.get_strategy())


def test_weights_are_those_of_the_whole_batch_and_the_same_on_both(trained):
    (alone, _), (first, _), (second, _) = trained
    names = [name for name in alone if "weight/" in name or "moment/" in name]
    assert len(names) > 100 and set(alone) == set(first) == set(second)
    for name in names:
        assert first[name].tobytes() == second[name].tobytes(), name
        np.testing.assert_allclose(first[name], alone[name], atol=1e-5, err_msg=name)
    moved = [np.abs(alone[name]).max() for name in names if "moment/" in name]
    assert max(moved) > 1e-3


def test_logs_are_those_of_the_whole_batch(trained):
    (_, alone), (_, first), (_, second) = trained
    assert first["history"] == second["history"]
    for part in (first, first["classification"]):
        expected = alone if part is first else alone["classification"]
        for kind in ("history", "evaluation"):
            assert set(part[kind]) == set(expected[kind])
            for name, value in expected[kind].items():
                np.testing.assert_allclose(part[kind][name], value, rtol=1e-4, err_msg=name)


def test_predictions_come_from_both_in_the_order_of_the_rows(trained):
    (alone, _), (first, _), (second, _) = trained
    for name in ("masked_lm", "next_sentence", "classifier/classification"):
        assert first[name].shape == alone[name].shape
        np.testing.assert_allclose(first[name], alone[name], atol=2e-4)
        np.testing.assert_allclose(second[name], alone[name], atol=2e-4)


def test_workers_tell_each_other(trained):
    _, (_, first), (_, second) = trained
    for logs in (first["exchanges"], second["exchanges"]):
        assert logs["gathered"] == [[0, 1], [1, 8]]
        assert logs["sent"] == first["exchanges"]["mine"] != second["exchanges"]["mine"]
        assert logs["plain"] == {"step": 3, "text": "字"} and logs["nothing"] is None
