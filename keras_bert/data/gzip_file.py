"""Random access to gzipped text, by snapshots of the decompressor."""

import zlib
from typing import NamedTuple

# Deflate packs at most 1,032 to 1, so a piece of text is at most 17 MB.
_CHUNK = 1 << 14
# Window bits 31: zlib reads the gzip header and checks the checksum and length behind each member.
_GZIP = 31


def open_again(path):
    """Opens a file of a corpus for reading bytes; it was there at the start of the run.

    Raises:
        FileNotFoundError: it has vanished; the message says what to do.
    """
    try:
        return open(path, "rb")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno,
            "the file was there at the start of the run and has vanished. A corpus must stay while "
            "it is read: put the file back and start again from the last checkpoint",
            path,
        ) from error


class _State(NamedTuple):
    """Where decompressing stands: bytes of text, bytes of the file, and zlib's state.

    `decompressor` is None where a member of the file, or its end, comes next.
    """

    position: int
    compressed: int
    decompressor: object

    def copy(self):
        return self._replace(decompressor=self.decompressor and self.decompressor.copy())


class GzipFile:
    """A gzipped file, of one or more members, that can be read from any place.

    The file is decompressed once to learn its size, to check it, and to keep snapshots on the way.
    A later read goes on from the nearest snapshot before its place. Their number is bounded: in a
    very long file they stand further apart, and a read decompresses more.

    Args:
        path: str, path of the file.
        spacing: int, bytes of text between snapshots at first.
        most_snapshots: int, snapshots to keep, about 45 KB each; where there would be more, every
            second one goes.

    Raises:
        ValueError: the file is damaged or cut short.
    """

    def __init__(self, path, spacing, most_snapshots):
        self.path = path
        self._snapshots = [_State(0, 0, None)]
        for _, state in self._decompress(self._snapshots[0]):
            if state.position >= self._snapshots[-1].position + spacing:
                self._snapshots.append(state.copy())
            if len(self._snapshots) > max(1, most_snapshots):
                self._snapshots = self._snapshots[::2]
                spacing *= 2
            self.size = state.position

    def read(self, start, stop):
        """Returns the text from byte `start` up to byte `stop`."""
        nearest = max(
            (snapshot for snapshot in self._snapshots if snapshot.position <= start),
            key=lambda snapshot: snapshot.position,
        )
        pieces, position = [], nearest.position
        for piece, state in self._decompress(nearest.copy()):
            pieces.append(piece[max(0, start - position) : max(0, stop - position)])
            position = state.position
            if position >= stop:
                break
        return b"".join(pieces)

    def _decompress(self, state):
        """Yields `(text, state after it)` from a state on; the state moves on with the next."""
        position, compressed, decompressor = state
        try:
            with open_again(self.path) as file:
                file.seek(compressed)
                data = b""
                while True:
                    data = data or file.read(_CHUNK)
                    if decompressor is None:
                        if not data:
                            return
                        # Zeros may pad the file between members and at its end.
                        padding = len(data) - len(data.lstrip(b"\0"))
                        compressed += padding
                        data = data[padding:]
                        if not data:
                            continue
                        decompressor = zlib.decompressobj(_GZIP)
                    elif not data:
                        raise zlib.error("it is cut short")
                    text = decompressor.decompress(data)
                    rest = decompressor.unused_data
                    compressed += len(data) - len(rest)
                    position += len(text)
                    data = rest
                    if decompressor.eof:
                        decompressor = None
                    yield text, _State(position, compressed, decompressor)
        except zlib.error as error:
            raise ValueError(
                f"{self.path} is damaged: after {compressed:,} bytes it is not gzip any more "
                f"({error}). Make or copy the file anew, or leave it out."
            ) from error
