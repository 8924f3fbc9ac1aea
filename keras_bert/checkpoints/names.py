"""Which variable of a model goes by which name in a Hugging Face file.

The one place that knows Hugging Face's tensor names. Models are known by what they have
(`encoder_layers`, `masked_lm_head`, ...), never by class: this room imports no model.
"""

from typing import Any, NamedTuple

# Buffers that old files carry beside the weights; they hold no information.
IGNORED = ("embeddings.position_ids", "embeddings.token_type_ids")

# The output matrix is the token table; older files hold it once more under this name.
TIED_TABLE = "cls.predictions.decoder.weight"

# Names that old versions gave, and what they are called since.
_MODERN = {
    "LayerNorm.gamma": "LayerNorm.weight",
    "LayerNorm.beta": "LayerNorm.bias",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


def canonical(name):
    """The one name of a tensor: today's, without the prefix that only files of tasks have."""
    name = name.removeprefix("bert.")
    for old, modern in _MODERN.items():
        name = name.replace(old, modern)
    return name


class Tensor(NamedTuple):
    """One variable and its place in a file.

    `transposed`: Hugging Face's dense kernels are (outputs, inputs), Keras's (inputs, outputs).
    `part`: `"backbone"`, `"pooler"` or the name of a head; only the first must be in a file.
    """

    name: str
    variable: Any
    transposed: bool
    part: str

    @property
    def shape(self):
        """The shape in the file, tuple of int."""
        shape = tuple(self.variable.shape)
        return shape[::-1] if self.transposed else shape


def model_tensors(model):
    """Lists the variables of a backbone or a task model with their names in a file.

    Args:
        model: a built model of this package; a task model has a `backbone`.

    Returns:
        List of `Tensor`. Names of the backbone start with `bert.` in task models and with nothing
        in a backbone alone, as Hugging Face writes them.

    Raises:
        ValueError: a weight of the model has no name here, so that it could not be saved.
    """
    backbone = getattr(model, "backbone", model)
    prefix = "" if backbone is model else "bert."
    tensors = [*_backbone(backbone, prefix), *_heads(model)]
    known = {id(tensor.variable) for tensor in tensors}
    nameless = [weight.path for weight in model.weights if id(weight) not in known]
    if nameless:
        raise ValueError(
            f"{type(model).__name__} has weights that the Hugging Face layout has no name for: "
            f"{', '.join(nameless)}; save the model with model.save('....keras') instead"
        )
    return tensors


def architecture(model):
    """The name of the Hugging Face class that a model corresponds to."""
    if not hasattr(model, "backbone"):
        return "BertModel"
    if hasattr(model, "next_sentence_head"):
        return "BertForPreTraining"
    if hasattr(model, "masked_lm_head"):
        return "BertForMaskedLM"
    if hasattr(model, "classifier"):
        return "BertForSequenceClassification"
    raise ValueError(f"{type(model).__name__} has no counterpart in the Hugging Face layout")


def has_unused_pooler(model):
    """Whether nothing reads the model's pooler: Hugging Face's masked LM then has none."""
    return architecture(model) == "BertForMaskedLM"


def _backbone(backbone, prefix):
    embeddings = backbone.embeddings
    start = f"{prefix}embeddings."
    yield Tensor(f"{start}word_embeddings.weight", embeddings.token_table, False, "backbone")
    yield Tensor(f"{start}position_embeddings.weight", embeddings.position_table, False, "backbone")
    yield Tensor(
        f"{start}token_type_embeddings.weight", embeddings.segment_table, False, "backbone"
    )
    yield from _norm(f"{start}LayerNorm", embeddings.layer_norm, "backbone")
    if backbone.embedding_projection is not None:  # ALBERT's name
        projection = backbone.embedding_projection
        yield from _dense(f"{prefix}encoder.embedding_hidden_mapping_in", projection, "backbone")
    for i, layer in enumerate(backbone.encoder_layers):
        start = f"{prefix}encoder.layer.{i}."
        attention = layer.attention
        yield from _dense(f"{start}attention.self.query", attention.query, "backbone")
        yield from _dense(f"{start}attention.self.key", attention.key, "backbone")
        yield from _dense(f"{start}attention.self.value", attention.value, "backbone")
        yield from _dense(f"{start}attention.output.dense", attention.projection, "backbone")
        yield from _norm(f"{start}attention.output.LayerNorm", layer.attention_norm, "backbone")
        yield from _dense(f"{start}intermediate.dense", layer.intermediate, "backbone")
        yield from _dense(f"{start}output.dense", layer.output_dense, "backbone")
        yield from _norm(f"{start}output.LayerNorm", layer.feed_forward_norm, "backbone")
    if backbone.final_norm is not None:
        yield from _norm(f"{prefix}encoder.final_norm.LayerNorm", backbone.final_norm, "backbone")
    yield from _dense(f"{prefix}pooler.dense", backbone.pooler.dense, "pooler")


def _heads(model):
    if hasattr(model, "masked_lm_head"):
        head = model.masked_lm_head
        start = "cls.predictions."
        yield from _dense(f"{start}transform.dense", head.transform, "masked_lm")
        yield from _norm(f"{start}transform.LayerNorm", head.layer_norm, "masked_lm")
        yield Tensor(f"{start}bias", head.bias, False, "masked_lm")
    if hasattr(model, "next_sentence_head"):
        yield from _dense("cls.seq_relationship", model.next_sentence_head, "next_sentence")
    if hasattr(model, "classifier"):
        yield from _dense("classifier", model.classifier, "classifier")


def _dense(name, layer, part):
    yield Tensor(f"{name}.weight", layer.kernel, True, part)
    yield Tensor(f"{name}.bias", layer.bias, False, part)


def _norm(name, layer, part):
    yield Tensor(f"{name}.weight", layer.gamma, False, part)
    yield Tensor(f"{name}.bias", layer.beta, False, part)
