"""Training, reading and writing vocabularies."""

import gzip
import os
import subprocess
import sys

import pytest

from keras_bert.text.vocabulary import (
    SPECIAL_TOKENS,
    load_vocabulary,
    save_vocabulary,
    train_vocabulary,
)

TRAIN = """
import sys
from keras_bert.text.vocabulary import train_vocabulary
vocabulary = train_vocabulary(sys.argv[1], size=int(sys.argv[2]))
assert "tensorflow" not in sys.modules
sys.stdout.buffer.write("\\n".join(vocabulary).encode())
"""


def train_apart(path, size, seed, threads):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads}
    command = [sys.executable, "-c", TRAIN, str(path), str(size)]
    result = subprocess.run(command, env=environment, capture_output=True, check=True)
    return result.stdout.decode().split("\n")


@pytest.mark.parametrize("name", ["gutenberg_en/corpus.txt", "zh_novels"])
def test_the_same_on_every_run(shared_data, tmp_path, name):
    path = shared_data / name
    path = min(path.iterdir()) if path.is_dir() else path
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(path.read_bytes()[:1_000_000])  # may end inside a character
    first = train_apart(corpus, 6_000, "1", "1")
    assert first == train_apart(corpus, 6_000, "2", "2") == train_apart(corpus, 6_000, "3", "2")
    assert tuple(first[:5]) == SPECIAL_TOKENS
    assert len(first) == len(set(first)) <= 6_000


def test_every_character_seen_is_covered(tmp_path):
    text = "Käse & Brötchen, 7 zebras — quick! 我爱吃苹果。 ΑΒΓ\n"
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe " + text.encode())
    vocabulary = train_vocabulary(tmp_path / "a.txt", size=200)
    expected = set("kasebrotchenzebrasquick7,&—!我爱吃苹果。αβγ")
    assert expected == {token for token in vocabulary if len(token) == 1}
    assert {f"##{c}" for c in "kaseqz7αβγ"} <= set(vocabulary)
    assert not {"##我", "##,", "##。"} & set(vocabulary)
    cased = train_vocabulary(tmp_path / "a.txt", size=200, lowercase=False)
    assert {"K", "ä", "Α"} <= set(cased) and "α" not in cased


def test_frequent_words_become_one_piece(tmp_path):
    for name, opened in (("a.txt", open), ("b.txt.gz", gzip.open)):
        with opened(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write("the cat sat. the dog ran.\n" * 5 + "once")
    vocabulary = train_vocabulary(str(tmp_path / "*.txt*"), size=100)
    assert {"the", "cat", "sat", "dog", "ran", "."} <= set(vocabulary)
    assert "once" in vocabulary  # twice, for both files were read
    assert "once" not in train_vocabulary(tmp_path / "a.txt", size=100)
    assert "cat" not in train_vocabulary(tmp_path / "a.txt", size=100, min_frequency=6)


def test_the_rarest_characters_give_way(tmp_path):
    (tmp_path / "a.txt").write_text("aaaa bbb cc d 我我我我我", "utf-8")
    assert train_vocabulary(tmp_path / "a.txt", size=10)[5:] == ["a", "b", "我", "##a", "##b"]
    limited = train_vocabulary(tmp_path / "a.txt", size=50, alphabet_limit=2)
    assert {token for token in limited if len(token) == 1} == {"a", "我"}


@pytest.mark.slow
def test_a_line_of_ten_megabytes(tmp_path):
    (tmp_path / "a.txt").write_text("one two three " * 750_000)
    assert {"one", "two", "three"} <= set(train_vocabulary(tmp_path / "a.txt", size=60))


def test_bad_input(tmp_path):
    (tmp_path / "blank.txt").write_text(" \n\n")
    with pytest.raises(ValueError, match="no words in"):
        train_vocabulary(tmp_path / "blank.txt")
    with pytest.raises(ValueError, match="size must be greater than 5"):
        train_vocabulary(tmp_path / "blank.txt", size=5)
    with pytest.raises(FileNotFoundError, match="missing"):
        train_vocabulary(tmp_path / "missing.txt")
    with pytest.raises(FileNotFoundError, match="vocabulary: no such file"):
        load_vocabulary(tmp_path / "missing.txt")
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match="is empty"):
        load_vocabulary(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xe9\n")
    with pytest.raises(ValueError, match="not UTF-8"):
        load_vocabulary(tmp_path / "latin.txt")
    with pytest.raises(ValueError, match="token 1, 'a\\\\nb', holds a line end"):
        save_vocabulary(["x", "a\nb"], tmp_path / "v.txt")


def test_lines_end_at_newline_alone(tmp_path, chinese_vocabulary):
    assert len(chinese_vocabulary) == 21_128 and "\u2028" in chinese_vocabulary
    save_vocabulary(chinese_vocabulary, tmp_path / "vocab.txt")
    assert load_vocabulary(tmp_path / "vocab.txt") == chinese_vocabulary
    (tmp_path / "short.txt").write_bytes("a\r\n\u2028\nb".encode())
    assert load_vocabulary(tmp_path / "short.txt") == ["a", "\u2028", "b"]
