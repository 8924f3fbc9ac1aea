"""One class for a text or a pair: sentiment, topic, intent, entailment, paraphrase."""

import json
import os

import keras_bert as kb
from keras_bert.jobs.pictures import draw
from keras_bert.text.files import write_atomically
from keras_bert.training.evaluation import classification_report, predict_classes

MODEL = "BertTextClassifier"


def preprocessor(tokenizer, sequence_length):
    """Texts or pairs, packed."""
    return kb.TextClassifierPreprocessor(tokenizer, sequence_length=sequence_length)


def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Labelled texts; options as those of `kb.data.classification`."""
    if like is not None:
        options["labels"] = like.labels
    return kb.data.classification(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


def build(backbone, train):
    """A classifier of the training set's classes."""
    return kb.BertTextClassifier(backbone, labels=train.labels)


def losses(model):
    """Cross-entropy and accuracy."""
    return kb.losses.classification()


def measure(model, preprocess, data, directory=None):
    """Accuracy, F1 and a row a class."""
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
        draw("confusion_matrix", confusion, model.labels, os.path.join(directory, "confusion.png"))
    return report
