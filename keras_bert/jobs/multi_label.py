"""Any of several labels for a text or a pair: topics, symptoms, kinds of complaint."""

import keras_bert as kb
from keras_bert.jobs import classification
from keras_bert.jobs.classification import folds, preprocessor, split
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import print_labels, write_report
from keras_bert.training.evaluation import multi_label_report, predict_outputs, sigmoids
from keras_bert.training.thresholds import label_thresholds

MODEL = "BertTextClassifier"

__all__ = [
    "MODEL",
    "build",
    "fits",
    "folds",
    "losses",
    "measure",
    "preprocessor",
    "read",
    "split",
    "tune",
]


def fits(model):
    """Whether a `BertTextClassifier` does this job."""
    return model.problem_type == "multi_label"


@options_of(kb.data.classification)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Labelled texts; options as those of `kb.data.classification`."""
    return classification.read(
        path, preprocess, like, batch_size, shuffle, seed, problem_type="multi_label", **options
    )


def build(backbone, train, window_pooling=None):
    """A classifier of the training set's labels; `window_pooling` as that of the class."""
    return kb.BertTextClassifier(
        backbone, labels=train.labels, problem_type="multi_label", window_pooling=window_pooling
    )


def losses(model):
    """Binary cross-entropy, the accuracy of labels, micro F1."""
    return kb.losses.multi_label_classification()


def tune(model, preprocess, data):
    """Sets a threshold a label, of the best F1; see `kb.thresholds`."""
    true, _, logits = predict_outputs(model, data, "classification")
    model.thresholds = label_thresholds(sigmoids(logits), true)
    return True


def measure(model, preprocess, data, directory=None):
    """Micro and macro F1, the share of rows with all labels right, and a row a label."""
    true, _, logits = predict_outputs(model, data, "classification")
    told = sigmoids(logits) >= model.thresholds
    report = multi_label_report(true, told, model.labels)
    report["thresholds"] = dict(zip(model.labels, model.thresholds, strict=True))
    print_labels(report["labels"], "label")
    print(
        f"micro F1 {report['micro_f1']:.4f}, macro F1 {report['macro_f1']:.4f}, all labels right "
        f"{report['subset_accuracy']:.4f} on {report['examples']:,} examples"
    )
    write_report(report, directory)
    return report
