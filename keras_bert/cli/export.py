"""Writes a SavedModel: strings in, labels and scores (or tokens for [MASK]) out, with its TF
Serving warm-up requests."""

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
    from keras_bert.checkpoints.config_file import read_json
    from keras_bert.preset_folder import find_preset

    _, description = read_json(find_preset(values.preset))
    architectures = description.get("architectures") or [""]
    if "SequenceClassification" in architectures[0]:
        model_class, preprocessor_class = kb.BertTextClassifier, kb.TextClassifierPreprocessor
    elif "MaskedLM" in architectures[0] or "PreTraining" in architectures[0]:
        model_class, preprocessor_class = kb.BertMaskedLM, kb.MaskedLMPreprocessor
    else:
        raise ValueError(
            f"{values.preset} holds {architectures[0] or 'no named architecture'}; expected a text "
            "classifier or a masked language model. Fine-tune one first"
        )
    model = model_class.from_preset(values.preset)
    preprocess = preprocessor_class.from_preset(
        values.preset, sequence_length=values.sequence_length
    )
    kb.export_saved_model(model, preprocess, values.output, overwrite=values.overwrite)
    print(f"{values.output}: sequence_length {preprocess.sequence_length}")
