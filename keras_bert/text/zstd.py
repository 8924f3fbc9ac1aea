"""Reading files compressed by Zstandard, whole and checked. The zstandard package is an extra."""

import io
import os

# A block of a frame unpacks to 128 KiB at most and may be 4 bytes long, so a piece has 32 MB at
# most whatever the file says; of ordinary text a few KB.
_CHUNK = 1 << 10
# What `zstd --long` asks for; a frame that wants more memory to be unpacked is refused.
_LARGEST_WINDOW = 1 << 27


def decompress(path):
    """Yields the content of a `.zst` file, of one or more frames, in pieces of bounded size.

    Args:
        path: str or path-like.

    Raises:
        ModuleNotFoundError: zstandard is not installed; the message says how to.
        ValueError: the file is damaged or cut short, or needs over 128 MiB to be unpacked.
    """
    try:
        import zstandard
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{os.fspath(path)} needs the zstandard package: pip install zstandard"
        ) from error
    maker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    compressed, frame = 0, None
    try:
        with open(path, "rb") as file:
            while data := file.read(_CHUNK):
                while data:
                    frame = frame or maker.decompressobj()
                    text = frame.decompress(data)
                    rest = frame.unused_data
                    compressed += len(data) - len(rest)
                    data = rest
                    if frame.eof:
                        frame = None
                    if text:
                        yield text
        if frame is not None:
            raise zstandard.ZstdError("it is cut short")
    except zstandard.ZstdError as error:
        if "too much memory" in str(error):
            raise ValueError(
                f"{os.fspath(path)} needs over {_LARGEST_WINDOW >> 20} MiB of memory to be "
                "unpacked. Make it anew without --ultra and with --long=27 at most."
            ) from error
        raise ValueError(
            f"{os.fspath(path)} is damaged: after {compressed:,} bytes it is not Zstandard any "
            f"more ({error}). Make or copy the file anew, or leave it out."
        ) from error


class ZstdReader(io.RawIOBase):
    """A `.zst` file as a binary stream, from beginning to end; wrap it in `io.BufferedReader`."""

    def __init__(self, path):
        self._pieces, self._piece = decompress(path), b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._piece:
            self._piece = next(self._pieces, None)
            if self._piece is None:
                self._piece = b""
                return 0
        size = min(len(buffer), len(self._piece))
        buffer[:size], self._piece = self._piece[:size], self._piece[size:]
        return size

    def close(self):
        self._pieces.close()
        super().close()
