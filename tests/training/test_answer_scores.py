"""Exact match and F1 of answers, against values worked out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.training.answer_scores import (
    answer_report,
    best_threshold,
    is_chinese,
    score_answers,
)


@pytest.mark.parametrize(
    ("references", "told", "exact", "f1"),
    [
        (["Denver Broncos"], "the Denver Broncos!", 1, 1),
        (["The  a an"], "", 1, 1),  # nothing but articles: as no reference at all
        (["the Denver Broncos"], "Broncos of Denver", 0, 4 / 5),  # 2 of 2 and 2 of 3 words
        (["in May 1930", "1930"], "1930.", 1, 1),
        (["in May 1930", "May"], "May 1930", 0, 4 / 5),
        (["cat cat dog"], "cat cat cat", 0, 4 / 6),  # a word counts as often as both have it
        (["U.S."], "us", 1, 1),
        (["anthem"], "then", 0, 0),  # articles go as words only
        (["état"], "État", 1, 1),
        (["naïve"], "naive", 0, 0),
        (["“quoted”"], "quoted", 0, 0),  # the official list has ASCII marks only
        (["100"], "one hundred", 0, 0),
        ([], "", 1, 1),
        ([], "anything", 0, 0),
        (["x"], "", 0, 0),
        (["x", "!"], "", 0, 0),  # of marks alone is no reference beside another
    ],
)
def test_english(references, told, exact, f1):
    assert score_answers([references], [told], chinese=False) == [
        (float(exact), pytest.approx(float(f1)))
    ]


@pytest.mark.parametrize(
    ("references", "told", "exact", "f1"),
    [
        (["北京市"], "北京市。", 1, 1),
        (["《北京市》"], " 北京市 ", 1, 1),
        (["北京市"], "北京", 0, 2 * 2 / 5),
        (["北京市"], "在北京市内", 0, 2 * 3 / 8),
        # The longest run that both have, not the longest subsequence: 北京 and not 北京 ... 区.
        (["北京朝阳区"], "北京海淀区", 0, 2 * 2 / 10),
        (["NBA总决赛"], "nba总决赛", 1, 1),
        (["NBA总决赛"], "NB总决赛", 0, 2 * 3 / 8),  # a word is one token: 4 and 4, 3 in common
        (["1,234.5公里"], "1,234.5", 0, 2 * 1 / 4),
        (["第3-4号"], "第34号", 1, 1),  # a hyphen goes, so 34 is one number
        (["2008年", "零八年"], "零八年", 1, 1),
        (["好"], "坏", 0, 0),
        ([], "", 1, 1),
        ([], "好", 0, 0),
        (["好"], "", 0, 0),
    ],
)
def test_chinese(references, told, exact, f1):
    assert score_answers([references], [told], chinese=True) == [
        (float(exact), pytest.approx(float(f1)))
    ]


def runs(tokens):
    return {tuple(tokens[i:j]) for i, j in itertools.combinations(range(len(tokens) + 1), 2)}


@settings(max_examples=50, deadline=None)
@given(st.text("一二三四", max_size=9), st.text("一二三四", max_size=9))
def test_chinese_f1_is_that_of_the_longest_common_run(right, told):
    common = max(map(len, runs(right) & runs(told)), default=0)
    ((exact, f1),) = score_answers([[right]], [told], chinese=True)
    both = len(right) + len(told)
    assert f1 == pytest.approx(2 * common / both if right and told else float(right == told))
    assert exact == float(right == told)


def test_report():
    references = [["a cat"], [], ["dog", "big dog"], []]
    report = answer_report(references, ["cat", "", "a big dogs", "bird"])
    assert report == {
        "questions": 4,
        "exact_match": 50.0,
        "f1": pytest.approx(100 * (1 + 1 + 0.5 + 0) / 4),
        "chinese": False,
        "has_answer": {"questions": 2, "exact_match": 50.0, "f1": pytest.approx(75.0)},
        "no_answer": {"questions": 2, "exact_match": 50.0, "f1": 50.0},
    }
    assert set(answer_report([["cat"]], ["dog"])) == {"questions", "exact_match", "f1", "chinese"}
    assert "has_answer" not in answer_report([[], []], ["", "x"])
    for references, told in ([["x"]], []), ([], []):
        with pytest.raises(ValueError, match="at least one; received 0 and"):
            answer_report(references, told)


def test_the_language_is_found():
    assert is_chinese([["北京"], ["NBA"], ["1930"]])
    assert not is_chinese([["Beijing (北京)"], ["NBA"], ["x"], []])
    assert not is_chinese([["1930"], []])
    assert answer_report([["北京市"]], ["北京"])["f1"] == pytest.approx(80.0)
    # As English the two are different words.
    assert answer_report([["北京市"]], ["北京"], chinese=False)["f1"] == 0.0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-4, 4).map(float), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_threshold_is_better(rows):
    differences, scores, has_answer = map(list, zip(*rows, strict=True))

    def f1(threshold):
        told = [
            score if difference <= threshold else float(not has) for difference, score, has in rows
        ]
        return 100 * np.mean(told)

    threshold, best = best_threshold(differences, scores, has_answer)
    assert best == pytest.approx(f1(threshold))
    assert best == pytest.approx(max(f1(place) for place in np.arange(-5.5, 6, 0.5)))
    assert min(abs(threshold - difference) for difference in differences) >= 0.5
