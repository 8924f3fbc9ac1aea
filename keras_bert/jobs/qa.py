"""The part of a text that answers a question: SQuAD 1.1 and 2.0, XQuAD, CMRC 2018, DRCD."""

import numpy as np
import tqdm

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.text.answers import best_answers, best_spans
from keras_bert.training.answer_scores import (
    answer_report,
    best_threshold,
    is_chinese,
    score_answers,
)

MODEL = "BertSpanClassifier"


@options_of(kb.SpanPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Questions and texts, in windows."""
    return kb.SpanPreprocessor(tokenizer, sequence_length=sequence_length, **settings)


def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0):
    """SQuAD's JSON; all questions of a file to measure on, those that can be learnt of another."""
    data = kb.data.question_answering(
        path, preprocess, batch_size, shuffle, seed, training=like is None
    )
    print(
        f"{path}: {data.num_examples:,} questions ({data.num_unanswerable:,} without an answer) in "
        f"{data.num_windows:,} windows; {data.cut_questions:,} questions cut; "
        f"{data.skipped:,} of {data.num_answers:,} answers stand elsewhere, left out"
    )
    return data


def build(backbone, train):
    """A span classifier; one that may answer nothing where the training set has such questions."""
    return kb.BertSpanClassifier(
        backbone, no_answer_threshold=0.0 if train.num_unanswerable else None
    )


def losses(model):
    """Cross-entropy of the answer's first and last token."""
    return kb.losses.span()


def tune(model, preprocess, data):
    """Sets the threshold of no answer to the one with the best F1; False where there is none."""
    if model.no_answer_threshold is None:
        return False
    model.no_answer_threshold, _ = _tuned(data, _answers(model, preprocess, data))
    return True


def measure(model, preprocess, data, directory=None):
    """Exact match and F1, for SQuAD 2.0 of both kinds of questions; report.json has the answers."""
    found = _answers(model, preprocess, data)
    references = [question.answers for question in data.questions]
    told = _texts(data, found["start"], found["end"])
    report = answer_report(references, told)
    print(f"exact match {report['exact_match']:.2f}, F1 {report['f1']:.2f} ", end="")
    print(f"on {report['questions']:,} questions{' (Chinese)' if report['chinese'] else ''}")
    for name in ("has_answer", "no_answer"):
        if name in report:
            part = report[name]
            print(f"  {name}: exact match {part['exact_match']:.2f}, F1 {part['f1']:.2f} ", end="")
            print(f"on {part['questions']:,}")
    if "no_answer" in report:
        threshold, f1 = _tuned(data, found)
        never = 100.0 * report["no_answer"]["questions"] / report["questions"]
        report |= {"best_threshold": threshold, "best_f1": f1, "always_no_answer_f1": never}
        report["threshold"] = model.no_answer_threshold
        print(f"  threshold {report['threshold']}; best {threshold:.3f} with F1 {f1:.2f}; ", end="")
        print(f"F1 {never:.2f} by never answering")
    names = [question.id for question in data.questions]
    answers = {
        "predictions": dict(zip(names, told, strict=True)),
        "scores": dict(zip(names, found["score"].tolist(), strict=True)),
    }
    write_report({**report, **answers}, directory)
    return report


def _answers(model, preprocess, data):
    """`best_answers` of all questions of a set, dict of arrays."""
    parts, example = [], []
    for inputs, places in tqdm.tqdm(data.windows(), unit="batch", leave=False, disable=None):
        logits = model.predict_on_batch(inputs)
        parts.append(
            best_spans(
                logits["span_start"], logits["span_end"], places, preprocess.max_answer_length
            )
        )
        example.append(places["example"])
    spans = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    found = best_answers(
        spans, np.concatenate(example), data.num_examples, model.no_answer_threshold
    )
    return {name: np.asarray(values) for name, values in found.items()}


def _texts(data, starts, ends):
    """The answers as they stand in their texts; "" where a start is -1."""
    rows = zip(data.questions, starts.tolist(), ends.tolist(), strict=True)
    return [
        data.contexts[question.context][start:end] if start >= 0 else ""
        for question, start, end in rows
    ]


def _tuned(data, found):
    references = [question.answers for question in data.questions]
    told = _texts(data, found["best_start"], found["best_end"])
    scores = score_answers(references, told, is_chinese(references))
    return best_threshold(
        found["difference"].tolist(), [f1 for _, f1 in scores], [bool(a) for a in references]
    )
