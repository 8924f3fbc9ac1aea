"""A progress bar of work that other processes do, told from the files they leave."""

import contextlib
import os
import threading

from tqdm import tqdm

_SECONDS = 0.5


@contextlib.contextmanager
def progress_bar(output, chunks, windows, shards, file):
    """Shows how many windows are tokenized and shards written while the block runs.

    Args:
        output: str, the folder of the shards.
        chunks: str, the folder of the chunks.
        windows: int, about how many windows there are.
        shards: int.
        file: text file to draw on, where it is a terminal; or None for no bar.
    """
    if file is None:
        yield
        return
    stop = threading.Event()

    def watch():
        bar = tqdm(
            total=windows,
            file=file,
            unit=" windows",
            desc="tokenize",
            leave=False,
            disable=None,  # a terminal alone shows it
        )
        with bar:
            while not stop.wait(_SECONDS):
                tokenized = _count(chunks, "chunk-", lambda name: int(name.split("-")[3][:4]))
                written = _count(output, "shard-", lambda name: 1)
                if written and bar.total != shards:
                    bar.reset(shards)
                    bar.set_description("write shards")
                    bar.unit = " shards"
                bar.n = written or min(tokenized, bar.total)
                bar.refresh()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _count(folder, start, weight):
    names = [name for name in os.listdir(folder) if name.startswith(start)]
    return sum(weight(name) for name in names if name.endswith(".safetensors"))
