"""Writes a SavedModel: strings in, what the task answers out (labels, entities, answers of
questions, embeddings, tokens for [MASK], ...), with its TF Serving warm-up requests.

Several model directories of one task and vocabulary, --preset=A,B,C, are exported as one SavedModel
of the same signatures: with the mean of their answers, or by --average_weights of their weights,
which is as small and fast as one of them.
"""

from absl import flags

from keras_bert.cli import decoding, members

REQUIRED = ["preset", "output"]


def define(values):
    """Declares the flags."""
    members.define(values)
    flags.DEFINE_bool(
        "average_weights",
        False,
        "average the weights of several models, fine-tuned from one checkpoint, not their answers",
        flag_values=values,
    )
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
    decoding.define(values)


def main(values):
    """Exports the model."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.export.saved_model import preprocessor_class
    from keras_bert.models.any_task import served_task_of

    def task_in(preset):
        task = served_task_of(open_source(preset))
        if preprocessor_class(task) is None:
            raise ValueError(
                f"{preset} is read as a {task.__name__}; expected a model of a task that can be "
                "exported, such as a text classifier or a masked language model. Fine-tune one "
                "first"
            )
        return task

    def preprocessor_in(preset):
        preprocessor = preprocessor_class(task_in(preset))
        return preprocessor.from_preset(preset, sequence_length=values.sequence_length)

    preprocess = members.read_preprocessor(values.preset, preprocessor_in)
    model = members.read_model(
        values.preset,
        lambda preset: task_in(preset).from_source(open_source(preset)),
        values.average_weights,
    )
    decoding.set_sampler(model, values)
    kb.export_saved_model(model, preprocess, values.output, overwrite=values.overwrite)
    print(f"{values.output}: sequence_length {preprocess.sequence_length}")
