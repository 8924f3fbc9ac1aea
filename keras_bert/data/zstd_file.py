"""Random access to Zstandard text, unpacked once into a file without a name."""

import errno
import os
import tempfile
import threading

from keras_bert.text.zstd import decompress

# Text of a file is put down in pieces of this size, those of other files between them.
_PIECE = 1 << 22


class Scratch:
    """A temporary file without a name, which threads append to and read from.

    The system frees it when the process ends, however it ends. One serves all files of a corpus:
    the number of open files is bounded, and that of corpora is not.
    """

    def __init__(self):
        self._file = tempfile.TemporaryFile(prefix="keras_bert")  # noqa: SIM115
        self._end, self._lock = 0, threading.Lock()

    def append(self, data):
        """Puts bytes down at the end; returns where they begin."""
        with self._lock:
            place = self._end
            self._end += len(data)
        written = 0
        while written < len(data):
            written += os.pwrite(self._file.fileno(), data[written:], place + written)
        return place

    def read(self, place, size):
        return os.pread(self._file.fileno(), size, place)


class ZstdFile:
    """A `.zst` file that can be read from any place.

    Zstandard keeps no state that could be copied, as zlib's for `GzipFile`, so the text is unpacked
    once, which also checks it and tells its size. It takes room in the folder for temporary files
    (`TMPDIR`), as much as the text is long.

    Args:
        path: str, path of the file.
        scratch: a `Scratch`.

    Raises:
        ModuleNotFoundError, ValueError: as `keras_bert.text.zstd.decompress`.
        OSError: the disk is full.
    """

    def __init__(self, path, scratch):
        self.path = path
        self.size = 0
        self._scratch, self._places = scratch, []
        try:
            pending = bytearray()
            for text in decompress(path):
                self.size += len(text)
                pending += text
                while len(pending) >= _PIECE:
                    self._places.append(scratch.append(bytes(pending[:_PIECE])))
                    del pending[:_PIECE]
            if pending:
                self._places.append(scratch.append(bytes(pending)))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise OSError(
                error.errno,
                f"no room to unpack {path} in {tempfile.gettempdir()}: .zst text is kept there "
                "unpacked while it is read. Set TMPDIR to a folder with room",
            ) from error

    def read(self, start, stop):
        """Returns the text from byte `start` up to byte `stop`."""
        pieces = []
        while start < stop:
            piece, offset = divmod(start, _PIECE)
            size = min(stop - start, _PIECE - offset)
            data = self._scratch.read(self._places[piece] + offset, size)
            pieces.append(data)
            start += size
        return b"".join(pieces)
