"""TensorFlow without the banners it prints while it starts."""

import contextlib
import os
import tempfile


def import_tensorflow(start=None):
    """Imports TensorFlow and finds its devices; what it prints is shown only if that fails.

    The banners come from C++ before any setting of TensorFlow is read, so the only way to keep
    them off the terminal is to lend them another file.

    Args:
        start: callable, what starts the devices; by default they are listed.

    Returns:
        What `start` returned, or None.
    """
    with tempfile.TemporaryFile() as kept, contextlib.ExitStack() as stack:
        terminal = os.dup(2)
        stack.callback(os.close, terminal)
        os.dup2(kept.fileno(), 2)
        try:
            import tensorflow as tf

            if start is not None:
                return start()
            tf.config.list_logical_devices()
        except BaseException:
            kept.seek(0)
            os.write(terminal, kept.read())
            raise
        finally:
            os.dup2(terminal, 2)
