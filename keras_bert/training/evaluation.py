"""What a classifier gets right: accuracy, F1 and the confusion matrix, from class numbers."""

import numpy as np
import tqdm

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


def predict_classes(model, data):
    """Runs a classifier over a labelled dataset; a terminal sees a progress bar.

    Args:
        model: `BertTextClassifier`.
        data: `tf.data.Dataset` of `kb.data.classification`.

    Returns:
        A pair of int arrays `(examples,)`: true and predicted class numbers, in one order.
    """
    true, predicted = [], []
    for inputs, labels, _ in tqdm.tqdm(data, unit="batch", leave=False, disable=None):
        predicted.append(np.argmax(model.predict_on_batch(inputs)["classification"], axis=-1))
        true.append(np.asarray(labels["classification"]))
    return np.concatenate(true), np.concatenate(predicted)
