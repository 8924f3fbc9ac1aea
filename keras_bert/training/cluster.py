"""The workers of a run on several machines, as TF_CONFIG names them. Standard library only."""

import json
import os
import socket
import time
from typing import NamedTuple

_SOON = 0.2


class Cluster(NamedTuple):
    """The workers of a run and which of them this process is.

    Args:
        workers: tuple of str, `"host:port"` of each; the first is the chief.
        index: int, this process.

    Example:
        >>> Cluster(("10.0.0.1:2222", "10.0.0.2:2222"), 1).is_chief
        False
    """

    workers: tuple
    index: int

    @property
    def is_chief(self):
        """Whether this process writes what one process alone may write."""
        return self.index == 0

    @classmethod
    def from_environment(cls):
        """Reads the variable TF_CONFIG.

        Source: https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable

        Returns:
            A `Cluster`, or None where the variable is unset or names no worker.

        Raises:
            ValueError: it is no JSON, or it does not say which worker this is.
        """
        text = os.environ.get("TF_CONFIG")
        if not text:
            return None
        try:
            value = json.loads(text)
            jobs = value.get("cluster", {})
            workers = (*jobs.get("chief", ()), *jobs.get("worker", ()))
            task = value.get("task", {})
            kind, number = task.get("type"), int(task.get("index", 0))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"TF_CONFIG is {text!r}; expected JSON like {_example()} ({error})"
            ) from None
        if not workers:
            return None
        index = number + (len(jobs.get("chief", ())) if kind == "worker" else 0)
        if kind not in ("chief", "worker") or not 0 <= index < len(workers):
            raise ValueError(
                f"TF_CONFIG names {len(workers)} workers and the task {task!r}; expected a task "
                f"that is one of them, like {_example()}"
            )
        return cls(tuple(workers), index)

    def to_environment(self):
        """Returns the value of TF_CONFIG for this process, a str."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.workers)}, "task": task})

    def wait(self, timeout=300.0):
        """Waits until every worker has come, so that a missing one is named.

        TensorFlow itself waits for an hour and then says little. Each process listens at its own
        address until it has reached all others once; whoever comes later reaches TensorFlow's own
        server there.

        Args:
            timeout: float, seconds. Default 300.

        Raises:
            TimeoutError: it names the workers that have not come.
            OSError: this worker's port is taken, or its name is not known.
        """
        if len(self.workers) == 1:
            return
        deadline = time.monotonic() + timeout
        missing = {worker for i, worker in enumerate(self.workers) if i != self.index}
        with _listen(self.workers[self.index]):
            while missing:
                missing = {worker for worker in missing if not _answers(worker)}
                if not missing:
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"worker {self.index} ({self.workers[self.index]}) has waited "
                        f"{timeout:g} seconds for {', '.join(self._named(missing))}. Start it with "
                        "the same list of workers, and see that its port can be reached from here"
                    )
                time.sleep(_SOON)

    def _named(self, workers):
        return [f"worker {i} ({name})" for i, name in enumerate(self.workers) if name in workers]


def free_addresses(count):
    """Returns `count` addresses of this machine whose ports are free now, a tuple of str."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)
    finally:
        for each in sockets:
            each.close()


def _split(address):
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"a worker's address is {address!r}; expected host:port")
    return host.strip("[]"), int(port)


def _listen(address):
    _, port = _split(address)
    try:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        return socket.create_server(
            ("", port), family=family, dualstack_ipv6=family == socket.AF_INET6
        )
    except OSError as error:
        raise OSError(
            error.errno,
            f"port {port} of this worker ({address}) cannot be opened: {error.strerror}. Is "
            "another process, perhaps an earlier run, still using it?",
        ) from None


def _answers(address):
    try:
        socket.create_connection(_split(address), timeout=1.0).close()
        return True
    except OSError:
        return False


def _example():
    return Cluster(("host1:2222", "host2:2222"), 0).to_environment()
