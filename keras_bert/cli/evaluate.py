"""Prints what a model gets right; with --output also writes report.json and pictures."""

from absl import flags

from keras_bert.cli import decoding, members, reading

REQUIRED = ["preset", "input"]


def define(values):
    """Declares the flags."""
    members.define(values)
    flags.DEFINE_string("input", None, "labelled texts", flag_values=values)
    flags.DEFINE_string("output", None, "folder for report and picture", flag_values=values)
    reading.define(values)
    decoding.define(values)
    flags.DEFINE_integer("batch_size", 32, "rows at once", lower_bound=1, flag_values=values)


def main(values):
    """Evaluates the model."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.jobs import job_of
    from keras_bert.models.any_task import served_task_of

    def model_in(preset):
        source = open_source(preset)
        return served_task_of(source).from_source(source)

    model = members.read_model(values.preset, model_in)
    job = job_of(model)
    decoding.set_sampler(model, values)
    preprocess = members.read_preprocessor(values.preset, kb.preprocessor_from_preset)
    data = reading.call(
        job.read,
        values.input,
        preprocess,
        model,
        values.batch_size,
        False,
        **reading.options(values),
    )
    job.measure(model, preprocess, data, values.output)
