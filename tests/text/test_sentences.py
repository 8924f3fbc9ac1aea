"""Sentence ends in English and Chinese prose."""

import time

import pytest

from keras_bert.text.sentences import split_sentences

# A bar stands where a sentence ends.
ENGLISH = [
    'Dr. Smith paid $3.50. | "Why?" asked J. R. R. Tolkien. | He left.',
    "Wait... what? | Yes… | He left at 5 p.m. on Monday. | Then he (really!) went.",
    "(It was late.) | No.",
    "See e.g. Fig. 3 of vol. 2, i.e. that one. | The U.S. Army won.",
    "He lives in the U.S. | The end.",
    "Is it No. 5? | No. | I will not. | Smith et al. 2018 said so. | It was 1990. | Then 2000.",
    '"I know." | He left. | "What!" he cried. | “Go!” | ‘So?’ she said.',
    "Version 3.11.2 is out.Now. | What?! | Apples, pears, etc. are fruit.",
    "Mr. and Mrs. Bennet came.",
    "1. First item. | 2. Second item.",
]
CHINESE = [
    "他来了。|“真的吗？”我问。|她说：“走吧。”|他不走！|为什么？！|不知道……|天黑了…|真的。",
    "今天是3.5度。|他在A公司工作.|很好。|（完。）|『好！』|「走。」|结束",
]  # fmt: skip


@pytest.mark.parametrize("marked", ENGLISH)
def test_english(marked):
    assert split_sentences(marked.replace(" | ", " ")) == marked.split(" | ")


@pytest.mark.parametrize("marked", CHINESE)
def test_chinese(marked):
    assert split_sentences(marked.replace("|", "")) == marked.split("|")


def test_lines_and_paragraphs():
    text = "One line\ngoes on. Two.\n \nA heading\n\n\nThree"
    assert split_sentences(text) == ["One line\ngoes on.", "Two.", "A heading", "Three"]
    assert split_sentences("") == split_sentences(" \n\n ") == []
    with pytest.raises(TypeError, match="received bytes"):
        split_sentences(b"One.")


def test_nothing_is_lost(shared_data):
    for name in ("gutenberg_en", "zh_novels", "zh_wiki"):
        text = min((shared_data / name).iterdir()).read_text("utf-8")[:500_000]
        sentences = split_sentences(text)
        assert "".join("".join(sentences).split()) == "".join(text.split())
        # Prose has sentences of some 10 to 200 characters; a splitter that never or always splits
        # is far off.
        assert 10 < len(text) / len(sentences) < 200


@pytest.mark.parametrize(
    "text",
    ["x" * 10, "A. ", ". ", "." , '."', " ", "\n ", "……”", "。", "a.", "Mr. ", "?\n\n"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "x"])
def test_ten_times_the_text_takes_ten_times_as_long(text, end):
    def seconds(size):
        long = text * (size // len(text)) + end
        begin = time.process_time()
        split_sentences(long)
        return time.process_time() - begin

    # Quadratic time would be 100 times as long, and hours for a line of 10 MB. CPU time, the best
    # of some: neighbours on a busy machine only add to it.
    short, long = (min(seconds(size) for _ in range(3)) for size in (40_000, 400_000))
    assert long < 40 * max(short, 0.005)


@pytest.mark.slow
def test_a_line_of_ten_megabytes():
    text = "It was late. " * 800_000
    assert len(split_sentences(text)) == 800_000
