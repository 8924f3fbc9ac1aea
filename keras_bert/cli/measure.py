"""Measures a classifier, prints the table and writes report.json and confusion.png."""

import json
import os

from keras_bert.cli.folders import plot
from keras_bert.text.files import write_atomically
from keras_bert.training.evaluation import classification_report, predict_classes


def measure(model, data, directory=None):
    """Prints accuracy, F1 and a row a class; writes them to `directory` if one is given."""
    report = classification_report(*predict_classes(model, data), model.labels)
    width = max(len(label) for label in (*model.labels, "class"))
    print(f"{'class':{width}}  precision  recall      F1  examples")
    for label, row in report["classes"].items():
        print(
            f"{label:{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:6.3f}"
            f"  {row['examples']:8,}"
        )
    print(
        f"accuracy {report['accuracy']:.4f}, macro F1 {report['macro_f1']:.4f} "
        f"on {report['examples']:,} examples"
    )
    if directory is not None:
        os.makedirs(directory, exist_ok=True)
        confusion = report["confusion"]
        text = json.dumps({**report, "confusion": confusion.tolist()}, indent=2, ensure_ascii=False)
        write_atomically(os.path.join(directory, "report.json"), text + "\n")
        plot("confusion_matrix", confusion, model.labels, os.path.join(directory, "confusion.png"))
    return report
