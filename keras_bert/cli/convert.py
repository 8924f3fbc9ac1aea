"""Reads a checkpoint of any kind and writes it as another: Hugging Face's layout (ours too),
Google's TensorFlow 1 files or a KerasHub preset.

--from is a folder, the prefix of a TensorFlow checkpoint, a zip of Google's, or
hf://organization/name@revision; its kind is detected. What was written is read back and compared
before it takes its name: a folder is whole or absent. On the way a vocabulary can be extended
(--add_tokens) and the position table lengthened (--max_sequence_length).
"""

from absl import flags

REQUIRED = ["from", "to"]

_TASKS = {
    "backbone": "BertBackbone",
    "masked_lm": "BertMaskedLM",
    "next_sentence": "BertNextSentence",
    "pretrainer": "BertPretrainer",
    "embedder": "BertTextEmbedder",
}


def define(values):
    """Declares the flags."""
    flags.DEFINE_string("from", None, "the checkpoint to read", flag_values=values)
    flags.DEFINE_string("to", None, "the folder to write", flag_values=values)
    flags.DEFINE_enum(
        "format",
        "huggingface",
        ["huggingface", "google", "keras_hub"],
        "what to write",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "task",
        None,
        sorted(_TASKS),
        "read as this, whatever heads there are; default: the model of all heads there",
        flag_values=values,
    )
    flags.DEFINE_bool("overwrite", False, "replace a folder that exists", flag_values=values)
    flags.DEFINE_bool(
        "lowercase",
        None,
        "whether the vocabulary is of lower-cased text; default: as the checkpoint says, or after "
        "its vocabulary where it does not say",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "approximate_gelu",
        False,
        "write an exact GELU for KerasHub, which computes the approximate one",
        flag_values=values,
    )
    flags.DEFINE_string(
        "add_tokens",
        None,
        "a file of tokens to add, one a line, each the mean of the pieces it is made of now",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "max_sequence_length", None, "rows of a longer position table", flag_values=values
    )
    flags.DEFINE_enum(
        "lengthen",
        "hierarchical",
        ["hierarchical", "interpolate", "repeat"],
        "how new positions follow from the old ones",
        flag_values=values,
    )


def main(values):
    """Converts, verifies, and says what was read."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import keras_bert as kb
    from keras_bert.checkpoints.opening import open_source
    from keras_bert.checkpoints.summary import summary
    from keras_bert.models.any_task import task_of

    start = getattr(values, "from")
    source = open_source(start)
    print(summary(source))
    task = task_of(source) if values.task is None else getattr(kb, _TASKS[values.task])
    model = task.from_source(source)
    tokenizer = kb.BertTokenizer.from_preset(start, lowercase=values.lowercase)
    case = "lower-cased" if tokenizer.lowercase else "kept in its case"
    print(f"  read as {type(model).__name__}; text is {case}")
    model, tokenizer = _changed(values, model, tokenizer)
    text = _preprocessor(values, model, tokenizer)
    if values.format == "huggingface":
        kb.save_preset(values.to, model, text, overwrite=values.overwrite, verify=True)
    else:
        kb.export_checkpoint(
            model,
            text,
            values.to,
            values.format,
            overwrite=values.overwrite,
            approximate_gelu=values.approximate_gelu,
            verify=True,
        )
    print(f"{values.to}: written, read back and equal")


def _preprocessor(values, model, tokenizer):
    """The tokenizer in the checkpoint's preprocessor, or in one of the length to which it cuts
    texts; alone, where the checkpoint names neither."""
    import keras_bert as kb
    from keras_bert.export.saved_model import preprocessor_class
    from keras_bert.text.tokenizer_files import read_tokenizer

    start = getattr(values, "from")
    preset = read_tokenizer(start)
    length = preset["model_max_length"]
    if values.max_sequence_length is not None:
        length = model.config.max_sequence_length
        if preset["preprocessor"] is None:
            return tokenizer
    if length is None:
        return tokenizer
    length = min(length, model.config.max_sequence_length)
    if preset["preprocessor"] is None:
        found = preprocessor_class(type(model)) or kb.TextClassifierPreprocessor
        return found(tokenizer, sequence_length=length)
    stored = kb.preprocessor_from_preset(start, length)
    return type(stored)(tokenizer, sequence_length=length, **stored.settings())


def _changed(values, model, tokenizer):
    """The model with the vocabulary and the position table that the flags ask for."""
    import keras_bert as kb

    if values.add_tokens is not None:
        tokens = kb.text.load_vocabulary(values.add_tokens)
        model, tokenizer = kb.extend_vocabulary(model, tokenizer, tokens)
        print(f"  {len(tokens):,} tokens added: {tokenizer.vocabulary_size:,} now")
    if values.max_sequence_length is not None:
        model = kb.lengthen(model, values.max_sequence_length, values.lengthen)
        print(f"  {values.max_sequence_length} positions now")
    return model, tokenizer
