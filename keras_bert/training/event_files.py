"""TensorBoard's event files: scalars over the optimizer's step, also of a run that was resumed."""

import glob
import os
import time


class EventFile:
    """Appends scalars to a folder that TensorBoard shows as one run.

    Keras's own callback counts epochs where a run of BERT counts steps, and keeps the points that
    a killed run wrote behind its last checkpoint. Here the file begins with a mark of a new start
    at `start`, at which TensorBoard drops the points behind it.

    Args:
        directory: str, the folder; made as needed. Its file is made with the first scalars.
        start: int, the optimizer's step from which the run goes on; 0 removes the event files that
            are there.

    Example:
        >>> events = EventFile("runs/tiny/tensorboard/train", start=500)
        >>> events.add(600, {"loss": 2.5})
        >>> events.close()
    """

    def __init__(self, directory, start):
        self._directory = directory
        self._start = start
        self._writer = None
        self._former = glob.glob(os.path.join(glob.escape(directory), "events.out.tfevents.*"))
        if start == 0:
            for path in self._former:
                os.remove(path)

    def add(self, step, scalars):
        """Writes a dict of floats for one step, and out to the disk."""
        import tensorflow as tf

        if self._writer is None:
            os.makedirs(self._directory, exist_ok=True)
            self._writer = tf.io.TFRecordWriter(self._path())
            self._write(file_version="brain.Event:2")
            mark = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
            self._write(step=self._start + 1, session_log=mark)
        values = [tf.compat.v1.Summary.Value(tag=k, simple_value=v) for k, v in scalars.items()]
        self._write(step=step, summary=tf.compat.v1.Summary(value=values))
        self._writer.flush()

    def close(self):
        """Closes the file; the next scalars would begin another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, **fields):
        import tensorflow as tf

        event = tf.compat.v1.Event(wall_time=time.time(), **fields)
        self._writer.write(event.SerializeToString())

    def _path(self):
        # TensorBoard reads a folder's files in the order of their names; another machine's clock
        # may be behind that of the one on which the run began.
        seconds = int(time.time())
        for path in self._former:
            number = os.path.basename(path).split(".")[3]
            if number.isdigit():
                seconds = max(seconds, int(number) + 1)
        return os.path.join(self._directory, f"events.out.tfevents.{seconds:010}.{os.getpid()}")
