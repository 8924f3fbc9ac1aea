"""tf.data service: batches made by workers in processes of their own are the stream's own.

`test_service.py` runs these tests in a network of their own, for TensorFlow binds its servers to
all interfaces: there, the loopback is all there is, and without that nothing is started.
"""

import itertools
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data import service
from tests.data.prepared import SETTINGS, Source

STREAM = {"sequence_length": 32, "batch_size": 16, "window_bytes": 4096, "block_windows": 4}


def start(folder, name, *flags):
    with open(folder / f"{name}.log", "wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "keras_bert.cli.main", "data_service", *flags],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a dispatcher with two workers, and the workers' processes."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    folder = tmp_path_factory.mktemp("service")
    dispatcher = start(folder, "dispatcher")
    processes = [dispatcher]
    try:
        target = dispatcher.stdout.readline().strip()
        assert target.startswith("grpc://"), (folder / "dispatcher.log").read_text()[-2000:]
        workers = [start(folder, f"w{i}", f"--dispatcher={target}") for i in range(2)]
        processes += workers
        for worker in workers:
            assert worker.stdout.readline() == f"works for {target}\n"
        yield target, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def assert_equal(ours, theirs):
    count = 0
    for left, right in itertools.zip_longest(ours, theirs):
        assert left is not None and right is not None
        for one, other in zip(left, right, strict=True):
            assert one.keys() == other.keys()
            for name in one:
                np.testing.assert_array_equal(one[name], other[name], err_msg=name)
                assert one[name].dtype == other[name].dtype
        count += 1
    return count


@pytest.mark.parametrize("pairs", ["nsp", "none"])
def test_batches_places_and_counts_are_those_without_the_service(source, cluster, pairs):
    def stream(**settings):
        return kb.data.PretrainingStream(
            source.files, source.tokenizer, epochs=2, pairs=pairs, lanes=2, **STREAM, **settings
        )

    here, there = stream(), stream(service=cluster[0])
    assert assert_equal(there.batches(), here.batches()) > 20
    assert there.counts == here.counts and there.counts.documents > 0
    assert there.position_after(7) == here.position_after(7)
    assert there.fingerprint() == here.fingerprint()
    later = stream(service=cluster[0], start=there.position_after(7))
    assert_equal(later.batches(), itertools.islice(here.batches(), 7, None))


def test_shards_and_an_endless_dataset(source, cluster, tmp_path):
    kb.data.prepare(source.files, source.tokenizer, tmp_path / "out", workers=1, **SETTINGS)

    def data(**settings):
        data = kb.data.pretraining(tmp_path / "out", source.tokenizer, **STREAM, **settings)
        return data.take(30).as_numpy_iterator()

    assert assert_equal(data(service=cluster[0]), data()) == 30


def test_another_corpus_at_the_worker_is_refused(source, cluster, tmp_path):
    """The file changes between the reader's opening and the worker's."""
    path = tmp_path / "text.txt"
    path.write_bytes(source.files[0].read_bytes())
    stream = kb.data.PretrainingStream(
        path, source.tokenizer, epochs=1, service=cluster[0], **STREAM
    )
    path.write_bytes(source.files[0].read_bytes() + b"one more\n")
    with pytest.raises(RuntimeError, match=r"another corpus than the reader: .*text\.txt had"):
        list(stream.batches())


def test_no_dispatcher(source):
    data = kb.data.pretraining(source.files, source.tokenizer, service="grpc://localhost:1")
    with pytest.raises(Exception, match="no dispatcher answers at localhost:1"):
        next(iter(data))
    with pytest.raises(ValueError, match=r"expected 'grpc://host:port'"):
        service.start_worker("localhost")


def test_a_worker_needs_a_process_of_its_own(cluster):
    """Here other functions came first: its blocks would be made by one of these."""
    import tensorflow as tf

    tf.data.Dataset.from_generator(lambda: iter([1]), output_signature=tf.TensorSpec([], tf.int32))
    with pytest.raises(RuntimeError, match="needs a process of its own"):
        service.start_worker(cluster[0])


def test_a_worker_that_dies_loses_no_block(source, cluster):
    """The last test: one of the workers is killed while it is at work."""
    settings = {**STREAM, "block_windows": 1}

    def stream(**more):
        return kb.data.PretrainingStream(
            source.files, source.tokenizer, epochs=6, **settings, **more
        )

    target, workers = cluster

    def killing():
        for number, batch in enumerate(stream(service=target).batches()):
            if number == 10:
                os.kill(workers[0].pid, signal.SIGKILL)
            yield batch

    assert assert_equal(killing(), stream().batches()) > 100
