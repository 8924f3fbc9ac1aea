"""A number for a text or a pair: how similar, how easy, how many stars."""

import numpy as np

import keras_bert as kb
from keras_bert.jobs import classification
from keras_bert.jobs.classification import preprocessor
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.training.correlation import pearson, spearman
from keras_bert.training.evaluation import predict_outputs

MODEL = "BertTextClassifier"

__all__ = ["MODEL", "build", "fits", "folds", "losses", "measure", "preprocessor", "read", "split"]


def fits(model):
    """Whether a `BertTextClassifier` does this job."""
    return model.problem_type == "regression"


@options_of(kb.data.classification)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Texts with numbers; options as those of `kb.data.classification`."""
    return classification.read(
        path, preprocess, like, batch_size, shuffle, seed, problem_type="regression", **options
    )


@options_of(kb.data.split)
def split(path, rates, seed=0, label_column=None, **options):
    """Parts of a set, whatever its numbers; options as those of `kb.data.split`."""
    return kb.data.split(path, rates, seed, label_column=None, **options)


@options_of(kb.data.folds)
def folds(path, number, seed=0, label_column=None, **options):
    """Folds of a set, whatever its numbers; options as those of `kb.data.folds`."""
    return kb.data.folds(path, number, seed, label_column=None, **options)


def build(backbone, train, window_pooling=None):
    """A model of the training set's numbers; `window_pooling` as that of the class."""
    return kb.BertTextClassifier(
        backbone, labels=train.labels, problem_type="regression", window_pooling=window_pooling
    )


def losses(model):
    """Mean squared and mean absolute error."""
    return kb.losses.regression()


def measure(model, preprocess, data, directory=None):
    """Spearman and Pearson correlation, mean squared error: of each number, and their means."""
    true, _, predicted = predict_outputs(model, data, "regression")
    rows = {}
    for name, x, y in zip(model.labels, predicted.T, true.T, strict=True):
        row = {
            "spearman": spearman(x, y),
            "pearson": pearson(x, y),
            "mean_squared_error": float(np.mean(np.square(np.float64(x) - y))),
        }
        rows[name] = row
        print(
            f"{name}: Pearson {row['pearson']:.4f}, Spearman {row['spearman']:.4f}, mean squared "
            f"error {row['mean_squared_error']:.4f} on {len(true):,} examples"
        )
    means = {key: float(np.mean([r[key] for r in rows.values()])) for key in row}
    report = {"examples": len(true), **means, "numbers": rows}
    write_report(report, directory)
    return report
