"""A model directory, whole: configuration, weights and tokenizer in Hugging Face's layout."""

from keras_bert import atomic
from keras_bert.checkpoints import config_file, huggingface


def save_preset(directory, model, preprocess_or_tokenizer, overwrite=False):
    """Writes a model and its tokenizer as one Hugging Face model directory.

    The folder holds `config.json`, `model.safetensors`, `vocab.txt` and `tokenizer_config.json`;
    `transformers` loads it, head and labels included. It appears when it is complete: a kill or a
    full disk leaves the former one. A masked-LM model is written without the pooler, which
    nothing trains there and Hugging Face's class has not.

    Args:
        directory: str or path-like, the folder to make.
        model: `BertBackbone` or a task model.
        preprocess_or_tokenizer: the preprocessor or the `BertTokenizer` that the model was
            trained with.
        overwrite: bool, whether a model directory that exists is replaced, as a whole.
            Default False.

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
    tokenizer = getattr(preprocess_or_tokenizer, "tokenizer", preprocess_or_tokenizer)
    check_vocabulary(model, tokenizer)
    if preprocess_or_tokenizer is not tokenizer:
        check_sequence_length(model, preprocess_or_tokenizer)
    with atomic.atomic_directory(directory, overwrite, marker=config_file.CONFIG_FILE) as new:
        try:
            huggingface.write_folder(new, model, tokenizer.pad_id)
            if preprocess_or_tokenizer is tokenizer:
                tokenizer.save(new, model_max_length=model.config.max_sequence_length)
            else:
                preprocess_or_tokenizer.save(new)
        except OSError as error:  # it names a file of the temporary folder, or none
            raise OSError(f"{directory} cannot be written: {error}") from error


def classifier_labels(source, labels=None):
    """Settles the classes of a classifier that is read from a checkpoint.

    Args:
        source: `Source`.
        labels: list of str, the classes' names; default those of the directory.

    Returns:
        List of str.

    Raises:
        ValueError: there are no names, or they do not fit the directory's classifier.
    """
    directory = source.folder
    size, stored = source.head_size("classifier.bias"), config_file.labels_of(source)
    if labels is None:
        if not size:
            raise ValueError(
                f"{directory} has no classifier; pass labels=[...] to start a new one on its "
                "backbone"
            )
        return stored or [f"LABEL_{number}" for number in range(size)]
    labels = list(labels)
    if size and len(labels) != size:
        raise ValueError(
            f"{directory} has a classifier of {size} classes ({stored}); received labels={labels}. "
            "To start a new one, use BertTextClassifier(BertBackbone.from_preset(...), labels)"
        )
    if size and stored and labels != stored and set(labels) == set(stored):
        raise ValueError(
            f"{directory} has the classes {stored} in this order; received labels={labels}, which "
            "would exchange their meanings"
        )
    return labels


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
