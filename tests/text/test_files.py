"""Naming and reading files."""

import gzip
import os

import pytest

from keras_bert.text.files import expand_files, open_binary, write_atomically


def test_globs_lists_and_duplicates(tmp_path):
    for name in ("b.txt", "a.txt", "empty.txt", "deep/c.txt", "x[1].txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("" if name == "empty.txt" else name)
    paths = [str(tmp_path / name) for name in ("a.txt", "b.txt", "deep/c.txt", "x[1].txt")]
    assert expand_files(str(tmp_path / "[ab].txt")) == paths[:2]
    assert expand_files([tmp_path / "b.txt", str(tmp_path / "?.txt")]) == paths[:2]
    assert expand_files(str(tmp_path / "**" / "*.txt")) == paths
    assert expand_files(tmp_path / "x[1].txt") == paths[3:]


def test_nothing_to_read(tmp_path):
    (tmp_path / "empty.txt").touch()
    with pytest.raises(FileNotFoundError, match=r"no such file: .*missing\.txt"):
        expand_files(tmp_path / "missing.txt")
    with pytest.raises(FileNotFoundError, match="no file matches the pattern"):
        expand_files(str(tmp_path / "*.gz"))
    with pytest.raises(ValueError, match="every file is empty"):
        expand_files(str(tmp_path / "*.txt"))
    with pytest.raises(ValueError, match="received none"):
        expand_files([])
    with pytest.raises(ValueError, match="is a folder"):
        expand_files(tmp_path)
    with pytest.raises(TypeError, match="received 3"):
        expand_files(3)


def test_gzip_reads_as_the_plain_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\ntwo")
    with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
        file.write(b"one\ntwo")
    for name in ("a.txt", "a.txt.gz"):
        with open_binary(tmp_path / name) as file:
            assert file.readlines() == [b"one\n", b"two"]


def test_a_failed_write_keeps_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "vocab.txt"
    write_atomically(path, "old\r\n")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_bytes() == b"old\r\n"
    assert os.listdir(tmp_path) == ["vocab.txt"]


def test_empty_files_among_others_are_counted_and_named(tmp_path, caplog):
    (tmp_path / "full.txt").write_text("text\n")
    (tmp_path / "void.txt").write_text("")
    assert expand_files(str(tmp_path / "*.txt")) == [str(tmp_path / "full.txt")]
    assert "1 of 2 files are empty" in caplog.text and "void.txt" in caplog.text
