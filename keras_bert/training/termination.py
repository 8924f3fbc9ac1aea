"""SIGTERM as a request to leave at the next step, not as the end."""

import contextlib
import signal
import sys
import threading

_EXIT_CODE = 128 + signal.SIGTERM


class Termination(contextlib.AbstractContextManager):
    """Notes SIGTERM while it is entered; outside of the main thread nothing can be noted.

    Attributes:
        is_requested: bool, whether the signal has come.

    Example:
        >>> with Termination() as termination:
        ...     termination.is_requested
        False
    """

    def __init__(self):
        self.is_requested = False

    def __enter__(self):
        self._is_listening = threading.current_thread() is threading.main_thread()
        if self._is_listening:
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *error):
        if self._is_listening:
            signal.signal(signal.SIGTERM, self._before)

    def _note(self, number, frame):
        self.is_requested = True


def leave(message):
    """Ends the process as SIGTERM would, with exit code 143, after a line on standard error."""
    print(message, file=sys.stderr, flush=True)
    raise SystemExit(_EXIT_CODE)
