"""Zstandard: text as from the plain file, in bounded memory, and what is wrong is said."""

import errno
import os

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data import zstd_file
from keras_bert.data.corpus import Corpus
from keras_bert.text import zstd
from keras_bert.text.files import open_binary

zstandard = pytest.importorskip("zstandard")

TEXT = b"".join(b"line %d\n%s" % (n * n, b"\n" * (n % 7 == 0)) for n in range(3_000))


def pack(data, **settings):
    return zstandard.ZstdCompressor(write_checksum=True, **settings).compress(data)


def windows_of(corpus, numbers):
    return [corpus.read(number) for number in numbers]


@pytest.mark.parametrize("cuts", [[], [1_234, 1_235, 30_000]])
def test_windows_equal_those_of_the_plain_file(tmp_path, monkeypatch, cuts):
    monkeypatch.setattr(zstd_file, "_PIECE", 777)
    for name in "ab":
        (tmp_path / f"{name}.txt").write_bytes(TEXT)
        frames = [pack(TEXT[a:b]) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        # A frame to be passed over stands between them, as tools leave them.
        skipped = b"\x50\x2a\x4d\x18\x05\0\0\0abcde"
        (tmp_path / f"{name}.txt.zst").write_bytes(skipped.join(frames))
    plain, packed = Corpus(tmp_path / "*.txt", 1_000), Corpus(tmp_path / "*.zst", 1_000)
    assert plain.num_windows == packed.num_windows > 40
    numbers = np.random.default_rng(0).permutation(plain.num_windows)
    assert windows_of(plain, numbers) == windows_of(packed, numbers)
    with open_binary(tmp_path / "a.txt.zst") as file:
        assert file.read(100) + file.readline() + file.read() == TEXT


def test_a_vocabulary_is_the_same(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "a.zst").write_bytes(pack(TEXT))
    plain, packed = (kb.text.train_vocabulary(tmp_path / f"a.{end}", 50) for end in ("txt", "zst"))
    assert plain == packed and len(plain) == 50


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda data: data[:-1],
        lambda data: data[:5],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:400] + bytes([data[400] ^ 255]) + data[401:],
        lambda data: data + b"garbage",
        lambda data: b"not zstd at all",
    ],
)
def test_damage_is_named(tmp_path, damage):
    (tmp_path / "bad.zst").write_bytes(damage(pack(TEXT)))
    with pytest.raises(ValueError, match=r"bad\.zst is damaged: after .* Make or copy"):
        Corpus(tmp_path / "bad.zst")
    with (
        pytest.raises(ValueError, match=r"bad\.zst is damaged"),
        open_binary(tmp_path / "bad.zst") as file,
    ):
        file.read()


def test_a_header_that_asks_for_much_memory_is_refused(tmp_path):
    settings = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    (tmp_path / "a.zst").write_bytes(packer.compress(TEXT) + packer.flush())
    with pytest.raises(ValueError, match=r"a\.zst needs over 128 MiB of memory.*--long=27"):
        Corpus(tmp_path / "a.zst")


def test_pieces_are_small_however_much_is_packed(tmp_path):
    (tmp_path / "a.zst").write_bytes(pack(bytes(300_000_000), level=1))
    sizes = [len(piece) for piece in zstd.decompress(tmp_path / "a.zst")]
    assert sum(sizes) == 300_000_000 and max(sizes) < 64e6


def test_nothing_stays_behind_and_a_full_disk_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.zst").write_bytes(pack(TEXT))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(zstd_file.tempfile, "tempdir", str(tmp_path / "scratch"))
    corpus = Corpus(tmp_path / "a.zst", 1_000)
    assert os.listdir(tmp_path / "scratch") == []
    assert corpus.read(0).data == TEXT[: len(corpus.read(0).data)]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match=r"no room to unpack .*a\.zst in .*scratch.*TMPDIR"):
        Corpus(tmp_path / "a.zst", 1_000)


def test_missing_package_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "a.zst").write_bytes(pack(TEXT))
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(ModuleNotFoundError, match=r"a\.zst needs .* pip install zstandard"):
        Corpus(tmp_path / "a.zst")
