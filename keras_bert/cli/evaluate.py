"""Prints precision, recall and F1 a class; with --output also report.json and confusion.png."""

from absl import flags

REQUIRED = ["preset", "input"]


def define(values):
    """Declares the flags."""
    flags.DEFINE_string("preset", None, "the model directory of a classifier", flag_values=values)
    flags.DEFINE_string("input", None, "labelled texts", flag_values=values)
    flags.DEFINE_string("output", None, "folder for report and picture", flag_values=values)
    flags.DEFINE_list(
        "text_columns", None, "one or two columns; default: found", flag_values=values
    )
    flags.DEFINE_string("label_column", "label", "the column of labels", flag_values=values)
    flags.DEFINE_integer("batch_size", 32, "rows at once", lower_bound=1, flag_values=values)


def main(values):
    """Evaluates the classifier."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras_bert as kb
    from keras_bert.cli.measure import measure

    model = kb.BertTextClassifier.from_preset(values.preset)
    preprocess = kb.TextClassifierPreprocessor.from_preset(values.preset)
    data = kb.data.classification(
        values.input,
        preprocess,
        labels=model.labels,
        batch_size=values.batch_size,
        shuffle=False,
        text_columns=values.text_columns,
        label_column=values.label_column,
    )
    measure(model, data, values.output)
