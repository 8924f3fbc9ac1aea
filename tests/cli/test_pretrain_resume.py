"""`keras-bert pretrain`: killed, terminated, on two workers, in two phases; and started again."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from keras_bert.training.cluster import free_addresses

pytestmark = pytest.mark.slow
SIZE = {
    "vocabulary_size": 31,
    "num_layers": 1,
    "hidden_dim": 16,
    "num_heads": 2,
    "intermediate_dim": 32,
    "max_sequence_length": 32,
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Flags for a corpus, a vocabulary and a size, all tiny."""
    folder = tmp_path_factory.mktemp("inputs")
    letters = list("abcdefghijklmnopqrstuvwxyz")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "size.json").write_text(json.dumps(SIZE))
    rng = np.random.default_rng(7)
    documents = (
        "\n".join(" ".join(rng.choice(letters, rng.integers(3, 8))) for _ in range(8))
        for _ in range(200)
    )
    (folder / "corpus.txt").write_text("\n\n".join(documents) + "\n")
    return [
        f"--input={folder / 'corpus.txt'}",
        f"--vocab={folder / 'vocab.txt'}",
        f"--size={folder / 'size.json'}",
        *("--sequence_length=16", "--batch_size=8", "--steps=60", "--report_every=25"),
        *("--checkpoint_every=5", "--held_out_rate=0.1", "--notensorboard"),
    ]


def start(inputs, output, *flags):
    command = [sys.executable, "-m", "keras_bert.cli.main", "pretrain", *inputs]
    return subprocess.Popen(
        [*command, f"--output={output}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process, seconds=300):
    """Waits; returns the exit code and what was printed. Nothing of it stays behind."""
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for_checkpoint(process, output, steps, phase="phase_1"):
    """Waits until a step is saved; fails where the run ends before."""
    folder = pathlib.Path(output) / "checkpoints" / phase
    for _ in range(3_000):
        found = [int(path.name.split("_")[1]) for path in folder.glob("step_*")]
        if found and max(found) >= steps:
            return
        assert process.poll() is None, process.communicate()[0][-3000:]
        time.sleep(0.02)
    raise AssertionError("no checkpoint came")


def weights(output):
    return (pathlib.Path(output) / "model" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def alone(inputs, tmp_path_factory):
    output = tmp_path_factory.mktemp("alone") / "run"
    code, printed = finish(start(inputs, output))
    assert code == 0, printed[-3000:]
    return output, printed


def test_each_report_counts_what_was_read(alone):
    output, printed = alone
    lines = [line for line in printed.splitlines() if line.startswith("read since this start")]
    assert len(lines) == 3
    numbers = dict(part.split(" ", 1)[::-1] for part in lines[-1].split(": ")[1].split(", "))
    numbers = {name: int(number.replace(",", "")) for name, number in numbers.items()}
    assert numbers["sentences"] == 8 * numbers["documents"] > 0 and numbers["examples"] >= 480
    rows = (output / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "25", "50", "60"]


def test_killed_and_terminated_it_goes_on_bit_for_bit(inputs, alone, tmp_path):
    output = tmp_path / "run"
    process = start(inputs, output, "--resume")
    wait_for_checkpoint(process, output, 10)
    process.kill()
    finish(process)
    process = start(inputs, output, "--resume")
    wait_for_checkpoint(process, output, 30)
    process.terminate()
    code, printed = finish(process)
    if code:  # it may have been done before the signal came
        assert code == 143 and "is saved in" in printed
    code, printed = finish(start(inputs, output))
    assert code == 1 and "--resume to go on, or --overwrite" in printed
    code, printed = finish(start(inputs, output, "--resume"))
    assert code == 0 and "going on from step" in printed, printed[-3000:]
    assert weights(output) == weights(alone[0])
    rows = (output / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "25", "50", "60"]
    code, printed = finish(start(inputs, output, "--resume", "--seed=1"))
    assert code == 1 and "data seed: 0 then, 1 now" in printed


def test_two_workers_of_which_one_is_killed(inputs, tmp_path):
    plain = tmp_path / "size.json"  # without dropout, whose draws are each replica's own
    plain.write_text(json.dumps({**SIZE, "dropout": 0.0, "attention_dropout": 0.0}))
    inputs = [*inputs, f"--size={plain}"]
    alone, whole, output = (tmp_path / name for name in ("alone", "whole", "killed"))
    assert finish(start(inputs, alone))[0] == 0
    workers = f"--workers={','.join(free_addresses(2))}"
    both = [start(inputs, whole, workers, f"--worker_index={index}") for index in range(2)]
    (code, printed), (other_code, others) = map(finish, both)
    assert code == other_code == 0, printed[-3000:] + others[-3000:]
    assert "parameters" in printed  # the chief alone says what was done
    assert "parameters" not in others and "loss" not in others
    assert_close(alone, whole)

    process = start(inputs, output, "--processes=2", "--resume")
    wait_for_checkpoint(process, output, 10)
    psutil.Process(process.pid).children()[-1].kill()
    code, printed = finish(process)
    assert code == 1 and "worker 1 with exit code -9" in printed, printed[-3000:]
    assert "lost worker 1 of this run" in printed
    other = shutil.copytree(output, tmp_path / "other")
    code, printed = finish(start(inputs, output, "--processes=2", "--resume"))
    assert code == 0 and "going on from step" in printed, printed[-3000:]
    assert weights(output) == weights(whole)
    # Another number of workers goes on in the same data, and computes the same but for rounding.
    code, printed = finish(start(inputs, other, "--resume"))
    assert code == 0 and "going on from step" in printed, printed[-3000:]
    assert_close(other, whole)


def assert_close(one, other):
    found, expected = (load_file(path / "model" / "model.safetensors") for path in (one, other))
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


def test_two_phases_go_on_in_each(inputs, tmp_path):
    flags = ("--long_steps=20", "--long_sequence_length=32", "--steps=40", "--checkpoint_every=2")
    whole, output = tmp_path / "whole", tmp_path / "run"
    code, printed = finish(start(inputs, whole, *flags))
    assert code == 0, printed[-3000:]
    for phase, step in (("phase_1", 4), ("phase_1", 20), ("phase_2", 6)):
        process = start(inputs, output, "--resume", *flags)
        wait_for_checkpoint(process, output, step, phase)
        process.kill()
        finish(process)
    code, printed = finish(start(inputs, output, "--resume", *flags))
    assert code == 0, printed[-3000:]
    assert weights(output) == weights(whole)
    last = (output / "log.csv").read_text().splitlines()[-1]
    assert last.split(",")[0] == "40"


def test_a_worker_that_never_comes_is_named(inputs, tmp_path):
    flags = ("--workers=127.0.0.1:1,127.0.0.1:2", "--worker_index=2")
    code, printed = finish(start(inputs, tmp_path / "run", *flags))
    assert code == 1 and "--worker_index is 2; expected 0 to 1" in printed
    here, there = free_addresses(2)
    flags = (f"--workers={here},{there}", "--worker_index=0", "--worker_timeout=1")
    code, printed = finish(start(inputs, tmp_path / "run", *flags))
    assert code == 1 and f"worker 1 ({there})" in printed
