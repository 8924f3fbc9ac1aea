"""One of several choices to go on or to answer a text."""

import numpy as np

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.training.evaluation import predict_classes

MODEL = "BertMultipleChoice"


@options_of(kb.MultipleChoicePreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Texts with choices."""
    return kb.MultipleChoicePreprocessor(tokenizer, sequence_length=sequence_length, **settings)


@options_of(kb.data.choices)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Texts with choices; options as those of `kb.data.choices`."""
    return kb.data.choices(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


def build(backbone, train):
    """A model that scores choices, as many as there are."""
    return kb.BertMultipleChoice(backbone)


def losses(model):
    """Cross-entropy and accuracy."""
    return kb.losses.multiple_choice()


def measure(model, preprocess, data, directory=None):
    """The share of texts whose right choice is found, and what guessing would find."""
    true, predicted = predict_classes(model, data, "multiple_choice")
    report = {
        "examples": len(true),
        "accuracy": float(np.mean(true == predicted)),
        "chance": 1 / data.num_choices,
    }
    print(
        f"accuracy {report['accuracy']:.4f} ({report['chance']:.4f} by guessing) on "
        f"{report['examples']:,} examples"
    )
    write_report(report, directory)
    return report
