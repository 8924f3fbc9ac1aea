"""Penalties on large weights, as part of the loss."""

import keras


def regularize(model, l1=0.0, l2=0.0):
    """Adds `l1 * sum(|w|) + l2 * sum(w ** 2)` over all trainable kernels to a model's loss.

    Unlike `weight_decay` of `kb.optimizers.adamw`, which is decoupled from the gradient
    (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101), these go through its moments,
    and the loss that is reported, on validation data too, holds them. Kernels are the matrices of
    dense layers: tables, biases and LayerNorm have no penalty. The model's configuration and files
    know nothing of it. Calling it again replaces the penalties.

    Args:
        model: a built Keras model; it is changed. Freeze first what is to be frozen.
        l1, l2: floats, at least 0. Defaults 0.0.

    Raises:
        ValueError: a negative number.

    Example:
        >>> model = BertTextClassifier(BertBackbone(BertConfig.named("tiny")), ["bad", "good"])
        >>> regularize(model, l2=1e-4)
        >>> model.compile(optimizer=adamw(2e-5, weight_decay=0.0), **classification())
    """
    if l1 < 0 or l2 < 0:
        raise ValueError(f"regularize: l1 and l2 must be at least 0; received l1={l1}, l2={l2}")
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            weight.regularizer = penalty
