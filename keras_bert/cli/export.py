"""Writes a SavedModel: strings in, what the task answers out (labels, entities, answers of
questions, embeddings, tokens for [MASK], ...), with its TF Serving warm-up requests."""

from absl import flags

REQUIRED = ["preset", "output"]


def define(values):
    """Declares the flags."""
    flags.DEFINE_string("preset", None, "the model directory", flag_values=values)
    flags.DEFINE_string(
        "output", None, "the version folder, for instance saved_models/sst2/1", flag_values=values
    )
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    flags.DEFINE_integer(
        "sequence_length",
        None,
        "longest row in tokens; default: as trained",
        lower_bound=3,
        flag_values=values,
    )


def main(values):
    """Exports the model."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.export.saved_model import preprocessor_class
    from keras_bert.models.any_task import served_task_of

    source = open_source(values.preset)
    task = served_task_of(source)
    preprocessor = preprocessor_class(task)
    if preprocessor is None:
        raise ValueError(
            f"{values.preset} is read as a {task.__name__}; expected a model of a task that can be "
            "exported, such as a text classifier or a masked language model. Fine-tune one first"
        )
    model = task.from_source(source)
    preprocess = preprocessor.from_preset(values.preset, sequence_length=values.sequence_length)
    kb.export_saved_model(model, preprocess, values.output, overwrite=values.overwrite)
    print(f"{values.output}: sequence_length {preprocess.sequence_length}")
