"""TensorFlow and Beam without the banners they print while they start."""

import contextlib
import os
import tempfile


@contextlib.contextmanager
def quiet(is_shown_on_failure=True):
    """Keeps what is printed to stderr, by this process and those it starts, off the terminal.

    The banners come from C++ before any setting of TensorFlow is read, so the only way to keep
    them off the terminal is to lend them another file.

    Args:
        is_shown_on_failure: bool, whether an exception brings it to the terminal.

    Yields:
        A file object that still writes to the terminal.
    """
    with tempfile.TemporaryFile() as kept, contextlib.ExitStack() as stack:
        terminal = os.dup(2)
        stack.callback(os.close, terminal)
        os.dup2(kept.fileno(), 2)
        try:
            with open(os.dup(terminal), "w", encoding="utf-8") as file:
                yield file
        except BaseException:
            if is_shown_on_failure:
                kept.seek(0)
                os.write(terminal, kept.read())
            raise
        finally:
            os.dup2(terminal, 2)


def import_tensorflow(start=None):
    """Imports TensorFlow and starts its devices; what it prints is shown only if that fails.

    Args:
        start: callable, what starts the devices; by default they are listed.

    Returns:
        What `start` returned, or None.
    """
    with quiet():
        import tensorflow as tf

        if start is not None:
            return start()
        tf.config.list_logical_devices()
