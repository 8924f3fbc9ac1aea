"""How good written texts are: BLEU and ROUGE."""

import re

from keras_bert.training.answer_scores import is_chinese

# Chinese characters and Japanese syllables, each a word of its own.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_WORDS = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_ROUGE = ("rouge1", "rouge2", "rougeL")


def generation_report(references, predictions, lowercase=False):
    """Measures texts against references: BLEU and ROUGE, in percent.

    Source: Papineni et al. 2002, by `sacrebleu` (Post 2018), with its tokenizer `zh` for Chinese
    and `13a` else; Lin 2004, by `rouge-score`: F of ROUGE-1, -2 and -L, whose words are runs of
    letters and digits in lower case, as theirs are in English, and single characters in Chinese
    and Japanese.

    Args:
        references: list of str, the text wanted for each source.
        predictions: list of str, the texts to measure.
        lowercase: bool, whether BLEU ignores case, as it should where the tokenizer takes it away.
            Default False.

    Returns:
        dict: `examples` int; `bleu`, `rouge1`, `rouge2`, `rougeL` floats in [0, 100]; `signature`
        str, sacrebleu's, which says how BLEU was counted; `chinese` bool, whether half of the
        references with letters, or more, hold Chinese characters.

    Raises:
        ValueError: no texts, or another number of predictions.
        ModuleNotFoundError: sacrebleu or rouge-score is not installed.

    Example:
        >>> report = generation_report(["a red house stands here"], ["a red house stood here"])
        >>> round(report["rouge1"], 1), round(report["bleu"], 1)
        (80.0, 42.7)
    """
    if len(references) != len(predictions) or not references:
        raise ValueError(
            "generation_report: expected as many predictions as references, at least one; received "
            f"{len(predictions)} and {len(references)}"
        )
    try:
        import sacrebleu
        from rouge_score import rouge_scorer
    except ImportError as error:
        raise ModuleNotFoundError(
            "BLEU and ROUGE need sacrebleu and rouge-score: pip install 'keras_bert[generation]'"
        ) from error
    chinese = is_chinese([[text] for text in references])
    bleu = sacrebleu.BLEU(lowercase=lowercase, tokenize="zh" if chinese else "13a")
    rouge = rouge_scorer.RougeScorer(_ROUGE, tokenizer=_Words())
    scores = [
        rouge.score(reference, text)
        for reference, text in zip(references, predictions, strict=True)
    ]
    return {
        "examples": len(references),
        "bleu": bleu.corpus_score(predictions, [references]).score,
        **{
            name: 100.0 * sum(score[name].fmeasure for score in scores) / len(scores)
            for name in _ROUGE
        },
        "signature": str(bleu.get_signature()),
        "chinese": chinese,
    }


class _Words:
    """What `rouge_scorer.RougeScorer` takes for a tokenizer."""

    def tokenize(self, text):
        return _WORDS.findall(text.lower())
