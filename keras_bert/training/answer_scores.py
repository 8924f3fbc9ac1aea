"""How good answers are: exact match and F1 as SQuAD and CMRC 2018 count them."""

import collections
import re
import string

_ARTICLES = re.compile(r"\b(a|an|the)\b")
# CMRC's own list; a hyphen within a word goes too. The ellipsis stands in it as two characters,
# which nothing equals, so it is not dropped.
_CHINESE_MARKS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_HAN = "\u4e00-\u9fa5"
# A Chinese character; a number with its points and commas or a word; any other mark.
_CHINESE_TOKENS = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+(?:[.,'][^\W{_HAN}]+)*|[^\w\s]")


def answer_report(references, predictions, chinese=None):
    """Measures answers against references: exact match and F1, in percent.

    Source: `evaluate-v1.1.py` and `evaluate-v2.0.py` of SQuAD (lower case, no punctuation, no
    articles; F1 of the bag of words) and `cmrc2018_evaluate.py` of ymcui/cmrc2018 (lower case, no
    punctuation; F1 of the longest run of tokens that both have, a Chinese character being a token).
    Of several references the best counts. The right answer of a question without one is "".

    Args:
        references: list of lists of str, the right answers of each question; none where it has no
            answer.
        predictions: list of str, the answers to measure; "" = no answer.
        chinese: bool, whether to count as CMRC does. Default: where half of the references with
            letters hold Chinese characters.

    Returns:
        dict: `questions` int; `exact_match`, `f1` floats in [0, 100]; `chinese` bool. Where some
        questions have no answer, two dicts more, `has_answer` and `no_answer`, each with
        `questions`, `exact_match` and `f1` of those alone.

    Raises:
        ValueError: no questions, or another number of predictions.

    Example:
        >>> report = answer_report([["the cat"], ["in 1930", "1930"]], ["A cat!", "June 1930"])
        >>> report["exact_match"], round(report["f1"], 2)
        (50.0, 83.33)
    """
    if len(references) != len(predictions) or not references:
        raise ValueError(
            "answer_report: expected as many predictions as questions, at least one; received "
            f"{len(predictions)} and {len(references)}"
        )
    chinese = is_chinese(references) if chinese is None else chinese
    scores = score_answers(references, predictions, chinese)
    report = {**_mean(scores), "chinese": chinese}
    kinds = {
        "has_answer": [score for score, right in zip(scores, references, strict=True) if right],
        "no_answer": [score for score, right in zip(scores, references, strict=True) if not right],
    }
    if kinds["no_answer"]:
        report.update({name: _mean(part) for name, part in kinds.items() if part})
    return report


def score_answers(references, predictions, chinese):
    """Exact match and F1 of each answer, a list of pairs of float in [0, 1].

    Args:
        references, predictions, chinese: as in `answer_report`.
    """
    one = _score_chinese if chinese else _score
    scores = []
    for answers, told in zip(references, predictions, strict=True):
        found = [one(right, told) for right in _counting(answers, chinese)]
        scores.append(tuple(max(values) for values in zip(*found, strict=True)))
    return scores


def best_threshold(differences, scores, has_answer):
    """The threshold of no answer that gives the best F1.

    Source: `find_best_thresh` of SQuAD's `evaluate-v2.0.py`; the threshold lies halfway between the
    last difference that is answered and the first that is not.

    Args:
        differences: list of float, the score of no answer less that of the best span.
        scores: list of float in [0, 1], F1 of the best span, answer or not.
        has_answer: list of bool, whether the question has an answer.

    Returns:
        threshold (float) and the mean of the scores with it, float in [0, 100].

    Example:
        >>> best_threshold([-3.0, 1.0, 2.0], [1.0, 0.5, 0.0], [True, True, False])
        (1.5, 83.33...)
    """
    rows = sorted(zip(differences, scores, has_answer, strict=True), key=lambda row: row[0])
    # Nothing is answered: right where there is no answer.
    total = best = sum(not has for _, _, has in rows)
    threshold = rows[0][0] - 1.0
    for place, (difference, score, has) in enumerate(rows, start=1):
        total += score if has else score - 1
        following = rows[place][0] if place < len(rows) else difference + 2.0
        if total > best and following > difference:  # equal ones are answered together
            best, threshold = total, (difference + following) / 2
    return threshold, 100.0 * best / len(rows)


def is_chinese(references):
    """Whether half of the references that hold letters, or more, hold Chinese characters."""
    texts = [text for answers in references for text in answers]
    chinese = sum(re.search(f"[{_HAN}]", text) is not None for text in texts)
    letters = sum(re.search(r"[^\W\d_]", text) is not None for text in texts)
    return 0 < letters <= 2 * chinese


def _mean(scores):
    count = len(scores)
    exact, f1 = (100.0 * sum(values) / count for values in zip(*scores, strict=True))
    return {"questions": count, "exact_match": exact, "f1": f1}


def _counting(answers, chinese):
    # In English a reference that is nothing but marks and articles counts for nothing.
    return [answer for answer in answers if chinese or _normalize(answer)] or [""]


def _normalize(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(_ARTICLES.sub(" ", text).split())


def _score(right, told):
    right, told = _normalize(right), _normalize(told)
    shared = collections.Counter(right.split()) & collections.Counter(told.split())
    return float(right == told), _f1(shared.total(), right.split(), told.split())


def _score_chinese(right, told):
    right, told = (
        "".join(c for c in text.lower().strip() if c not in _CHINESE_MARKS)
        for text in (right, told)
    )
    exact = float(right == told)
    right, told = _CHINESE_TOKENS.findall(right), _CHINESE_TOKENS.findall(told)
    return exact, _f1(_longest_run(right, told), right, told)


def _longest_run(first, second):
    """Length of the longest run of tokens that stands in both."""
    longest, ends = 0, [0] * (len(second) + 1)
    for token in first:
        ends = [0, *(ends[i] + 1 if token == other else 0 for i, other in enumerate(second))]
        longest = max(longest, *ends)
    return longest


def _f1(shared, right, told):
    if not right or not told:  # no answer: right only where none was told
        return float(right == told)
    return 2.0 * shared / (len(right) + len(told))
