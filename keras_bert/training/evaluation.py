"""What a classifier gets right: accuracy, F1, the confusion matrix; running it over a set."""

import numpy as np
import tqdm

from keras_bert.training.generation_scores import generation_report  # noqa: F401 - kb.evaluation's
from keras_bert.training.span_scores import span_report  # noqa: F401 - as kb.evaluation has it


def classification_report(true, predicted, labels):
    """Measures predicted classes against true ones.

    Args:
        true: int `(examples,)`, true class numbers.
        predicted: int `(examples,)`, predicted class numbers.
        labels: list of str, the classes' names.

    Returns:
        dict: `examples` int; `accuracy` and `macro_f1` (mean over the classes that occur) floats
        in [0, 1]; `classes`, a dict by label of `precision`, `recall`, `f1` and `examples`;
        `confusion`, int64 `(classes, classes)`, row = true class, column = predicted class.

    Raises:
        ValueError: no examples, or different numbers of them.

    Example:
        >>> report = classification_report([0, 0, 1], [0, 1, 1], ["negative", "positive"])
        >>> round(report["accuracy"], 3), report["confusion"].tolist()
        (0.667, [[1, 1], [0, 1]])
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    if true.shape != predicted.shape or not true.size:
        raise ValueError(
            "classification_report: expected as many predictions as true classes, at least one; "
            f"received {predicted.size} and {true.size}"
        )
    confusion = np.zeros((len(labels), len(labels)), "int64")
    np.add.at(confusion, (true, predicted), 1)
    hits = np.diag(confusion)
    precision = hits / np.maximum(confusion.sum(axis=0), 1)
    recall = hits / np.maximum(confusion.sum(axis=1), 1)
    f1 = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    occurs = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    return {
        "examples": int(true.size),
        "accuracy": float(hits.sum() / true.size),
        "macro_f1": float(f1[occurs].mean()),
        "classes": {
            label: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "examples": int(confusion[i].sum()),
            }
            for i, label in enumerate(labels)
        },
        "confusion": confusion,
    }


def multi_label_report(true, told, labels):
    """Measures the labels that were told against those that are right.

    Args:
        true: `(examples, labels)`, 1 = the label is right, 0 = it is not.
        told: `(examples, labels)`, whether it was told.
        labels: list of str, the labels' names.

    Returns:
        dict: `examples` int; `micro_f1` (over all labels and rows), `macro_f1` (mean over the
        labels that are right or told somewhere), `subset_accuracy` (the share of rows of which all
        labels are told right), floats in [0, 1]; `labels`, a dict by label of `precision`,
        `recall`, `f1` and `examples`.

    Raises:
        ValueError: no examples, or different numbers of them.

    Example:
        >>> report = multi_label_report([[1, 0], [1, 1]], [[1, 0], [0, 1]], ["sport", "money"])
        >>> report["micro_f1"], report["subset_accuracy"]
        (0.8, 0.5)
    """
    true, told = np.asarray(true) > 0.5, np.asarray(told) > 0.5
    if true.shape != told.shape or not true.size:
        raise ValueError(
            "multi_label_report: expected a told label for each true one, of at least one example; "
            f"received shapes {told.shape} and {true.shape}"
        )
    hits, right, said = (x.sum(axis=0) for x in (true & told, true, told))
    f1 = 2 * hits / np.maximum(right + said, 1)
    occurs = right + said > 0
    return {
        "examples": len(true),
        "micro_f1": float(2 * hits.sum() / max(right.sum() + said.sum(), 1)),
        "macro_f1": float(f1[occurs].mean()) if occurs.any() else 0.0,
        "subset_accuracy": float((true == told).all(axis=1).mean()),
        "labels": {
            label: {
                "precision": float(hits[i] / max(said[i], 1)),
                "recall": float(hits[i] / max(right[i], 1)),
                "f1": float(f1[i]),
                "examples": int(right[i]),
            }
            for i, label in enumerate(labels)
        },
    }


def predict_classes(model, data, output="classification"):
    """Runs a classifier over a labelled dataset; a terminal sees a progress bar.

    Args:
        model: `BertTextClassifier`, or another that gives logits of classes.
        data: `tf.data.Dataset` of `kb.data.classification`, or of the model's own reader.
        output: str, the model's output. Default `"classification"`.

    Returns:
        A pair of int arrays `(examples,)`: true and predicted class numbers, in one order.
    """
    true, _, logits = predict_outputs(model, data, output)
    return true, np.argmax(logits, axis=-1)


def predict_outputs(model, data, output):
    """Runs a model over a labelled dataset; a terminal sees a progress bar.

    Args:
        model: a task model.
        data: `tf.data.Dataset` of (inputs, labels, sample weights), dicts.
        output: str, the model's output.

    Returns:
        Three arrays in one order, a row an example: labels, sample weights, outputs.
    """
    rows = []
    for inputs, labels, weights in tqdm.tqdm(data, unit="batch", leave=False, disable=None):
        values = model.predict_on_batch(inputs)[output]
        rows.append([np.asarray(part) for part in (labels[output], weights[output], values)])
    return tuple(np.concatenate(parts) for parts in zip(*rows, strict=True))


def probabilities(logits):
    """Probabilities of classes.

    Args:
        logits: `(examples, classes)`.

    Returns:
        float64 of the same shape, the softmax: a row sums to 1.
    """
    logits = np.asarray(logits, "float64")
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def sigmoids(logits):
    """Probabilities of labels, each for itself.

    Args:
        logits: `(examples, labels)`.

    Returns:
        float64 of the same shape, the logistic function.
    """
    return 1 / (1 + np.exp(-np.clip(np.asarray(logits, "float64"), -700, 700)))
