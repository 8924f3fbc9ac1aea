"""Windows tile their files whatever is in them, gzipped or not."""

import gzip
import itertools
import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.data.corpus import Corpus
from keras_bert.data.gzip_file import GzipFile

# Words, line ends of both kinds, empty lines, lines of white space, Chinese, and stray bytes.
PIECES = st.sampled_from(
    [b"word ", b"\n", b"\n\n", b"\r\n", b"\n \t\n", "苹果".encode(), b"\xff\x80\x80", b"x" * 60]
)


def windows_of(corpus):
    return [corpus.read(number) for number in range(corpus.num_windows)]


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=80), window_bytes=st.integers(16, 200))
def test_windows_tile_the_file(tmp_path_factory, pieces, window_bytes):
    text = b"".join(pieces)
    path = tmp_path_factory.mktemp("tile") / "a.txt"
    path.write_bytes(text)
    windows = windows_of(Corpus(str(path), window_bytes))
    assert b"".join(window.data for window in windows) == text
    begin = 0
    for window in windows:
        if window.inside is None and window.index:
            assert re.search(rb"\n[ \t\r]*\n\Z", text[:begin])
        elif window.inside == "document":
            assert text[begin - 1 : begin] == b"\n"
        begin += len(window.data)


def test_windows_begin_at_documents_then_lines_then_characters(tmp_path):
    documents = b"".join(b"line %d\nmore\n\n" % n for n in range(40))
    (tmp_path / "documents.txt").write_bytes(documents)
    windows = windows_of(Corpus(tmp_path / "documents.txt", 100))
    assert len(windows) == 6
    assert all(w.inside is None and w.data.startswith(b"line") for w in windows)

    (tmp_path / "lines.txt").write_bytes(b"".join(b"line %d\n" % n for n in range(80)))
    windows = windows_of(Corpus(tmp_path / "lines.txt", 100))
    assert [w.inside for w in windows] == [None] + ["document"] * (len(windows) - 1)
    assert all(w.data.startswith(b"line") for w in windows)

    (tmp_path / "giant.txt").write_bytes("苹".encode() * 200)
    windows = windows_of(Corpus(tmp_path / "giant.txt", 100))
    assert [w.inside for w in windows] == [None] + ["line"] * 5
    assert "".join(w.data.decode() for w in windows) == "苹" * 200


def test_several_files_and_their_sizes(tmp_path):
    for name, size in [("a", 250), ("b", 0), ("c", 99), ("d", 200)]:
        (tmp_path / f"{name}.txt").write_bytes((b"%s\n" % name.encode()) * (size // 2))
    corpus = Corpus([tmp_path / "*.txt"], 100)
    windows = windows_of(corpus)
    assert [(w.file, w.index) for w in windows] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]
    assert corpus.window_sizes().tolist() == [100, 100, 50, 98, 100, 100]
    assert {w.data[:1] for w in windows[:3]} == {b"a"}
    assert windows[3].data[:1] == b"c"


def members(text, cuts):
    return b"".join(gzip.compress(text[a:b]) for a, b in itertools.pairwise([0, *cuts, None]))


@pytest.mark.parametrize("most_snapshots", [1, 3, 100])
@pytest.mark.parametrize("cuts", [[], [10_000, 10_001, 77_777]])
def test_gzip_reads_any_range(tmp_path, cuts, most_snapshots):
    text = b"".join(b"sentence number %d of many\n" % (n * n) for n in range(5_000))
    path = tmp_path / "text.gz"
    # Zeros pad the end, as tapes leave them.
    path.write_bytes(members(text, cuts) + b"\0" * 20_000)
    file = GzipFile(str(path), spacing=10_000, most_snapshots=most_snapshots)
    assert file.size == len(text)
    for start, stop in [
        (0, 10),
        (99_000, 99_500),
        (5, len(text)),
        (77_770, 77_790),
        (20_000, 20_000),
    ]:
        assert file.read(start, stop) == text[start:stop]


def test_gzipped_windows_equal_those_of_the_plain_file(tmp_path):
    text = b"".join(b"line %d\n%s" % (n, b"\n" * (n % 7 == 0)) for n in range(3_000))
    (tmp_path / "a.txt").write_bytes(text)
    (tmp_path / "a.txt.gz").write_bytes(members(text, [1_234]))
    plain, zipped = Corpus(tmp_path / "a.txt", 1_000), Corpus(tmp_path / "a.txt.gz", 1_000)
    assert plain.num_windows == zipped.num_windows > 20
    for number in [7, 3, 21, 0, 20, plain.num_windows - 1]:
        assert plain.read(number) == zipped.read(number)


def test_damaged_gzip_is_named(tmp_path):
    good = gzip.compress(b"some text\n" * 5_000)
    for name, data in {
        "cut.gz": good[:-20],
        "no_trailer.gz": good[:-8],
        "flipped.gz": good[:40] + bytes([good[40] ^ 255]) + good[41:],
        "checksum.gz": good[:-8] + bytes(4) + good[-4:],
        "text.gz": b"not gzip at all",
        "garbage.gz": good + b"garbage",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            Corpus(tmp_path / name)


def test_files_that_hold_nothing(tmp_path):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(ValueError, match=r"empty\.txt"):
        Corpus(tmp_path / "empty.txt")
    with pytest.raises(ValueError, match=r"empty\.gz"):
        Corpus(tmp_path / "empty.gz")
    with pytest.raises(FileNotFoundError, match=r"missing\.txt"):
        Corpus(tmp_path / "missing.txt")
    with pytest.raises(ValueError, match="window_bytes is 3"):
        Corpus(tmp_path / "empty.txt", window_bytes=3)


def test_a_file_that_shrinks_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"line\n" * 100)
    corpus = Corpus(path, 100)
    path.write_bytes(b"line\n" * 10)
    with pytest.raises(ValueError, match=r"a\.txt has become shorter"):
        corpus.read(4)


@pytest.mark.parametrize("ending", ["txt", "gz"])
def test_a_file_that_vanishes_is_named(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    text = b"line\n" * 100
    path.write_bytes(gzip.compress(text) if ending == "gz" else text)
    corpus = Corpus(path, 100)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"has vanished.*put the file back.*a\.{ending}"):
        corpus.read(4)


def test_zlib_copies_go_on_alike():
    """Snapshots rest on this: a copied decompressor goes on where the original stood."""
    text = b"".join(b"%d," % (n * 7919 % 1_000) for n in range(20_000))
    packed = gzip.compress(text)
    original = zlib.decompressobj(31)
    before = original.decompress(packed[:9_000])
    copy = original.copy()
    assert before + original.decompress(packed[9_000:]) == text
    assert before + copy.decompress(packed[9_000:]) == text
