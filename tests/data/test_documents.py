"""Windows to sentences: nothing lost, and what is odd is counted."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.data.corpus import Corpus, Window
from keras_bert.data.documents import count_documents, read_text


def text_of(data, inside=None, **settings):
    return read_text(Window(0, 0, data, inside), **settings)


def test_documents_and_sentences():
    text = text_of("One.\r\nTwo. \n\n  \nThree\u2028still three.\n\u3000\nFour.\n\n".encode())
    assert text.sentences == ["One.", "Two.", "Three\u2028still three.", "Four."]
    assert text.parts.tolist() == [0, 0, 1, 2]
    assert not text.continues
    assert (text.invalid_lines, text.long_lines) == (0, 0)


def test_a_window_inside_a_document_continues_it_unless_it_begins_with_an_empty_line():
    assert text_of(b"end.\n\nnew.", "document").continues
    assert not text_of(b"\nnew.", "document").continues
    assert not text_of(b"new.").continues
    assert text_of(b"", "document").sentences == []


def test_invalid_lines_are_replaced_and_counted():
    text = text_of(b"good\nbad \xff\xfe byte\ncut \xe8\x8b\n\xe8\x8b\xb9\n")
    assert text.sentences == ["good", "bad \ufffd\ufffd byte", "cut \ufffd", "苹"]
    assert text.invalid_lines == 2


def test_long_lines_are_cut_at_white_space():
    line = " ".join(f"word{n}" for n in range(5_000))
    text = text_of(b"short\n" + line.encode() + b"\nlast")
    pieces = text.sentences[1:-1]
    assert " ".join(pieces) == line
    assert max(map(len, pieces)) <= 1_000
    assert min(map(len, pieces[:-1])) > 985
    assert text.long_lines == 1
    assert set(text.parts.tolist()) == {0}
    # Exactly the longest line that is a sentence.
    assert text_of(b"a" * 10_000).long_lines == 0
    assert list(map(len, text_of(b"a" * 10_001).sentences)) == [1_000] * 10 + [1]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab苹 \t"), st.integers(1, 3_000)), min_size=1, max_size=20)
)
def test_long_lines_lose_nothing_but_white_space(runs):
    line = "".join(character * count for character, count in runs)
    text = text_of(line.encode())
    assert "".join("".join(text.sentences).split()) == "".join(line.split())
    if len(line.strip()) > 10_000:
        assert max(map(len, text.sentences)) <= 1_000


def test_a_long_line_over_several_windows_is_counted_once(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"short\n" + b"abc " * 100_000 + b"\nend\n")
    corpus = Corpus(tmp_path / "a.txt", 50_000)
    texts = [read_text(corpus.read(number)) for number in range(corpus.num_windows)]
    assert len(texts) == 9
    assert sum(text.long_lines for text in texts) == 1
    words = " ".join(sentence for text in texts for sentence in text.sentences)
    assert re.sub(r"\s", "", words) == "short" + "abc" * 100_000 + "end"


def test_prose_is_split_into_sentences():
    def split(text):
        return re.findall(r"[^.]+\.", text.replace("\n", " "))

    text = text_of(
        b"One. Two\ngoes on. Three.\n\nFour. Five.", format="prose", split_sentences=split
    )
    assert text.sentences == ["One.", " Two goes on.", " Three.", "Four.", " Five."]
    assert text.parts.tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("window_bytes", [16, 50, 1_000])
@pytest.mark.parametrize(
    ("files", "count"),
    [
        (["a\nb\n"], 1),
        (["a\n\n \n\nb\n"], 2),
        (["\n\na\n\n\n"], 1),
        (["a\n", "b\n"], 2),
        (["\n\n  \n"], 0),
        (["x" * 300], 1),
        (["line\n" * 100 + "\nline"], 2),
        (["a\n\n" * 300], 2),
    ],
)
def test_counting_stops_at_the_limit(tmp_path, files, count, window_bytes):
    for number, text in enumerate(files):
        (tmp_path / f"{number}.txt").write_text(text)
    corpus = Corpus(tmp_path / "*.txt", window_bytes)
    assert count_documents(corpus, limit=2) == count
    assert np.isclose(count_documents(corpus, limit=1), min(count, 1))
