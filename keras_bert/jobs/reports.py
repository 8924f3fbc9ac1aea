"""What measuring prints and writes, whichever job it is for."""

import json
import os

from keras_bert import plots
from keras_bert.text.files import write_atomically

_MOST_IN_PICTURE = 40


def write_report(report, directory):
    """Writes `report.json` to a folder, which is made; does nothing where it is None.

    Args:
        report: dict of plain values and NumPy arrays.
        directory: str or None.
    """
    if directory is None:
        return
    os.makedirs(directory, exist_ok=True)
    plain = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in report.items()}
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    write_atomically(os.path.join(directory, "report.json"), text + "\n")


def draw_confusion(report, labels, directory):
    """Draws the confusion matrix where there is a folder, and few enough classes to read it."""
    if directory is not None and len(labels) <= _MOST_IN_PICTURE:
        path = os.path.join(directory, "confusion.png")
        try:
            plots.confusion_matrix(report["confusion"], labels, path)
        except ImportError as error:  # it says how to install matplotlib
            print(f"no picture: {error}")


def print_labels(rows, heading):
    """Prints precision, recall, F1 and the number of examples of each label.

    Args:
        rows: dict, label -> dict of `precision`, `recall`, `f1` and `examples`.
        heading: str, what a label is: `"class"`.
    """
    width = max(len(label) for label in (*rows, heading))
    print(f"{heading:{width}}  precision  recall      F1  examples")
    for label, row in rows.items():
        print(
            f"{label:{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:6.3f}"
            f"  {row['examples']:8,}"
        )
