"""Runs the notebooks from top to bottom, in order, each in a fresh kernel of this interpreter.

    python notebooks/run.py                     all of them, as `make notebooks` does
    python notebooks/run.py 01_pretrain.ipynb   some of them

The notebooks of this folder stay as they are, without outputs; what a run gave, pictures included,
lies in `runs/notebooks/`.
"""

import os
import pathlib
import sys
import tempfile
import time

import nbformat
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

FOLDER = pathlib.Path(__file__).resolve().parent
OUTPUT = FOLDER.parent / "runs" / "notebooks"
CELL_TIMEOUT = 600  # seconds


def main(names):
    """Runs notebooks, all where none are named; returns the exit code, 1 at the first failure."""
    paths = [FOLDER / pathlib.Path(name).name for name in names]
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as specs:
        # A specification of our own: "python3" may name another interpreter on this machine.
        write_kernel_spec(os.path.join(specs, "here"))
        for path in paths or sorted(FOLDER.glob("*.ipynb")):
            start = time.perf_counter()
            failure = run(path, specs)
            print(
                f"{path.name}: {'failed' if failure else 'passed'} "
                f"in {time.perf_counter() - start:.0f} s",
                flush=True,
            )
            if failure:
                print(failure, file=sys.stderr)
                return 1
    return 0


def run(path, specs):
    """Runs one notebook and writes it with its outputs; returns what went wrong, or None."""
    notebook = nbformat.read(path, as_version=4)
    manager = AsyncKernelManager(
        kernel_name="here",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[specs]),
        # Files in a folder of this user rather than open ports.
        transport="ipc",
        ip=os.path.join(specs, path.stem),
    )
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_TIMEOUT,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    # What libraries write below Python's level says little; where a kernel dies it says why.
    log = OUTPUT / f"{path.stem}.log"
    try:
        with open(log, "wb") as stderr:
            client.execute(stderr=stderr)
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:  # the last: a dead kernel
        # The cell at work is the last one that was begun.
        begun = [
            number
            for number, cell in enumerate(notebook.cells, start=1)
            if "execution" in cell.metadata
        ]
        place = f"cell {begun[-1]}" if begun else "no cell was begun"
        return f"{path.name}, {place}: {error}\nMore in {log}"
    finally:
        nbformat.write(notebook, OUTPUT / path.name)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
