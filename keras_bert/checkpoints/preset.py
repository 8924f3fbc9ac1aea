"""A model directory, whole: configuration, weights and tokenizer in Hugging Face's layout."""

from keras_bert import atomic
from keras_bert.checkpoints import config_file, huggingface, sentence_transformers, verification


def save_preset(directory, model, preprocess_or_tokenizer, overwrite=False, verify=False):
    """Writes a model and its tokenizer as one Hugging Face model directory.

    The folder holds `config.json`, `model.safetensors`, `vocab.txt` and `tokenizer_config.json`,
    the latter with the settings of the preprocessor, which `kb.preprocessor_from_preset` reads;
    `transformers` loads it, head and labels included; of a `BertTextEmbedder`
    `sentence-transformers` too, by the modules that lie beside them. It appears when it is
    complete: a kill or a full disk leaves the former one. Models that do not read the pooler
    (masked LM, token and span classifier) are written without it, as Hugging Face's are.

    Args:
        directory: str or path-like, the folder to make.
        model: `BertBackbone` or a task model.
        preprocess_or_tokenizer: the preprocessor or the `BertTokenizer` that the model was
            trained with.
        overwrite: bool, whether a model directory that exists is replaced, as a whole.
            Default False.
        verify: bool, whether what was written is read back and compared before the folder takes
            its name. Default False.

    Raises:
        FileExistsError: the folder exists and `overwrite` is False, or it is no model directory.
        ValueError: the tokenizer's vocabulary is not as long as the model's embedding table, or
            the preprocessor's `sequence_length` is longer than the position table.
        OSError: something cannot be written; a former folder stays whole.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> model = kb.BertTextClassifier(backbone, labels=["bad", "good"])
        >>> folder = os.path.join(tempfile.mkdtemp(), "model")
        >>> kb.save_preset(folder, model, tokenizer)
        >>> kb.BertTextClassifier.from_preset(folder).labels
        ['bad', 'good']
    """
    write_whole(
        directory,
        model,
        preprocess_or_tokenizer,
        write=_write,
        marker=config_file.CONFIG_FILE,
        overwrite=overwrite,
        verify=verify,
    )


def _write(folder, model, preprocess_or_tokenizer):
    tokenizer = getattr(preprocess_or_tokenizer, "tokenizer", preprocess_or_tokenizer)
    huggingface.write_folder(folder, model, tokenizer.pad_id)
    length = getattr(preprocess_or_tokenizer, "sequence_length", model.config.max_sequence_length)
    if hasattr(model, "pooling"):
        sentence_transformers.write_modules(
            folder, model.pooling, model.normalize, model.config.hidden_dim, length
        )
    if preprocess_or_tokenizer is tokenizer:
        tokenizer.save(folder, model_max_length=length)
    else:
        preprocess_or_tokenizer.save(folder)


def write_whole(directory, model, preprocess_or_tokenizer, write, marker, overwrite, verify):
    """Writes a checkpoint that is whole or absent; the arguments are checked first.

    Args:
        directory, model, preprocess_or_tokenizer, overwrite, verify: as in `save_preset`.
        write: function of (folder, model, preprocess_or_tokenizer) that writes the files.
        marker: str, a file that every folder of the kind holds.
    """
    tokenizer = getattr(preprocess_or_tokenizer, "tokenizer", preprocess_or_tokenizer)
    check_vocabulary(model, tokenizer)
    if preprocess_or_tokenizer is not tokenizer:
        check_sequence_length(model, preprocess_or_tokenizer)
    with atomic.atomic_directory(directory, overwrite, marker=marker) as new:
        try:
            write(new, model, preprocess_or_tokenizer)
            if verify:
                verification.verify(new, model, tokenizer)
        except OSError as error:  # it names a file of the temporary folder, or none
            raise OSError(f"{directory} cannot be written: {error}") from error


def check_vocabulary(model, tokenizer):
    """Raises `ValueError` where a tokenizer's ids do not fit a model's embedding table."""
    if tokenizer.vocabulary_size != model.config.vocabulary_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocabulary_size} tokens, but the model's embedding "
            f"table has vocabulary_size={model.config.vocabulary_size} rows; expected the "
            "tokenizer that the model was trained with"
        )


def check_sequence_length(model, preprocess):
    """Raises `ValueError` where a preprocessor makes rows longer than a model's position table."""
    if preprocess.sequence_length > model.config.max_sequence_length:
        raise ValueError(
            f"the preprocessor's sequence_length={preprocess.sequence_length} is longer than the "
            f"model's position table, max_sequence_length={model.config.max_sequence_length}; "
            "use a preprocessor with a shorter one, or a model with a longer table"
        )
