"""Checkpoints for other systems: Google's TensorFlow 1 layout and KerasHub's presets."""

from keras_bert import atomic
from keras_bert.checkpoints import google
from keras_bert.checkpoints.preset import check_sequence_length, check_vocabulary

# Format -> what writes a folder, and a file that every folder of the kind holds.
_FORMATS = {
    "google": (google.write_folder, google.CONFIG_FILE),
}


def export_checkpoint(model, preprocess_or_tokenizer, directory, format, overwrite=False):
    """Writes a model as a checkpoint of another system; `save_preset` writes Hugging Face's.

    Reading it back with `from_preset` gives the same weights, bit for bit. The folder appears when
    it is complete: a kill or a full disk leaves the former one. Models that do not read the pooler
    (masked LM) are written without it, as by `save_preset`.

    Args:
        model: `BertBackbone` or a task model.
        preprocess_or_tokenizer: the preprocessor or the `BertTokenizer` that the model was trained
            with.
        directory: str or path-like, the folder to make.
        format: str. `"google"`: `bert_config.json`, `bert_model.ckpt.*` and `vocab.txt` as
            google-research/bert and what reads its releases expect; heads for pretraining and
            classes.
        overwrite: bool, whether a folder of this format that exists is replaced, as a whole.
            Default False.

    Raises:
        FileExistsError: the folder exists and `overwrite` is False, or it is no such checkpoint.
        ValueError: an unknown format; the format has no such variant of BERT or no such head; the
            tokenizer's vocabulary is not as long as the model's embedding table, or the
            preprocessor's `sequence_length` is longer than the position table.
        OSError: something cannot be written; a former folder stays whole.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> model = kb.BertPretrainer(backbone)
        >>> folder = os.path.join(tempfile.mkdtemp(), "google")
        >>> kb.export_checkpoint(model, tokenizer, folder, "google")
        >>> kb.BertPretrainer.from_preset(folder).config == model.config
        True
    """
    if format not in _FORMATS:
        raise ValueError(
            f"export_checkpoint: format must be one of {', '.join(_FORMATS)}; received {format!r}. "
            "save_preset writes Hugging Face's layout"
        )
    write, marker = _FORMATS[format]
    tokenizer = getattr(preprocess_or_tokenizer, "tokenizer", preprocess_or_tokenizer)
    check_vocabulary(model, tokenizer)
    if preprocess_or_tokenizer is not tokenizer:
        check_sequence_length(model, preprocess_or_tokenizer)
    with atomic.atomic_directory(directory, overwrite, marker=marker) as new:
        try:
            write(new, model, tokenizer)
        except OSError as error:  # it names a file of the temporary folder, or none
            raise OSError(f"{directory} cannot be written: {error}") from error
