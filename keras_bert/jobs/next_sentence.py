"""Whether a text follows another one."""

import keras_bert as kb
from keras_bert.data.next_sentence_set import NAMES
from keras_bert.jobs.checkpoint_head import settings, with_head
from keras_bert.jobs.classification import preprocessor, split
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import draw_confusion, print_labels, write_report
from keras_bert.training.evaluation import classification_report, predict_classes

MODEL = "BertNextSentence"

__all__ = ["MODEL", "build", "losses", "measure", "preprocessor", "read", "settings", "split"]


@options_of(kb.data.next_sentence)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Pairs, or raw text that they are drawn from; options as those of `kb.data.next_sentence`."""
    return kb.data.next_sentence(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


def build(backbone, train, source=None):
    """A next-sentence model, with the head of the checkpoint where it has one."""
    return with_head(kb.BertNextSentence(backbone), source)


def losses(model):
    """Cross-entropy and accuracy."""
    return kb.losses.next_sentence()


def measure(model, preprocess, data, directory=None):
    """Accuracy, F1, and a row each for pairs that belong together and random ones."""
    true, predicted = predict_classes(model, data, "next_sentence")
    report = classification_report(true, predicted, NAMES)
    print_labels(report["classes"], "second text")
    print(f"accuracy {report['accuracy']:.4f} on {report['examples']:,} pairs")
    write_report(report, directory)
    draw_confusion(report, NAMES, directory)
    return report
