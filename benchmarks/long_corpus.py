"""A corpus that does not fit in memory: 2 GB of text, the real sets again and again.

Seconds from opening it to the first batch, from the beginning and at step 100,000, and the most
memory the process has had, which must not grow with the batches. The place of step 100,000 is not
gone to: the cost of going on is that of one block of each lane, whichever epoch it is in.
"""

import os
import resource
import shutil

from benchmarks.data import GUTENBERG
from benchmarks.groups import Group
from benchmarks.measure import Stopwatch

SETS = (GUTENBERG, "zh_novels/corpus.txt", "wikitext2/test.docs.txt", "zh_wiki/simplified.txt")
BATCH = 256
STEP = 100_000
# What a batch of rows of 128 takes of these sets, in bytes; English has more to a token.
_BATCH_BYTES = 120_000


def _files(setting):
    """The corpus, ten files below the results, made once."""
    size = 40_000_000 if setting.quick else 2_000_000_000
    folder = os.path.join(os.path.dirname(__file__), "results", f"long_corpus_{size >> 20}_MiB")
    if not os.path.isdir(folder):
        new = f"{folder}.{os.getpid()}.new"
        os.makedirs(new)
        for number in range(10):
            with open(os.path.join(new, f"{number}.txt"), "wb") as target:
                while target.tell() < size // 10:
                    for name in SETS:
                        with open(setting.data / name, "rb") as source:
                            shutil.copyfileobj(source, target)
                        target.write(b"\n\n")
        os.rename(new, folder)
    return os.path.join(folder, "*.txt")


def _stream(setting, **settings):
    import keras_bert as kb

    tokenizer = kb.BertTokenizer(setting.vocabulary)
    tokenizer(["The first call builds the graph."])
    files = _files(setting)
    return lambda **more: kb.data.PretrainingStream(
        files, tokenizer, batch_size=BATCH, **settings, **more
    )


def _first_batch(open_stream, **settings):
    watch = Stopwatch()
    batches = open_stream(**settings).batches()
    next(batches)
    watch.lap()
    batches.close()
    return {"figure": watch.seconds, "by_cpu": watch.cpu_seconds}


def _start(setting):
    open_stream = _stream(setting)
    return lambda: _first_batch(open_stream)


def _go_on(setting):
    open_stream = _stream(setting)
    stream = open_stream()
    size = sum(stream.corpus.sizes)
    epoch = STEP * _BATCH_BYTES // size
    # The last block of an epoch, and an example in the middle of it.
    start = [(epoch, stream._deal.num_blocks - 1, 200)] * stream.lanes
    return lambda: _first_batch(open_stream, start=start)


def _memory(setting):
    open_stream = _stream(setting)
    batches, steps = None, 100 if setting.quick else 2_000

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def run():
        # Every repeat goes on where the one before stopped: memory shows whether it grows.
        nonlocal batches
        batches = batches or iter(open_stream().dataset())
        for _ in range(steps):
            next(batches)
        return {"figure": peak(), "by_cpu": peak()}

    return run


GROUPS = [
    Group(
        name="2 GB of text, start to first batch",
        unit="s",
        contenders={"ours": _start},
        larger_is_better=False,
        files=SETS,
        goal=5,
    ),
    Group(
        name="2 GB of text, going on at step 100,000",
        unit="s",
        contenders={"ours": _go_on},
        larger_is_better=False,
        files=SETS,
        goal=10,
    ),
    Group(
        name="2 GB of text, peak memory of the process",
        unit="MiB",
        contenders={"ours": _memory},
        larger_is_better=False,
        files=SETS,
        goal=1_500,
    ),
]
