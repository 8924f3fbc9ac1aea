"""BLEU and ROUGE: the libraries' own figures on English, characters on Chinese."""

import subprocess
import sys

import pytest

from keras_bert.training.generation_scores import generation_report

REFERENCES = [
    "The police killed the gunman, who had 3 guns.",
    "A man in a blue shirt is standing on a ladder cleaning a window.",
    "Two dogs run.",
]
PREDICTIONS = [
    "the gunman killed the police; who had guns",
    "A man in a blue shirt stands on a ladder to clean the window.",
    "Three cats sit",
]


def test_english_equals_the_libraries():
    import sacrebleu
    from rouge_score import rouge_scorer

    report = generation_report(REFERENCES, PREDICTIONS)
    bleu = sacrebleu.corpus_bleu(PREDICTIONS, [REFERENCES])
    assert report["bleu"] == pytest.approx(bleu.score) and 10 < report["bleu"] < 60
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    scores = [scorer.score(a, b) for a, b in zip(REFERENCES, PREDICTIONS, strict=True)]
    for name in ("rouge1", "rouge2", "rougeL"):
        expected = 100 * sum(score[name].fmeasure for score in scores) / 3
        assert report[name] == pytest.approx(expected) and 5 < report[name] < 80
    assert report["examples"] == 3 and not report["chinese"] and "tok:13a" in report["signature"]


def test_case_counts_where_it_is_there():
    upper = [text.upper() for text in REFERENCES]
    assert generation_report(REFERENCES, upper)["bleu"] < 20
    assert generation_report(REFERENCES, upper, lowercase=True)["bleu"] == pytest.approx(100)
    assert generation_report(REFERENCES, upper)["rougeL"] == pytest.approx(100)


def test_chinese_by_characters():
    report = generation_report(["我爱吃苹果和梨"], ["我爱吃梨"])
    assert report["chinese"] and "tok:zh" in report["signature"]
    # 4 of 7 characters, none wrong; pairs 我爱 and 爱吃 of 6 and 3.
    assert report["rouge1"] == pytest.approx(100 * 2 * (4 / 7) / (1 + 4 / 7))
    assert report["rouge2"] == pytest.approx(100 * 2 * (2 / 3) * (2 / 6) / (2 / 3 + 2 / 6))
    assert report["rougeL"] == report["rouge1"]
    assert generation_report(["我爱吃苹果和梨"], ["我爱吃苹果和梨"])["bleu"] == pytest.approx(100)


def test_words_of_other_letters_stay_whole():
    report = generation_report(["über größe"], ["uber größe"])
    assert report["rouge1"] == pytest.approx(50)


def test_bad_input():
    with pytest.raises(ValueError, match="received 1 and 2"):
        generation_report(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="at least one"):
        generation_report([], [])


def test_the_message_names_the_extra():
    code = (
        "import sys; sys.modules['sacrebleu'] = None\n"
        "from keras_bert.training.generation_scores import generation_report\n"
        "try: generation_report(['a'], ['a'])\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'keras_bert[generation]'" in done.stdout
