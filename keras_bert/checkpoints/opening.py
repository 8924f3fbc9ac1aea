"""Opens a checkpoint, whichever kind it is."""

import os

from keras_bert.checkpoints import huggingface, sentence_transformers
from keras_bert.preset_folder import find_preset
from keras_bert.preset_kind import preset_kind
from keras_bert.vocabulary_files import read_vocabulary

_OPENERS = {
    "huggingface": huggingface.open_folder,
    "sentence_transformers": sentence_transformers.open_folder,
}


def open_source(directory):
    """Finds a checkpoint, sees of which kind it is and reads its configuration.

    Args:
        directory: as `find_preset`.

    Returns:
        `Source`. Its tensors are read when they are asked for.

    Raises:
        As `find_preset`, `preset_kind` and the kind's own file in this room; ValueError where the
        vocabulary is not as long as the embedding table.
    """
    folder = find_preset(directory)
    source = _OPENERS[preset_kind(folder)](folder, os.fspath(directory))
    _check_vocabulary(source)
    return source


def _check_vocabulary(source):
    try:
        length = len(read_vocabulary(source.folder))
    except FileNotFoundError:  # a model without a tokenizer is read too
        return
    if length != source.config.vocabulary_size:
        raise ValueError(
            f"{source.folder}: the vocabulary has {length} tokens, but {source.config_path} has "
            f"vocab_size={source.config.vocabulary_size}; expected as many"
        )
