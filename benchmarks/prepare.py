"""MB of raw text a second that `keras-bert prepare` turns into shards, as a process of its own.

    python -m benchmarks.prepare --megabytes=200 --workers=1,2

The text is the English sets, each repeat of them with a line of its own in every document, so that
no two documents are equal. For every number of workers it says how fast, how many cores were busy
on average, and the peak memory of all processes together and of the largest one; and it checks
that all outputs are the same, byte for byte. Starting Python and TensorFlow is charged.
"""

import filecmp
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import psutil
from absl import app, flags

from benchmarks.data import GUTENBERG, find_vocabulary

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEXTS = (GUTENBERG, "wikitext2/test.docs.txt", "wikitext2/valid.docs.txt")

_MEGABYTES = flags.DEFINE_integer("megabytes", 200, "Text to prepare.", lower_bound=1)
_WORKERS = flags.DEFINE_list("workers", ["1", "2", "2"], "Numbers of processes, run after run.")
_DATA = flags.DEFINE_string(
    "data", str(ROOT.parent / "shared" / "data"), "Folder of the real data sets."
)


def main(argv):
    if argv[1:]:
        raise app.UsageError(f"unexpected argument {argv[1]!r}: everything is a --flag")
    data = pathlib.Path(_DATA.value)
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    vocabulary = find_vocabulary(data, results)
    with tempfile.TemporaryDirectory(dir=results) as folder:
        folder = pathlib.Path(folder)
        megabytes = _write_text(data, folder / "text.txt") / 1e6
        print("| workers | MB/s | seconds | cores busy | peak memory, all | largest process |")
        print("|---|---|---|---|---|---|")
        outputs = []
        for number, workers in enumerate(_WORKERS.value):
            outputs.append(folder / f"out{number}")
            seconds, cpu, most, largest = _measure(
                f"--input={folder / 'text.txt'}",
                f"--vocab={vocabulary}",
                f"--output={outputs[-1]}",
                f"--workers={workers}",
            )
            print(
                f"| {workers} | {megabytes / seconds:.1f} | {seconds:.1f} | {cpu / seconds:.2f} | "
                f"{most / 1e6:,.0f} MB | {largest / 1e6:,.0f} MB |",
                flush=True,
            )
        print(f"{megabytes:.0f} MB; outputs equal byte for byte: {_are_equal(outputs)}")


def _write_text(data, path):
    texts = [(data / name).read_text(encoding="utf-8") for name in TEXTS]
    documents = [part for text in texts for part in re.split(r"\n\n+", text) if part.strip()]
    written, number = 0, 0
    with open(path, "wb") as file:
        while written < _MEGABYTES.value * 1_000_000:
            document = documents[number % len(documents)]
            written += file.write(f"Number {number}.\n{document.strip()}\n\n".encode())
            number += 1
    return written


def _measure(*arguments):
    """Runs the command; returns its seconds, CPU seconds, and the peak memory (proportional set
    size) of all its processes together and of the largest."""
    process = psutil.Popen(
        [sys.executable, "-m", "keras_bert.cli.main", "prepare", *arguments],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    begin, cpu, most, largest = time.perf_counter(), {}, 0, 0
    while process.poll() is None:
        sizes = []
        for one in [process, *_children(process)]:
            try:
                sizes.append(one.memory_full_info().pss)
                times = one.cpu_times()
                cpu[one.pid] = times.user + times.system
            except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
                continue
        most, largest = max(most, sum(sizes)), max([largest, *sizes])
        time.sleep(0.2)
    if process.returncode:
        raise RuntimeError(f"keras-bert prepare failed with exit code {process.returncode}")
    return time.perf_counter() - begin, sum(cpu.values()), most, largest


def _children(process):
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _are_equal(outputs):
    names = sorted(os.listdir(outputs[0]))
    return all(
        sorted(os.listdir(output)) == names
        and not any(filecmp.cmpfiles(outputs[0], output, names, shallow=False)[1:])
        for output in outputs
    )


if __name__ == "__main__":
    app.run(main)
