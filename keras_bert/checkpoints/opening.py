"""Opens a checkpoint, whichever kind it is."""

import os

from keras_bert.checkpoints import google, huggingface, keras_hub, sentence_transformers
from keras_bert.checkpoints.google_files import is_prefix
from keras_bert.preset_folder import find_preset
from keras_bert.preset_kind import preset_kind
from keras_bert.vocabulary_files import read_vocabulary

_OPENERS = {
    "google": google.open_folder,
    "huggingface": huggingface.open_folder,
    "keras_hub": keras_hub.open_folder,
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
    folder, given = find_preset(directory), os.fspath(directory)
    # A prefix names one kind of files, whatever else lies in their folder.
    kind = "google" if is_prefix(given) else preset_kind(folder)
    source = _OPENERS[kind](folder, given)
    _check_vocabulary(source)
    return source


def _check_vocabulary(source):
    try:
        length = len(read_vocabulary(source.folder))
    except FileNotFoundError:  # a model without a tokenizer is read too
        return
    if length != source.config.vocabulary_size:
        raise ValueError(
            f"{source.folder}: the vocabulary (vocab.txt or tokenizer.json, with added tokens) has "
            f"{length} tokens, but {source.config_path} has "
            f"vocab_size={source.config.vocabulary_size}; expected as many"
        )
