"""A contender's process as `benchmarks.run` sees it."""

import contextlib
import json
import os
import select
import subprocess
import sys

# Longest wait for one answer, in seconds: preparing and tracing take a minute, a repeat less.
_PATIENCE = 1_200


class Contender:
    """Starts the process and waits until it is ready; `repeat` is one repeat.

    Attributes:
        name: str.
        figures, by_cpu: lists of float, a number for each repeat done.
        error: str or None; after one there are no more repeats.
    """

    def __init__(self, name, task, root, log):
        self.name, self.figures, self.by_cpu, self.error = name, [], [], None
        self._log = log
        with open(log, "wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", json.dumps(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                cwd=root,
                env={
                    **os.environ,
                    "KERAS_BACKEND": "tensorflow",
                    "TF_CPP_MIN_LOG_LEVEL": "2",
                    "HF_HUB_OFFLINE": "1",
                    "PYTHONHASHSEED": "0",
                },
            )
        self._answer()

    def repeat(self):
        """One repeat; nothing where there was an error."""
        if self.error is None:
            try:
                self._process.stdin.write(b"go\n")
                self._process.stdin.flush()
            except BrokenPipeError:  # it died while waiting
                self._fail_of_silence()
                return
            answer = self._answer()
            if answer is not None:
                self.figures.append(answer["figure"])
                self.by_cpu.append(answer["by_cpu"])

    def end(self):
        """Ends the process, by force where it is at work."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20 if self.error is None else 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _answer(self):
        """The next answer, or None and an error."""
        if not select.select([self._process.stdout], [], [], _PATIENCE)[0]:
            self.error = f"no answer within {_PATIENCE} s"
            return None
        line = self._process.stdout.readline()
        if not line:
            self._fail_of_silence()
            return None
        answer = json.loads(line)
        self.error = answer.get("error")
        return answer if self.error is None else None

    def _fail_of_silence(self):
        code = self._process.wait()
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        self.error = f"ended with code {code}: {lines[-1] if lines else 'no message'}"
