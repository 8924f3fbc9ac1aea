"""Several workers on one machine, started and stopped together."""

import os
import signal
import subprocess
import sys
import time

from keras_bert.training.cluster import Cluster, free_addresses

# When one worker has failed the others learn it from TensorFlow; after so long they are stopped.
_PATIENCE = 60.0


def launch(name, count, values):
    """Runs a command in `count` processes, each with its TF_CONFIG, and waits for them.

    SIGTERM and Ctrl-C are handed on to the workers. They write to this terminal.

    Args:
        name: str, the command.
        count: int, workers.
        values: `absl.flags.FlagValues` of the command, which the workers get but for `--processes`.

    Raises:
        RuntimeError: a worker failed; the others have been stopped.
        SystemExit: all left because of SIGTERM, with their exit code.
    """
    addresses = free_addresses(count)
    arguments = [f"--{flag}={value}" for flag, value in _given(values) if flag != "processes"]
    command = [sys.executable, "-m", "keras_bert.cli.main", name, *arguments]
    workers = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in before:
            signal.signal(number, lambda *_, number=number: _send(workers, number))
        for index in range(count):
            variable = {"TF_CONFIG": Cluster(addresses, index).to_environment()}
            workers.append(subprocess.Popen(command, env={**os.environ, **variable}))
        codes = _wait(workers)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _send(workers, signal.SIGKILL)
    failed = [index for index, code in enumerate(codes) if code]
    if failed and all(codes[index] == 128 + signal.SIGTERM for index in failed):
        sys.exit(codes[failed[0]])
    if failed:
        ends = ", ".join(f"worker {index} with exit code {codes[index]}" for index in failed)
        raise RuntimeError(
            f"of {count} workers, {ends} failed; see above. The command with --resume goes on from "
            "the last checkpoint"
        )


def _given(values):
    """The flags that were given, each value of a repeated one by itself."""
    for name in values:
        flag = values[name]
        if flag.present:
            many = isinstance(flag.value, list)
            if many and flag.flag_type().startswith("comma"):
                yield name, ",".join(flag.value)
            else:
                yield from ((name, value) for value in (flag.value if many else [flag.value]))


def _wait(workers):
    deadline = None
    while True:
        codes = [worker.poll() for worker in workers]
        if None not in codes:
            return codes
        if deadline is None and any(codes):
            deadline = time.monotonic() + _PATIENCE
        if deadline is not None and time.monotonic() > deadline:
            _send(workers, signal.SIGKILL)
        time.sleep(0.1)


def _send(workers, number):
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(number)
