"""Blocks of the stream made on other machines, dealt out to them by tf.data service.

The unit of work is a block, which can be made anywhere from its place alone. tf.data service deals
the numbers of a lane's blocks out to its workers, first come, first served; the reader puts them
back in order. So the batches, their order and the places in the data are those of a stream without
the service, whatever the number and speed of the workers.

A worker runs the stream's own code: its process holds a Python function where the graph of the
dataset, which travels, holds a name.
"""

import functools
import json
import os
import socket
import threading

import numpy as np
import tensorflow as tf

from keras_bert.data import fingerprint
from keras_bert.data.blocks import Counts

# The name TensorFlow gives the first Python function of a process.
_TOKEN = "pyfunc_0"
_ARRAYS = {
    "token_ids": (np.int32, 2),
    "segment_ids": (np.int32, 2),
    "padding_mask": (np.int32, 2),
    "mask_positions": (np.int32, 2),
    "mask_ids": (np.int32, 2),
    "mask_weights": (np.float32, 2),
    "next_sentence_labels": (np.int32, 1),
}
_TYPES = [tf.int64, tf.int64, *(tf.as_dtype(dtype) for dtype, _ in _ARRAYS.values())]
# Of what a corpus is opened from, not set.
_FOUND = ("windows_per_epoch", "tokenizer", "corpus")
# A block that so many later ones have overtaken was with a worker that died.
_MOST_OVERTAKING = 16
_PATIENCE = 10


def start_dispatcher(port=0):
    """Starts the server that deals out the work; keep what is returned.

    TensorFlow binds it, and the workers, to all interfaces of a machine, and asks for no password:
    they belong into a network that only the machines of a cluster reach.

    Args:
        port: int; 0 for any free one.

    Returns:
        `tf.data.experimental.service.DispatchServer`, whose `target` is what
        `kb.data.pretraining(..., service=target)` takes.
    """
    service = tf.data.experimental.service
    return service.DispatchServer(service.DispatcherConfig(port=port))


def start_worker(dispatcher, port=0, address=None):
    """Starts a server that makes blocks; keep what is returned.

    It must be the first in its process to give TensorFlow a Python function, and sees the corpus
    under the same names as the reader.

    Args:
        dispatcher: str, `"grpc://host:port"`.
        port: int; 0 for any free one.
        address: str, `"host:port"` under which readers reach it, `%port%` for the port; by default
            `"localhost:%port%"`.

    Returns:
        `tf.data.experimental.service.WorkerServer`.

    Raises:
        RuntimeError: the process has been used for other datasets.
        ConnectionError: no dispatcher answers there.
    """
    host = _reach(dispatcher)
    global _graph
    if _graph is None:
        graph = tf.Graph()
        with graph.as_default():
            argument = tf.constant(""), tf.constant(0, tf.int64), tf.constant(0, tf.int64)
            token = tf.numpy_function(_make, argument, _TYPES)[0].op.get_attr("token").decode()
        if token != _TOKEN:
            raise RuntimeError(
                f"A worker needs a process of its own: here {token} is already taken. Start it "
                "with keras-bert data_service --dispatcher=..."
            )
        _graph = graph
    service = tf.data.experimental.service
    return service.WorkerServer(
        service.WorkerConfig(
            dispatcher_address=host,
            worker_address=address or "localhost:%port%",
            port=port,
            heartbeat_interval_ms=1_000,
        )
    )


# Holds the function: TensorFlow itself does so weakly.
_graph = None


class ServiceBlocks:
    """Takes the blocks of a stream from a tf.data service, in order. Threads may share it.

    Args:
        service: str, `"grpc://host:port"` of the dispatcher.
        stream: the `PretrainingStream` whose blocks they are.
        description: str, what a worker makes the same stream from; see `describe`.
        outstanding: int, blocks of a lane under way at a time.

    Raises:
        ConnectionError: no dispatcher answers there.
    """

    def __init__(self, service, stream, description, outstanding):
        _reach(service)
        self._service, self._stream, self._outstanding = service, stream, outstanding
        self._description = description
        self._lanes, self._lock = {}, threading.Lock()

    def make(self, epoch, lane, block, offset=0):
        """As `ExampleMaker.make`.

        Raises:
            RuntimeError: a worker could not make the block; the message says why.
        """
        with self._lock:
            if lane not in self._lanes:
                self._lanes[lane] = _Lane(self._dataset(lane))
        number = epoch * self._stream.num_blocks + block
        found = self._lanes[lane].take(number)
        if found is None:
            return self._stream.make_block(epoch, lane, block, offset)
        _, counts, *arrays = found
        examples = {name: array[offset:] for name, array in zip(_ARRAYS, arrays, strict=True)}
        if self._stream.pairs == "none":
            del examples["next_sentence_labels"]
        return examples, Counts(*counts.tolist())

    def _dataset(self, lane):
        """The blocks of a lane from the stream's start on: `(number, counts, arrays...)`."""
        stream = self._stream
        start = stream.start.places[lane]
        first = start.epoch * stream.num_blocks + start.block
        end = np.iinfo(np.int64).max
        if stream.epochs is not None:
            end = stream.epochs * stream.num_blocks

        def make(number):
            found = tf.raw_ops.PyFuncStateless(
                input=[tf.constant(self._description), tf.constant(lane, tf.int64), number],
                token=_TOKEN,
                Tout=_TYPES,
            )
            ranks = [0, 1, *(rank for _, rank in _ARRAYS.values())]
            for tensor, rank in zip(found, ranks, strict=True):
                tensor.set_shape([None] * rank)
            return found

        service = tf.data.experimental.service
        return (
            tf.data.Dataset.range(first, end)
            .map(make)
            .apply(
                service.distribute(
                    processing_mode=service.ShardingPolicy.DYNAMIC,
                    service=self._service,
                    max_outstanding_requests=self._outstanding,
                )
            )
        )


