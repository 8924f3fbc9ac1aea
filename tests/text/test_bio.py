"""Tags to spans and back, against another reading of them and by property."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bert.text.bio import bio_labels, spans_of_tags, split_tag, tags_of_spans


@st.composite
def sentences(draw):
    """Spans that do not overlap, neighbours among them, and the number of tokens."""
    spans, end = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = end + draw(st.integers(0, 3))
        end = start + draw(st.integers(1, 4))
        spans.append((start, end, draw(st.sampled_from(["PER", "LOC", "a-b"]))))
    return spans, end + draw(st.integers(0, 3))


@given(sentences())
def test_spans_to_tags_and_back(sentence):
    spans, count = sentence
    tags = tags_of_spans(spans, count)
    assert len(tags) == count and set(tags) <= set(bio_labels({"PER", "LOC", "a-b"}))
    assert spans_of_tags(tags) == (spans, 0)


@given(st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), max_size=12))
def test_any_tags_read_as_a_regular_expression_reads_them(tags):
    """One letter a token: `b`, `i` of X, `B`, `I` of Y. A span is a run of one label's letters."""
    letters = "".join("o" if t == "O" else t[0].lower() if t[2] == "X" else t[0] for t in tags)
    runs = [(m.start(), m.end(), m[0]) for m in re.finditer("[bi]i*|[BI]I*", letters)]
    spans, repaired = spans_of_tags(tags)
    assert spans == [(start, end, "X" if t.islower() else "Y") for start, end, t in runs]
    assert repaired == sum(text[0] in "iI" for _, _, text in runs)
    assert spans_of_tags(tags_of_spans(spans, len(tags))) == (spans, 0)


@pytest.mark.parametrize(
    ("tags", "spans", "repaired"),
    [
        # IOB1: B only where a span touches one of its own label.
        ("I-A I-A B-A O I-B", [(0, 2, "A"), (2, 3, "A"), (4, 5, "B")], 2),
        # BIOES, BILOU and BMES.
        ("B-A I-A E-A S-A S-B", [(0, 3, "A"), (3, 4, "A"), (4, 5, "B")], 0),
        ("B-A L-A U-A O", [(0, 2, "A"), (2, 3, "A")], 0),
        ("B-A M-A E-A B-A E-A", [(0, 3, "A"), (3, 5, "A")], 0),
        # Broken: after the end of a span, and another label within it.
        ("S-A I-A E-B", [(0, 1, "A"), (1, 2, "A"), (2, 3, "B")], 2),
        ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")], 1),
        ("", [], 0),
    ],
)
def test_schemes_and_repairs(tags, spans, repaired):
    assert spans_of_tags(tags.split()) == (spans, repaired)


@pytest.mark.parametrize("tag", ["NN", "", "B-", "-A", "X-A", "o", "B_A", "BI-A", "0"])
def test_what_is_no_tag(tag):
    with pytest.raises(ValueError, match="marks no span; expected O, or B-LABEL"):
        split_tag(tag)


def test_classes_of_labels():
    assert bio_labels(["b", "a"]) == ["O", "B-a", "I-a", "B-b", "I-b"]
    assert bio_labels([]) == ["O"]
