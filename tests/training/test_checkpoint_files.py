"""Checkpoint folders: whole or not there, the damaged passed over, no room on the disk."""

import json
import os
import resource
import signal

import numpy as np
import pytest

from keras_bert.training import checkpoint_files as files

RNG = np.random.default_rng(0)
ARRAYS = {
    "model/0/kernel": RNG.standard_normal((50, 40)).astype("float32"),
    "model/1/seed": np.array([3_000_000_000, 7], "uint32"),
    "optimizer/0/iteration": np.array(12, "int64"),
    "metrics/0/total": np.array(-0.0, "float32"),
}


def write(directory, step, keep=3):
    files.write(str(directory), step, ARRAYS, {"step": step, "position": [[0, 1, 2]]}, keep)


def state(directory, step):
    return directory / f"step_{step:010}" / "state.safetensors"


def test_what_is_written_is_read(tmp_path):
    assert files.find_last(str(tmp_path)) is None
    assert files.find_last(str(tmp_path / "missing")) is None
    write(tmp_path, 5)
    write(tmp_path, 10)
    last = files.find_last(str(tmp_path))
    assert last.notes == {"step": 10, "position": [[0, 1, 2]]}
    arrays = last.arrays()
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


def test_the_newest_are_kept_by_number_not_by_name(tmp_path):
    (tmp_path / "step_notes").mkdir()
    (tmp_path / "other").mkdir()
    for step in (900, 1_000, 1_100, 99_999_999_999):  # the last has one digit more
        write(tmp_path, step, keep=2)
    kept = sorted(os.listdir(tmp_path))
    assert kept == ["other", "step_0000001100", "step_99999999999", "step_notes"]
    assert files.find_last(str(tmp_path)).notes["step"] == 99_999_999_999


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a bit": lambda folder: flip_a_bit(folder / "state.safetensors"),
    "cut": lambda folder: os.truncate(folder / "state.safetensors", 100),
    "empty": lambda folder: os.truncate(folder / "state.safetensors", 0),
    "no state": lambda folder: os.unlink(folder / "state.safetensors"),
    "no notes": lambda folder: os.unlink(folder / "checkpoint.json"),
    "notes cut": lambda folder: os.truncate(folder / "checkpoint.json", 20),
    "notes of a kind": lambda folder: (folder / "checkpoint.json").write_text("[]"),
    "a later version": lambda folder: (folder / "checkpoint.json").write_text(
        json.dumps({"version": 99, "checksum": "", "notes": {}})
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over_and_named(tmp_path, damage):
    write(tmp_path, 5)
    write(tmp_path, 10)
    DAMAGES[damage](tmp_path / "step_0000000010")
    with pytest.warns(UserWarning, match=r"step_0000000010.*going on from .*step_0000000005"):
        assert files.find_last(str(tmp_path)).notes["step"] == 5


def test_no_whole_one_is_an_error_not_a_new_beginning(tmp_path):
    write(tmp_path, 5)
    flip_a_bit(state(tmp_path, 5))
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole .*checksum"):
        files.find_last(str(tmp_path))


def test_no_room_leaves_the_earlier_ones_and_nothing_else(tmp_path):
    write(tmp_path, 5)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
        with pytest.raises(OSError):
            write(tmp_path, 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert os.listdir(tmp_path) == ["step_0000000005"]
    write(tmp_path, 10)
    assert files.find_last(str(tmp_path)).notes["step"] == 10
