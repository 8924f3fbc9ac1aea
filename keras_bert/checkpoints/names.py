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


# What a model has -> Hugging Face's class: the first line that fits.
_ARCHITECTURES = {
    ("pooling",): "BertModel",
    ("masked_lm_head", "next_sentence_head"): "BertForPreTraining",
    ("masked_lm_head", "prefix_mask"): "BertSeq2SeqLM",
    ("masked_lm_head",): "BertForMaskedLM",
    ("next_sentence_head",): "BertForNextSentencePrediction",
    ("classifier",): "BertForSequenceClassification",
    ("token_classifier",): "BertForTokenClassification",
    ("span_classifier",): "BertForQuestionAnswering",
    ("choice_classifier",): "BertForMultipleChoice",
    ("relation_classifier",): "BertRelationClassifier",
}
_WITHOUT_POOLER = (
    "BertForMaskedLM",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
    "BertRelationClassifier",
    "BertSeq2SeqLM",
)
# Ours, of which Hugging Face has no class.
OWN_ARCHITECTURES = ("BertRelationClassifier", "BertSeq2SeqLM")

# Heads that are one dense layer, and its name in a file.
DENSE_HEADS = {
    "next_sentence_head": "cls.seq_relationship",
    "classifier": "classifier",
    "token_classifier": "classifier",
    "span_classifier": "qa_outputs",
    "choice_classifier": "classifier",
    "relation_classifier": "relation_classifier",
}

# Heads whose tensors alone do not tell which class they belong to.
OWNERS = {
    part: _ARCHITECTURES[(part,)] for part, name in DENSE_HEADS.items() if name == "classifier"
}


class Tensor(NamedTuple):
    """One variable and its place in a file.

    `transposed`: Hugging Face's dense kernels are (outputs, inputs), Keras's (inputs, outputs).
    `part`: `"backbone"`, `"pooler"` or the attribute of the model that is its head; only the first
    must be in a file.
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
        in a backbone alone or an embedder, as Hugging Face writes them.

    Raises:
        ValueError: a weight of the model has no name here, so that it could not be saved.
    """
    backbone = getattr(model, "backbone", model)
    prefix = "" if architecture(model) == "BertModel" else "bert."
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
    if hasattr(model, "members"):
        raise ValueError(
            f"{model.name} is an ensemble, and a model directory holds one model; save its "
            "members, one each, export it as a SavedModel, or make one by kb.averaged_weights"
        )
    if not hasattr(model, "backbone"):
        return "BertModel"
    for attributes, name in _ARCHITECTURES.items():
        if all(hasattr(model, attribute) for attribute in attributes):
            return name
    raise ValueError(f"{type(model).__name__} has no counterpart in the Hugging Face layout")


def has_unused_pooler(model):
    """Whether nothing reads the model's pooler, and Hugging Face's class has none."""
    return architecture(model) in _WITHOUT_POOLER


def foreign_head(part, values):
    """Tells whether a checkpoint's head is another class's, by the same tensor names.

    Three of Hugging Face's classes call their head `classifier`; one of them read as another would
    compute something without a word.

    Args:
        part: str, as in `Tensor`.
        values: dict, what the checkpoint's configuration says; see `Source`.

    Returns:
        Str, the classes that the configuration names where none of them is the head's own; None
        where it is, where the configuration names none, and for parts whose names say it all.
    """
    named = values.get("architectures") or []
    named = [named] if isinstance(named, str) else named
    own = OWNERS.get(part)
    return None if own is None or not named or own in named else " and ".join(map(str, named))


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
        yield from _dense(f"{start}transform.dense", head.transform, "masked_lm_head")
        yield from _norm(f"{start}transform.LayerNorm", head.layer_norm, "masked_lm_head")
        yield Tensor(f"{start}bias", head.bias, False, "masked_lm_head")
    for attribute, name in DENSE_HEADS.items():
        if hasattr(model, attribute):
            yield from _dense(name, getattr(model, attribute), attribute)
    # Of our own.
    if getattr(model, "window_pooling", None) == "attention":
        yield Tensor("window_pooling.query", model.pooling_layer.query, False, "window_pooling")
    if getattr(model, "crf", None) is not None:
        for name in ("transitions", "start", "end"):
            yield Tensor(f"crf.{name}", getattr(model.crf, name), False, "crf")


def _dense(name, layer, part):
    yield Tensor(f"{name}.weight", layer.kernel, True, part)
    yield Tensor(f"{name}.bias", layer.bias, False, part)


def _norm(name, layer, part):
    yield Tensor(f"{name}.weight", layer.gamma, False, part)
    yield Tensor(f"{name}.bias", layer.beta, False, part)
