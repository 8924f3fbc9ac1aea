"""Reads back a checkpoint that was written and compares it with the model."""

import numpy as np

from keras_bert.checkpoints import names
from keras_bert.checkpoints.opening import open_source
from keras_bert.vocabulary_files import read_vocabulary


def verify(folder, model, tokenizer):
    """Compares a checkpoint with the model and tokenizer that it was written from.

    Every tensor is compared bit for bit, one at a time; so are the sizes and the vocabulary.

    Args:
        folder: str, a folder on this machine.
        model: the model.
        tokenizer: `BertTokenizer`.

    Raises:
        OSError: something differs; the message names it.
    """
    source = open_source(folder)
    skipped = "pooler" if names.has_unused_pooler(model) else None
    for tensor in names.model_tensors(model):
        name = names.canonical(tensor.name)
        if tensor.part == skipped:  # it is left out, or where there is always one starts anew
            continue
        if name not in source.tensors:
            raise OSError(f"{source.tensors.path} lacks {tensor.name}, which was written to it")
        value, expected = source.tensors.read(name), np.asarray(tensor.variable, "float32")
        if not np.array_equal(value.T if tensor.transposed else value, expected):
            raise OSError(f"{source.tensors.path}: {tensor.name} is not what was written to it")
    if read_vocabulary(folder) != tokenizer.vocabulary:
        raise OSError(f"{folder}: the vocabulary is not what was written to it")
