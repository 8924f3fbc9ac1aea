"""Fills a model with the tensors of a source, whichever kind it is."""

import logging

import numpy as np

from keras_bert.checkpoints import names
from keras_bert.checkpoints.reading import read_ahead

_logger = logging.getLogger(__name__)


def load_weights(model, source):
    """Fills a model with the weights of a source.

    Tensors are read one by one, so that memory holds the model and one tensor. All names and
    shapes are checked before the first variable changes. The source may hold any BERT: an encoder
    alone, other heads, no pooler.

    Args:
        model: a built model of this package.
        source: `Source`, as `open_source` gives it.

    Returns:
        List of str, the tensors that start anew: a pooler or a head that the source lacks, or a
        head that is another class's there. A warning lists them.

    Raises:
        ValueError: the source is damaged, lacks a tensor of the backbone, has one too many, or one
            of another shape; the message names file, tensor, expected and received.
    """
    tensors = source.tensors
    found, new, foreign = _match(names.model_tensors(model), source)
    _check_extra(set(tensors) - set(found), tensors)
    if names.has_unused_pooler(model):
        new = [name for name in new if not name.startswith("pooler.")]
    if hasattr(model, "masked_lm_head"):
        _check_tied(tensors)
    for variable, value in read_ahead(found, tensors):
        variable.assign(value)
    if new:
        listed = ", ".join(tensors.stored_name(name) for name in new)
        _logger.warning("%s has no %s: these start anew, to be trained", tensors.path, listed)
    if foreign:
        part = next(iter(foreign.values()))
        _logger.warning(
            "%s: %s of the file belong to a %s, as %s says, and this model is a %s: they are left, "
            "and this model's start anew, to be trained",
            tensors.path,
            ", ".join(tensors.stored_name(name) for name in foreign),
            names.foreign_head(part, source.values),
            source.config_path,
            names.OWNERS[part],
        )
    return [*new, *foreign]


def _match(wanted, source):
    """Pairs the source's names with the model's tensors, after checking all of them.

    Returns: a dict, name -> `Tensor`; a list of the names that are missing; a dict, name -> part,
    of those that are another class's.
    """
    tensors = source.tensors
    found, new, foreign = {}, [], {}
    for tensor in wanted:
        name = names.canonical(tensor.name)
        if name in tensors and names.foreign_head(tensor.part, source.values):
            foreign[name] = tensor.part
            continue
        if name not in tensors:
            if tensor.part == "backbone":
                raise ValueError(
                    f"{tensors.path} lacks the tensor {tensors.stored_name(name)}; expected one of "
                    f"shape {tensor.shape}. Does the configuration beside it belong to it?"
                )
            new.append(name)
            continue
        if tensors.shape(name) != tensor.shape:
            raise ValueError(
                f"{tensors.path}: tensor {tensors.stored_name(name)} has shape "
                f"{tensors.shape(name)}; expected {tensor.shape} after the configuration and the "
                "model"
            )
        found[name] = tensor
    return found, new, foreign


def _check_extra(unused, tensors):
    """Refuses tensors of the backbone that the model has no place for; heads may be left."""
    heads = []
    for name in sorted(unused):
        if name in names.IGNORED or name.startswith("pooler."):
            continue
        if name.startswith(("embeddings.", "encoder.")):
            raise ValueError(
                f"{tensors.path} holds the tensor {tensors.stored_name(name)}, which a model of "
                "its configuration has no place for; expected the backbone that the configuration "
                "describes and nothing beside it"
            )
        heads.append(tensors.stored_name(name))
    if heads:
        _logger.info("%s: not used by this model: %s", tensors.path, ", ".join(heads))


def _check_tied(tensors):
    table = "embeddings.word_embeddings.weight"
    if names.TIED_TABLE not in tensors:
        return
    if not np.array_equal(tensors.read(names.TIED_TABLE), tensors.read(table)):
        raise ValueError(
            f"{tensors.path}: {names.TIED_TABLE} differs from {tensors.stored_name(table)}; "
            "expected them to be equal, since this model's masked-LM head scores against the "
            "token table itself"
        )
