"""One class for a text or a pair: sentiment, topic, intent, entailment, paraphrase."""

import numpy as np

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import draw_confusion, print_labels, write_report
from keras_bert.training.evaluation import (
    classification_report,
    predict_outputs,
    probabilities,
)
from keras_bert.training.thresholds import out_of_scope_threshold

MODEL = "BertTextClassifier"


def fits(model):
    """Whether a `BertTextClassifier` does this job."""
    return model.problem_type == "single_label"


@options_of(kb.TextClassifierPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Texts or pairs, packed, or documents in windows."""
    return kb.TextClassifierPreprocessor(tokenizer, sequence_length=sequence_length, **settings)


@options_of(kb.data.classification)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Labelled texts; options as those of `kb.data.classification`."""
    if like is not None:
        options.update(labels=like.labels, out_of_scope=like.out_of_scope)
    return kb.data.classification(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


@options_of(kb.data.split)
def split(path, rates, seed=0, **options):
    """Parts of a labelled set, by class; options as those of `kb.data.split`."""
    return kb.data.split(path, rates, seed, **options)


@options_of(kb.data.folds)
def folds(path, number, seed=0, **options):
    """Folds of a labelled set, by class; options as those of `kb.data.folds`."""
    return kb.data.folds(path, number, seed, **options)


def build(backbone, train, window_pooling=None):
    """A classifier of the training set's classes; `window_pooling` as that of the class."""
    return kb.BertTextClassifier(
        backbone,
        labels=train.labels,
        out_of_scope=train.out_of_scope,
        window_pooling=window_pooling,
    )


@options_of(kb.losses.classification)
def losses(model, **options):
    """Cross-entropy and accuracy; options as those of `kb.losses.classification`."""
    return kb.losses.classification(**options)


def tune(model, preprocess, data):
    """Sets the threshold below which a text is out of scope; see `kb.thresholds`."""
    if model.out_of_scope is None:
        return False
    true, scores = _predict(model, data)
    if not (true < 0).any():
        print(f"no row of --dev is {model.out_of_scope!r}: the threshold stays 0, of no effect")
        return False
    threshold = out_of_scope_threshold(scores, true)
    model.thresholds = [threshold] * len(model.labels)
    print(f"{model.out_of_scope} below a probability of {threshold:.4f}")
    return True


def measure(model, preprocess, data, directory=None):
    """Accuracy, F1 and a row a class; with `out_of_scope` how many such texts are found."""
    true, scores = _predict(model, data)
    predicted = scores.argmax(axis=1)
    if model.out_of_scope is None:
        report = classification_report(true, predicted, model.labels)
        names = model.labels
    else:
        report, names = _report_with_scope(model, true, predicted, scores)
    print_labels(report["classes"], "class")
    print(
        f"accuracy {report['accuracy']:.4f}, macro F1 {report['macro_f1']:.4f} "
        f"on {report['examples']:,} examples"
    )
    if model.out_of_scope is not None:
        print(
            f"in-scope accuracy {report['in_scope_accuracy']:.4f} "
            f"({report['in_scope_accuracy_without_threshold']:.4f} without threshold), "
            f"out-of-scope recall {report['out_of_scope_recall']:.4f}, "
            f"precision {report['out_of_scope_precision']:.4f}"
        )
    write_report(report, directory)
    draw_confusion(report, names, directory)
    return report


def _predict(model, data):
    """True class numbers, -1 out of scope; the probabilities of the classes."""
    true, weights, logits = predict_outputs(model, data, "classification")
    if model.out_of_scope is not None:  # those rows weigh 0
        true = np.where(weights > 0, true, -1)
    return true, probabilities(logits)


def _report_with_scope(model, true, predicted, scores):
    names, outside = [*model.labels, model.out_of_scope], len(model.labels)
    is_inside = true >= 0
    told = np.where(scores.max(axis=1) < np.array(model.thresholds)[predicted], outside, predicted)
    report = classification_report(np.where(is_inside, true, outside), told, names)
    row = report["classes"][model.out_of_scope]
    return {
        **report,
        "threshold": model.thresholds[0],
        "in_scope_accuracy": _share(told[is_inside] == true[is_inside]),
        "in_scope_accuracy_without_threshold": _share(predicted[is_inside] == true[is_inside]),
        "out_of_scope_recall": row["recall"],
        "out_of_scope_precision": row["precision"],
    }, names


def _share(is_right):
    return float(is_right.mean()) if is_right.size else 0.0
