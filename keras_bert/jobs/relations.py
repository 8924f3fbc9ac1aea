"""The relation of two entities of a text."""

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import draw_confusion, print_labels, write_report
from keras_bert.training.evaluation import classification_report, predict_classes
from keras_bert.training.relation_scores import directed_f1

MODEL = "BertRelationClassifier"


@options_of(kb.RelationPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Texts with two marked entities."""
    return kb.RelationPreprocessor(tokenizer, sequence_length=sequence_length, **settings)


@options_of(kb.data.relations)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Texts with two entities; options as those of `kb.data.relations`."""
    if like is not None:
        options["labels"] = like.labels
    return kb.data.relations(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


@options_of(kb.data.split)
def split(path, rates, seed=0, label_column=("relation", "label"), **options):
    """Parts of a set, by relation; options as those of `kb.data.split`."""
    return kb.data.split(path, rates, seed, label_column=label_column, **options)


@options_of(kb.data.folds)
def folds(path, number, seed=0, label_column=("relation", "label"), **options):
    """Folds of a set, by relation; options as those of `kb.data.folds`."""
    return kb.data.folds(path, number, seed, label_column=label_column, **options)


def build(backbone, train):
    """A classifier of the training set's relations."""
    return kb.BertRelationClassifier(backbone, labels=train.labels)


@options_of(kb.losses.relation_classification)
def losses(model, **options):
    """Cross-entropy and accuracy; options as those of `kb.losses.relation_classification`."""
    return kb.losses.relation_classification(**options)


def measure(model, preprocess, data, directory=None):
    """Accuracy, F1 and a row a relation; with directions the score of SemEval 2010 task 8 too."""
    true, predicted = predict_classes(model, data, "relation")
    report = classification_report(true, predicted, model.labels)
    print_labels(report["classes"], "relation")
    line = f"accuracy {report['accuracy']:.4f}, macro F1 {report['macro_f1']:.4f}"
    directed = directed_f1(true, predicted, model.labels)
    if directed is not None:
        report["semeval_macro_f1"] = directed["macro_f1"]
        report["semeval_relations"] = directed["relations"]
        line += f", SemEval macro F1 {directed['macro_f1']:.4f}"
    print(f"{line} on {report['examples']:,} examples")
    write_report(report, directory)
    draw_confusion(report, model.labels, directory)
    return report
