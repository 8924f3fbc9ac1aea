"""A folder is replaced as a whole: after a kill or a full disk one whole content is there."""

import errno
import multiprocessing
import os
import pathlib
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from keras_bert import atomic

ROOT = pathlib.Path(atomic.__file__).resolve().parents[1]


def write(path, content, **kwargs):
    with atomic.atomic_directory(path, **kwargs) as temporary:
        for name in ("config.json", "weights"):
            (pathlib.Path(temporary) / name).write_text(content)


def contents(path):
    return {file.name: file.read_text() for file in pathlib.Path(path).iterdir()}


def test_writes_a_new_folder_and_the_folders_above_it(tmp_path):
    write(tmp_path / "runs" / "model", "1")
    assert contents(tmp_path / "runs" / "model") == {"config.json": "1", "weights": "1"}
    assert os.listdir(tmp_path / "runs") == ["model"]


def test_an_existing_folder_needs_overwrite_and_is_then_replaced_whole(tmp_path):
    write(tmp_path / "model", "1")
    (tmp_path / "model" / "stale").write_text("of the former model")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(tmp_path / "model", "2")
    assert contents(tmp_path / "model")["weights"] == "1"
    write(str(tmp_path / "model") + "/", "2", overwrite=True, marker="config.json")
    assert contents(tmp_path / "model") == {"config.json": "2", "weights": "2"}
    assert os.listdir(tmp_path) == ["model"]


def test_a_folder_of_another_kind_is_never_replaced(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("dear")
    with pytest.raises(FileExistsError, match=r"holds no config\.json"):
        write(tmp_path / "home", "1", overwrite=True, marker="config.json")
    assert contents(tmp_path / "home") == {"thesis.tex": "dear"}
    with pytest.raises(FileExistsError, match="is a file"):
        write(tmp_path / "home" / "thesis.tex", "1", overwrite=True)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "1", overwrite=True, marker="config.json")
    assert contents(tmp_path / "empty")["weights"] == "1"


def test_a_link_stays_a_link(tmp_path):
    write(tmp_path / "model", "1")
    (tmp_path / "latest").symlink_to(tmp_path / "model")
    write(tmp_path / "latest", "2", overwrite=True)
    assert (tmp_path / "latest").is_symlink()
    assert contents(tmp_path / "model")["weights"] == "2"


def test_an_error_while_writing_keeps_the_former_folder(tmp_path):
    write(tmp_path / "model", "1")
    with (
        pytest.raises(OSError, match="No space left"),
        atomic.atomic_directory(tmp_path / "model", overwrite=True) as temporary,
    ):
        (pathlib.Path(temporary) / "config.json").write_text("2")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert contents(tmp_path / "model")["weights"] == "1"
    assert os.listdir(tmp_path) == ["model"]


def test_a_full_disk_keeps_the_former_folder(tmp_path):
    """The limit on a file's size stands for the disk: the system itself refuses the write."""
    write(tmp_path / "model", "1")
    code = f"""
        import resource, signal
        from keras_bert import atomic
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with atomic.atomic_directory({str(tmp_path / "model")!r}, overwrite=True) as folder:
            with open(folder + "/config.json", "w") as file:
                file.write("2")
            with open(folder + "/weights", "w") as file:
                file.write("2" * 100_000)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert contents(tmp_path / "model") == {"config.json": "1", "weights": "1"}
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("step", range(1, 7))
def test_a_kill_at_each_step_leaves_one_whole_folder(tmp_path, step):
    """The process dies just before its `step`-th change of a name or deletion."""
    path = tmp_path / "model"
    write(path, "1")

    def killed():
        calls = [0]

        def dying(function):
            def call(*args, **kwargs):
                calls[0] += 1
                if calls[0] == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return call

        os.rename, os.unlink = dying(os.rename), dying(os.unlink)
        os.rmdir = dying(os.rmdir)
        write(path, "2", overwrite=True)

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    expected = "1" if step <= 2 else "2"
    assert contents(atomic.find_directory(path)) == {"config.json": expected, "weights": expected}
    # A former content that is only set aside is not there to be overwritten by mistake.
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(path, "3")
    write(path, "3", overwrite=True)
    assert contents(path) == {"config.json": "3", "weights": "3"}
    assert os.listdir(tmp_path) == ["model"]


def test_kills_at_random_moments_leave_one_whole_folder(tmp_path):
    path = tmp_path / "model"
    write(path, "0")
    generator = random.Random(0)

    def write_without_end(first, written):
        for number in range(first, 1_000_000):
            write(path, str(number) * 1000, overwrite=True)
            written.set()

    context = multiprocessing.get_context("fork")
    for turn in range(25):
        written = context.Event()
        process = context.Process(target=write_without_end, args=(100_000 + 10_000 * turn, written))
        process.start()
        assert written.wait(60)
        time.sleep(generator.uniform(0, 0.03))
        process.kill()
        process.join()
        found = contents(atomic.find_directory(path))
        assert set(found) == {"config.json", "weights"}
        assert found["config.json"] == found["weights"]
        # What this turn wrote, not what an earlier one left.
        assert int(found["weights"][:6]) // 10_000 == 10 + turn
        assert set(os.listdir(tmp_path)) <= {"model", ".model.new", ".model.old", ".model.trash"}
    write(path, "end", overwrite=True)
    assert os.listdir(tmp_path) == ["model"]


def test_two_writers_at_once_are_told(tmp_path):
    with atomic.atomic_directory(tmp_path / "model") as temporary:
        (pathlib.Path(temporary) / "config.json").write_text("first")
        with (
            pytest.raises(FileExistsError, match="another process is writing"),
            atomic.atomic_directory(tmp_path / "model"),
        ):
            pass
    assert contents(tmp_path / "model") == {"config.json": "first"}