class _Lane:
    """The results of one lane's job, by number."""

    def __init__(self, dataset):
        self._results = dataset.as_numpy_iterator()
        self._waiting, self._next = {}, 0
        self._condition = threading.Condition()

    def take(self, number):
        """The result of this number; None where its worker has been lost."""
        with self._condition:
            while number not in self._waiting:
                later = sum(other > number for other in self._waiting)
                if later >= _MOST_OVERTAKING:
                    return None
                try:
                    result = next(self._results)
                except StopIteration:
                    return None
                except tf.errors.OpError as error:
                    raise RuntimeError(_reason(error)) from None
                self._waiting[int(result[0])] = result
            # What comes late, after it was given up, goes.
            for old in [other for other in self._waiting if other < number - _MOST_OVERTAKING]:
                del self._waiting[old]
            return self._waiting.pop(number)


def describe(files, tokenizer, found):
    """What a worker makes the same stream from, str.

    Args:
        files: as `PretrainingStream` takes them.
        tokenizer: a `BertTokenizer`.
        found: dict, the stream's fingerprint.
    """
    if isinstance(files, dict):
        files = {"mixture": [[_absolute(names), weight] for names, weight in files.items()]}
    else:
        files = _absolute(files)
    return json.dumps(
        {
            "files": files,
            "vocabulary": tokenizer.vocabulary,
            "options": tokenizer.options,
            "fingerprint": found,
        }
    )


def _make(description, lane, number):
    """In a worker: makes a block."""
    stream = _open(description)
    epoch, block = divmod(int(number), stream.num_blocks)
    examples, counts = stream.make_block(epoch, int(lane), block)
    arrays = [
        examples.get(name, np.zeros(0, dtype)).astype(dtype, copy=False)
        for name, (dtype, _) in _ARRAYS.items()
    ]
    return [np.int64(number), np.array(counts, np.int64), *arrays]


_opening = threading.Lock()


def _open(description):
    with _opening:
        return _open_once(description)


@functools.lru_cache(maxsize=4)
def _open_once(description):
    """The stream of a description; refused where it is not the reader's."""
    from keras_bert.data.stream import PretrainingStream
    from keras_bert.text.tokenizer import BertTokenizer

    described = json.loads(description)
    wanted, files = described["fingerprint"], described["files"]
    if isinstance(files, dict):
        files = {_listed(names): weight for names, weight in files["mixture"]}
    tokenizer = BertTokenizer(described["vocabulary"], **described["options"])
    settings = {name: value for name, value in wanted.items() if name not in _FOUND}
    stream = PretrainingStream(files, tokenizer, **settings)
    found = fingerprint.differences(_named(wanted), _named(stream.fingerprint()))
    if found:
        raise ValueError(
            f"The worker {socket.gethostname()} sees another corpus than the reader: "
            f"{'; '.join(found)}. Let both see the same files under the same names."
        )
    return stream


def _named(found):
    """A fingerprint with absolute names."""
    corpus = [[os.path.abspath(path), *rest] for path, *rest in found["corpus"]]
    return {**found, "corpus": corpus}


def _absolute(names):
    if isinstance(names, (str, os.PathLike)):
        return os.path.abspath(names)
    return [os.path.abspath(name) for name in names]


def _listed(names):
    return tuple(names) if isinstance(names, list) else names


def _reach(service):
    """The address of a dispatcher that answers."""
    protocol, _, address = service.partition("://")
    host, _, port = address.rpartition(":")
    if not (protocol == "grpc" and host and port.isdigit()):
        raise ValueError(f"service is {service!r}; expected 'grpc://host:port'.")
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except OSError as error:
        raise ConnectionError(
            f"service: no dispatcher answers at {address} ({error}). Start one with keras-bert "
            f"data_service --port={port}"
        ) from error
    return address


def _reason(error):
    """The last line of a worker's Python error within TensorFlow's."""
    lines = [line.strip() for line in error.message.split("\n")]
    known = [line for line in lines if ": " in line and line.split(":")[0].endswith("Error")]
    return f"a worker of the service could not make a block: {known[-1] if known else lines[0]}"
