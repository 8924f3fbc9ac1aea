"""LoRA: small matrices beside frozen ones, added to them when training is over."""

import keras
from keras import ops

from keras_bert.models.freezing import check_untrained
from keras_bert.models.rebuilding import backbone_of

# The dense layers of an encoder layer, by the names that `add_lora` takes.
LAYERS = {
    "query": lambda layer: layer.attention.query,
    "key": lambda layer: layer.attention.key,
    "value": lambda layer: layer.attention.value,
    "projection": lambda layer: layer.attention.projection,
    "intermediate": lambda layer: layer.intermediate,
    "output": lambda layer: layer.output_dense,
}


def add_lora(model, rank=8, alpha=None, layers=("query", "value")):
    """Trains products of two small matrices in place of an encoder's weights.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685, sections 4.1 and 4.2, by Keras's own
    `Dense.enable_lora`. A kernel becomes `kernel + alpha / rank * a @ b`, with `b` zeros: the model
    computes what it did. Embeddings and encoder are frozen; pooler and heads are trained whole.
    Encoder layers that `freeze` has frozen get nothing.

    Call it before `compile`, with a learning rate about ten times that of whole fine-tuning, and
    `merge_lora` before the model is saved.

    Args:
        model: `BertBackbone` or a task model; it is changed.
        rank: int, inner dimension of the products. Default 8.
        alpha: float, scale of the products. Default: `rank`, which scales by 1.
        layers: names of dense layers of every encoder layer, of `"query"`, `"key"`, `"value"`,
            `"projection"`, `"intermediate"`, `"output"`. Default: query and value.

    Raises:
        ValueError: `rank`, `alpha` or a name is none of these; the model has LoRA already; it has
            taken a step with its optimizer.

    Example:
        >>> model = BertTextClassifier(BertBackbone(BertConfig.named("tiny")), ["bad", "good"])
        >>> add_lora(model, rank=4)
        >>> sum(weight.shape.num_elements() for weight in model.trainable_weights)
        20866
        >>> model.compile(optimizer=adamw(1e-3), **classification())
        >>> model.fit(train)
        >>> merge_lora(model)
    """
    backbone = backbone_of(model)
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(f"add_lora: rank must be an int of at least 1; received {rank!r}")
    if alpha is not None and not alpha > 0:
        raise ValueError(f"add_lora: alpha must be above 0, or None; received {alpha!r}")
    unknown = [name for name in layers if name not in LAYERS]
    if unknown or not layers or isinstance(layers, str):
        raise ValueError(f"add_lora: layers are some of {', '.join(LAYERS)}; received {layers!r}")
    if _with_lora(backbone):
        raise ValueError(f"add_lora: {model.name} has LoRA already; merge_lora ends it")
    check_untrained(model, "add_lora")
    for part in _frozen_parts(backbone):
        for weight in part.weights:
            weight.trainable = False
    for layer in backbone.encoder_layers:
        if layer.trainable:
            for name in layers:
                LAYERS[name](layer).enable_lora(rank, alpha)


def merge_lora(model):
    """Adds the products to the kernels; the model has its plain weights again, all trainable.

    What `kb.freeze` froze stays frozen. The model computes what it did but for rounding, in
    bfloat16 to its three digits: the sum is made in the weights' float32. Compile
    it again to train it further. Without LoRA nothing happens.

    Args:
        model: a model that `add_lora` changed.

    Example:
        >>> merge_lora(model)
        >>> save_preset("runs/lora", model, preprocess)
    """
    backbone = backbone_of(model)
    found = _with_lora(backbone)
    for dense in found:
        # In the weights' own float32, whatever the layer computes in.
        product = ops.matmul(dense.lora_kernel_a.value, dense.lora_kernel_b.value)
        dense._kernel.assign_add(product * (dense.lora_alpha / dense.lora_rank))
        for name in ("lora_kernel_a", "lora_kernel_b"):
            dense._untrack_variable(getattr(dense, name))
            delattr(dense, name)
        dense.lora_enabled, dense.lora_rank, dense.lora_alpha = False, None, None
    if not found:
        return
    for part in _frozen_parts(backbone):
        for weight in part.weights:
            weight.trainable = part.trainable
    # Compiled steps would go on adding the products.
    for each in {id(model): model, id(backbone): backbone}.values():
        each.train_function = each.test_function = each.predict_function = None


def has_lora(model):
    """Whether `add_lora` has changed a model and `merge_lora` not yet ended it."""
    return bool(_with_lora(backbone_of(model)))


def _frozen_parts(backbone):
    parts = [backbone.embeddings, backbone.embedding_projection, *backbone.encoder_layers]
    return [part for part in (*parts, backbone.final_norm) if part is not None]


def _with_lora(backbone):
    return [
        layer
        for layer in backbone._flatten_layers()
        if isinstance(layer, keras.layers.Dense) and layer.lora_enabled
    ]
