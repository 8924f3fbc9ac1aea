"""The workers that TF_CONFIG names, and the wait for them: real sockets, no TensorFlow."""

import json
import socket
import threading

import pytest

from keras_bert.training.cluster import Cluster, free_addresses


def config(monkeypatch, cluster, kind, index):
    value = {"cluster": cluster, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(value))


def test_reads_the_environment(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert Cluster.from_environment() is None
    config(monkeypatch, {"worker": ["a:1", "b:2"]}, "worker", 1)
    assert Cluster.from_environment() == Cluster(("a:1", "b:2"), 1)
    config(monkeypatch, {"worker": ["b:2", "c:3"], "chief": ["a:1"]}, "worker", 1)
    cluster = Cluster.from_environment()
    assert cluster == Cluster(("a:1", "b:2", "c:3"), 2) and not cluster.is_chief
    config(monkeypatch, {"worker": ["b:2"], "chief": ["a:1"]}, "chief", 0)
    assert Cluster.from_environment().is_chief
    monkeypatch.setenv("TF_CONFIG", Cluster(("a:1", "b:2"), 1).to_environment())
    assert Cluster.from_environment() == Cluster(("a:1", "b:2"), 1)
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert Cluster.from_environment() is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "first"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_wrong_variable_is_quoted_with_an_example(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=r"TF_CONFIG.*\"worker\": \[\"host1:2222\""):
        Cluster.from_environment()


def test_all_come_whatever_their_order():
    addresses = free_addresses(3)
    assert len(set(addresses)) == 3
    everyone = threading.Barrier(4)

    def come(index):
        Cluster(addresses, index).wait(20.0)
        # Where TensorFlow opens its own server; the port must be free, and later ones find it.
        with socket.create_server(("", int(addresses[index].rpartition(":")[2]))):
            everyone.wait(20)

    for place, index in enumerate((2, 0, 1)):
        threading.Timer(0.3 * place, come, [index]).start()
    everyone.wait(20)


def test_a_worker_that_never_comes_is_named():
    addresses = free_addresses(3)
    host, port = addresses[2].split(":")
    with socket.create_server((host, int(port))), pytest.raises(TimeoutError) as error:
        Cluster(addresses, 0).wait(timeout=0.5)
    assert f"worker 1 ({addresses[1]})" in str(error.value)
    assert addresses[2] not in str(error.value)


def test_a_taken_port_and_a_bad_address():
    addresses = free_addresses(2)
    taken = socket.create_server(("", int(addresses[0].split(":")[1])))
    with taken, pytest.raises(OSError, match=r"port \d+ of this worker .* cannot be opened"):
        Cluster(addresses, 0).wait(timeout=1.0)
    with pytest.raises(ValueError, match="expected host:port"):
        Cluster(("localhost", "other:1"), 0).wait(timeout=1.0)
