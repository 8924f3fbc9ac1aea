"""A model made anew with tables of other sizes: what changing a trained model's tables rests on."""

import numpy as np
from keras import ops

from keras_bert.layers.initializers import without_values
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.base import BertModel


def backbone_of(model):
    """Returns the backbone that a model of this package is or stands on.

    Raises:
        ValueError: it is no model of this package.
    """
    if isinstance(model, BertModel):
        backbone = model if isinstance(model, BertBackbone) else getattr(model, "backbone", None)
        if isinstance(backbone, BertBackbone):
            return backbone
    raise ValueError(
        f"Expected a BertBackbone or a task model on one; received {type(model).__name__}"
    )


def rebuilt(model, tables, **changes):
    """Makes a model of the same class and arguments whose backbone has another configuration.

    All weights are copied, values and what is frozen, one after the other: memory holds the two
    models and the largest table. The new model is not compiled; the one given stays as it is.

    Args:
        model: `BertBackbone` or a task model.
        tables: list of (weight of the model, function from its value, a NumPy array, to the new
            value); all other weights keep theirs bit for bit.
        **changes: fields of `BertConfig`.

    Returns:
        A model of the class of `model`.

    Raises:
        ValueError: it is no model of this package, or has weights that no longer fit it.
    """
    backbone = backbone_of(model)
    config = backbone.config.replace(**changes)
    with without_values():
        copy = type(backbone).from_config({**backbone.get_config(), "config": config})
        if model is not backbone:
            copy = type(model).from_config({**model.get_config(), "backbone": copy})
    functions = {id(weight): function for weight, function in tables}
    layers, new_layers = model._flatten_layers(), copy._flatten_layers()
    if len(layers) != len(new_layers) or len(model.weights) != len(copy.weights):
        raise ValueError(
            f"{model.name}: has {len(layers)} layers with {len(model.weights)} weights, but a new "
            f"model of its get_config() has {len(new_layers)} with {len(copy.weights)}; expected "
            "that get_config() returns all its arguments"
        )
    for old, new in zip(layers, new_layers, strict=True):
        new.trainable = old.trainable
    for old, new in zip(model.weights, copy.weights, strict=True):
        # A copy of its own: JAX's training step gives the memory of its arrays away.
        value = np.array(ops.convert_to_numpy(old))
        if id(old) in functions:
            value = functions.pop(id(old))(value)
        if old.path != new.path or value.shape != tuple(new.shape):
            raise ValueError(
                f"{model.name}: the weight {old.path} of shape {value.shape} has no place in a new "
                f"model of its get_config(), which has {new.path} of shape {tuple(new.shape)} there"
            )
        new.assign(value)
        new.trainable = old.trainable
    if functions:
        raise ValueError(f"{model.name}: {len(functions)} tables are not among its weights")
    return copy
