"""Facts in the order of a classifier's probabilities."""

import pytest

import keras_bert as kb

SCORES = {"a": ("yes", 0.7), "b": ("no", 0.9), "c": ("yes", 0.95), "d": ("no", 0.6)}


def predict(pairs):
    assert all(question == "who?" for question, _ in pairs)
    return [dict(zip(("label", "score"), SCORES[text], strict=True)) for _, text in pairs]


def test_best_first_by_the_probability_of_the_label():
    found = kb.rank(predict, "who?", ["a", "b", "c", "d", "a"], "yes", top_k=4)
    assert [(each["text"], each["place"]) for each in found] == [
        ("c", 2), ("a", 0), ("a", 4), ("d", 3),
    ]  # fmt: skip
    assert [each["score"] for each in found] == pytest.approx([0.95, 0.7, 0.7, 0.4])
    found = kb.rank(predict, "who?", ["a", "b", "c"], "no", top_k=1)
    assert found == [{"text": "b", "score": 0.9, "place": 1}]


def test_what_cannot_be_ranked():
    with pytest.raises(ValueError, match="expected a list of one or more str; received"):
        kb.rank(predict, "who?", [], "yes")
    with pytest.raises(ValueError, match="expected a list of one or more str; received 'a'"):
        kb.rank(predict, "who?", "a", "yes")
    with pytest.raises(ValueError, match="expected a classifier of two classes, 'maybe' and anot"):
        kb.rank(predict, "who?", ["a", "b"], "maybe")
    three = [{"label": "yes", "score": 0.4}]
    with pytest.raises(ValueError, match="or with less than one half"):
        kb.rank(lambda pairs: three, "who?", ["a"], "yes")
