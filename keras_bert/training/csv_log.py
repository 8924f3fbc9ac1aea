"""A CSV file that grows by a row an epoch and is cut where a resumed run goes on."""

import os

from keras_bert.text.files import write_atomically


class CSVLog:
    """Rows of measures by the optimizer's step, in memory and in a file.

    Keras's `CSVLogger` appends too, but keeps rows that a resumed run writes again, goes on after
    a torn line, and takes its columns from the first row it sees, whatever the file's header says.

    Args:
        path: str, the file; made with its first row.
        start: int, the optimizer's step: rows behind it are cut.

    Raises:
        ValueError: the file is no such log.

    Example:
        >>> log = CSVLog("runs/tiny/log.csv", start=0)
        >>> log.add({"step": 100, "epoch": 1, "loss": 2.5})
        >>> log.columns()
        {'step': [100], 'epoch': [1], 'loss': [2.5]}
    """

    def __init__(self, path, start):
        self._path = path
        self.rows = []
        self._names = []
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        # Behind the last end of line there is what a kill has left of a row.
        lines = [line.split(",") for line in text.split("\n")[:-1]]
        if lines and lines[0][:2] != ["step", "epoch"]:
            raise ValueError(
                f"{path}: expected a log with columns step, epoch, ...; its first line is "
                f"{','.join(lines[0])[:80]!r}. Name another folder, or move the file away"
            )
        for line in lines[1:]:
            row = {
                name: _number(value) for name, value in zip(lines[0], line, strict=True) if value
            }
            if row["step"] <= start:
                self.rows.append(row)
        if self.rows:
            self._names = lines[0]
            self._write_all()
        else:
            os.remove(path)

    def add(self, row):
        """Appends a row, a dict that begins with `step` and `epoch`, and writes it to the disk."""
        kept = [former for former in self.rows if former["step"] < row["step"]]
        new = [name for name in row if name not in self._names]
        must_rewrite = new or len(kept) < len(self.rows)
        self.rows = [*kept, row]
        self._names = [*self._names, *new]
        if must_rewrite:
            self._write_all()
            return
        with open(self._path, "a", encoding="utf-8", newline="") as file:
            file.write(self._line(row))
            file.flush()
            os.fsync(file.fileno())

    def has(self, step):
        """Whether there is a row of this step."""
        return any(row["step"] == step for row in self.rows)

    def columns(self):
        """Returns the rows as dict of name to list, None where a row has no value."""
        return {name: [row.get(name) for row in self.rows] for name in self._names}

    def _write_all(self):
        header = ",".join(self._names) + "\n"
        write_atomically(self._path, header + "".join(self._line(row) for row in self.rows))

    def _line(self, row):
        # repr gives back the very float that was written.
        return ",".join(repr(row[n]) if n in row else "" for n in self._names) + "\n"


def _number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)
