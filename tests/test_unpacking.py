"""Zips of checkpoints: what is in them comes out, and nothing else happens."""

import collections
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import textwrap
import zipfile

import pytest

from keras_bert import unpacking

FILES = {
    "bert_config.json": b'{"hidden_size": 8}' * 10,
    "vocab.txt": b"[PAD]\n[UNK]\n" * 10,
    "bert_model.ckpt.index": bytes(range(200)),
    "bert_model.ckpt.data-00000-of-00001": os.urandom(300),
    "assets/tokenizer/vocabulary.txt": b"[PAD]\n",
    "model.weights.h5": b"weights",
    "model.safetensors": b"tensors",
}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder in which zips are unpacked."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def write_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def contents(folder):
    return {
        os.path.relpath(os.path.join(parent, name), folder): open(
            os.path.join(parent, name), "rb"
        ).read()
        for parent, _, names in os.walk(folder)
        for name in names
    }


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("inner", ["", "uncased_L-12_H-768_A-12/", "./"])
def test_what_a_checkpoint_is_read_from(tmp_path, method, inner):
    others = {f"{inner}bert_model.ckpt.meta": b"graph", f"{inner}pytorch_model.bin": b"pickle"}
    of_a_mac = {f"__MACOSX/{inner}._vocab.txt": b"resources"}
    wanted = {inner + name: data for name, data in FILES.items()}
    path = write_zip(tmp_path / "a.zip", {**wanted, **others, **of_a_mac}, method)
    assert contents(unpacking.unpacked(path)) == FILES


def test_a_zip_is_unpacked_once_and_anew_when_it_changes(tmp_path, temporary):
    path = write_zip(tmp_path / "a.zip", FILES)
    folder = unpacking.unpacked(path)
    assert unpacking.unpacked(path) == folder
    link = tmp_path / "link.zip"
    link.symlink_to(path)
    assert unpacking.unpacked(link) == folder
    assert len(os.listdir(temporary)) == 1
    write_zip(path, {"vocab.txt": b"[PAD]"})
    assert contents(unpacking.unpacked(path)) == {"vocab.txt": b"[PAD]"}


def test_the_folder_goes_with_the_process_that_made_it(tmp_path):
    path = write_zip(tmp_path / "a.zip", FILES)
    code = f"""
        import os, sys
        from keras_bert import unpacking
        folder = unpacking.unpacked({str(path)!r})
        child = os.fork()
        if not child:
            sys.exit()
        os.waitpid(child, 0)
        assert os.path.isfile(os.path.join(folder, "vocab.txt"))
        print(folder)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert not os.path.exists(done.stdout.strip())


@pytest.mark.parametrize(
    "name",
    ["../outside.txt", "a/../../outside.txt", "/outside.txt", "..\\outside.txt", "\\outside.txt",
     "C:\\outside.txt", "C:/outside.txt", "a/../inside.txt"],
)  # fmt: skip
def test_names_outside_are_refused(tmp_path, temporary, name):
    path = write_zip(tmp_path / "a.zip", {"vocab.txt": b"[PAD]", name: b"evil"})
    before = set(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="lies outside its folder; nothing was unpacked") as raised:
        unpacking.unpacked(path)
    assert repr(name) in str(raised.value)
    assert os.listdir(temporary) == []
    assert set(os.listdir(tmp_path)) == before
    assert not os.path.exists("/outside.txt")


def test_links_are_refused(tmp_path, temporary):
    for target in ("/etc", "vocab.txt"):
        link = zipfile.ZipInfo("model.json")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(link, target)
            archive.writestr("model.json/passwd.txt", "through the link")
        with pytest.raises(ValueError, match=r"holds the link 'model\.json'; expected files only"):
            unpacking.unpacked(tmp_path / "a.zip")
        assert os.listdir(temporary) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, method):
    path = write_zip(tmp_path / "a.zip", FILES, method)
    with pytest.raises(ValueError, match=f"compressed by method {method}; expected deflate"):
        unpacking.unpacked(path)


def with_sizes(path, size, compressed=None):
    """Changes what a zip of one file claims, in both of its headers."""
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        start = data.index(signature) + place
        stored, _ = struct.unpack_from("<II", data, start)
        struct.pack_into("<II", data, start, compressed or stored, size)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [10, 999, 1001, 100_000])
def test_lying_sizes_are_refused(tmp_path, temporary, method, size):
    path = write_zip(tmp_path / "a.zip", {"vocab.txt": b"a" * 1000}, method)
    with pytest.raises(ValueError, match=r"a\.zip is no whole zip"):
        unpacking.unpacked(with_sizes(path, size))
    assert os.listdir(temporary) == []


def test_more_than_the_disk_has_room_for(tmp_path, temporary, monkeypatch):
    path = write_zip(tmp_path / "a.zip", {"vocab.txt": b"a" * 1000, "b.bin": b"b" * 1000})
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10_000, 9_001, 999))
    with pytest.raises(
        ValueError, match=r"unpacks to 1,000 bytes, and .* has room for 999; set TMP"
    ):
        unpacking.unpacked(path)
    assert os.listdir(temporary) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10_000, 9_000, 1000))
    assert contents(unpacking.unpacked(path)) == {"vocab.txt": b"a" * 1000}


def test_a_disk_that_fills_is_no_damaged_zip(tmp_path, temporary, monkeypatch):
    path = write_zip(tmp_path / "a.zip", FILES)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    with pytest.raises(OSError, match="No space left"):
        unpacking.unpacked(path)
    assert os.listdir(temporary) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("vocab.txt", b"one")
        archive.writestr("vocab.txt", b"another")
    with pytest.raises(ValueError, match="two files of one name"):
        unpacking.unpacked(tmp_path / "a.zip")


def test_no_zip_at_all(tmp_path):
    for data in (b"", b"PK\x03\x04", b"not a zip" * 100):
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.zip is no whole zip: .*Fetch it once more"):
            unpacking.unpacked(tmp_path / "a.zip")
    with pytest.raises(FileNotFoundError):
        unpacking.unpacked(tmp_path / "absent.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_no_damage_gets_through(tmp_path, temporary, method):
    """Bytes all over the file are changed, or it ends there: a ValueError, or the same contents."""
    files = {f"model/{name}": data for name, data in list(FILES.items())[:4]}
    path = write_zip(tmp_path / "a.zip", files, method)
    whole = path.read_bytes()
    damaged = [whole[:place] for place in range(0, len(whole), 11)]
    for place in range(0, len(whole), 5):
        change = (0x01, 0x41, 0xFF)[place % 3]
        damaged.append(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
    refused = 0
    for number, data in enumerate(damaged):
        path.write_bytes(data)
        os.utime(path, ns=(number, number))  # another file each time
        try:
            folder = unpacking.unpacked(path)
        except ValueError:
            refused += 1
            continue
        assert set(contents(folder).values()) <= set(files.values())
        shutil.rmtree(folder)
    assert refused > len(damaged) / 2
