"""The variables of KerasHub's BERT, by canonical names, in the shapes of a dense layer."""

import math
from typing import Any, NamedTuple

import numpy as np


class Place(NamedTuple):
    """One variable of a KerasHub model.

    `shape`: as a dense layer has it, (inputs, outputs) or (outputs,); attention's variables have
    an axis more, for the heads. `is_kernel`: whether Hugging Face's is the other way round.
    """

    name: str
    variable: Any
    shape: tuple
    is_kernel: bool


def places(model):
    """Lists the variables of a `keras_hub.models.BertBackbone` or a task on one, as `Place`s."""
    backbone = getattr(model, "backbone", model)
    yield _table("word", backbone.token_embedding.embeddings)
    yield _table("position", backbone.position_embedding.position_embeddings)
    yield _table("token_type", backbone.segment_embedding.embeddings)
    yield from _norm("embeddings.LayerNorm", backbone.embeddings_layer_norm)
    for i, layer in enumerate(backbone.transformer_layers):
        start = f"encoder.layer.{i}."
        attention = layer._self_attention_layer
        for name in ("query", "key", "value"):
            dense = getattr(attention, f"{name}_dense")
            yield from _dense(f"{start}attention.self.{name}", dense)
        yield from _dense(f"{start}attention.output.dense", attention.output_dense, inputs=2)
        yield from _norm(f"{start}attention.output.LayerNorm", layer._self_attention_layer_norm)
        yield from _dense(f"{start}intermediate.dense", layer._feedforward_intermediate_dense)
        yield from _dense(f"{start}output.dense", layer._feedforward_output_dense)
        yield from _norm(f"{start}output.LayerNorm", layer._feedforward_layer_norm)
    yield from _dense("pooler.dense", backbone.pooled_dense)
    if hasattr(model, "masked_lm_head"):
        head = model.masked_lm_head
        yield from _dense("cls.predictions.transform.dense", head._intermediate_dense)
        yield from _norm("cls.predictions.transform.LayerNorm", head._intermediate_layer_norm)
        yield Place("cls.predictions.bias", head._bias, tuple(head._bias.shape), False)
    if hasattr(model, "output_dense"):
        yield from _dense("classifier", model.output_dense)


def _table(kind, variable):
    return Place(f"embeddings.{kind}_embeddings.weight", variable, tuple(variable.shape), False)


def _dense(name, layer, inputs=1):
    """`inputs`: int, leading axes of the kernel that are inputs."""
    shape = layer.kernel.shape
    pair = (math.prod(shape[:inputs]), math.prod(shape[inputs:]))
    yield Place(f"{name}.weight", layer.kernel, pair, True)
    yield Place(f"{name}.bias", layer.bias, pair[1:], False)


def _norm(name, layer):
    yield Place(f"{name}.weight", layer.gamma, tuple(layer.gamma.shape), False)
    yield Place(f"{name}.bias", layer.beta, tuple(layer.beta.shape), False)


class KerasHubVariables:
    """The variables of a KerasHub model that was loaded, as a source's tensors.

    Args:
        model: `keras_hub.models.BertBackbone` or a task on one.
        path: str, the file of its weights, for messages.
        dtype: str, the type in the file, as NumPy names it.
    """

    def __init__(self, model, path, dtype):
        self.path, self._dtype = path, dtype
        self._found = {place.name: place for place in places(model)}

    def __iter__(self):
        return iter(self._found)

    def __contains__(self, name):
        return name in self._found

    def stored_name(self, name):
        """The path of KerasHub's variable; for a tensor it lacks, the canonical name."""
        return self._found[name].variable.path if name in self._found else name

    def shape(self, name):
        """Tuple of int; a kernel's is (outputs, inputs)."""
        place = self._found[name]
        return place.shape[::-1] if place.is_kernel else place.shape

    def dtype(self, name):
        """The type in the file, as NumPy names it."""
        return self._dtype

    def read(self, name):
        """The values, a NumPy array; dense kernels are (outputs, inputs)."""
        place = self._found[name]
        value = np.asarray(place.variable).reshape(place.shape)
        return value.T if place.is_kernel else value
