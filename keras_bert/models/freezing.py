"""Freezing: weights that training leaves as they are."""

from keras_bert.models.rebuilding import backbone_of


def freeze(model, layers=0, embeddings=False):
    """Freezes the lower part of a model, before it is compiled.

    Source: Lee et al. 2019, https://arxiv.org/abs/1911.03090: a quarter of the layers, trained,
    keeps most of the quality. What is frozen has no gradient and no moments in the optimizer, and
    the backward pass ends above it. Dropout stays at work there. Nothing is made trainable again.

    Args:
        model: `BertBackbone` or a task model; it is changed.
        layers: int, how many encoder layers, from the first; with shared layers (ALBERT) all are
            one. Default 0.
        embeddings: bool, whether the three tables, their normalization and, where there is one,
            their projection are frozen. A masked-LM head shares the table. Default False.

    Raises:
        ValueError: there are not so many layers; or the model has taken a step already, with an
            optimizer that would go on moving what is to be frozen.

    Example:
        >>> model = BertTextClassifier(BertBackbone(BertConfig.named("tiny")), ["bad", "good"])
        >>> freeze(model, layers=1, embeddings=True)
        >>> model.compile(optimizer=adamw(2e-5), **classification())
    """
    backbone = backbone_of(model)
    number = len(backbone.encoder_layers)
    if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= number:
        raise ValueError(
            f"freeze: layers={layers!r}; expected an int from 0 to {number}, the encoder layers of "
            f"{model.name}"
        )
    check_untrained(model, "freeze")
    frozen = list(backbone.encoder_layers[:layers])
    if embeddings:
        frozen.append(backbone.embeddings)
        if backbone.embedding_projection is not None:
            frozen.append(backbone.embedding_projection)
    for layer in frozen:
        layer.trainable = False


def check_untrained(model, what):
    """ValueError where the optimizer knows the model's weights as they were until now."""
    if model.compiled and model.optimizer.built:
        raise ValueError(
            f"{what}: {model.name} has been trained by the optimizer that it was compiled with; "
            f"call {what} before compile, or compile again with a new optimizer after it"
        )
