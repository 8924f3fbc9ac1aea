"""R-Drop: two passes with other draws of dropout are to give the same answer."""

import keras
from keras import ops

from keras_bert.training.losses import MeanBinaryCrossentropy, MeanCrossentropy, WholeBatchMean


class Divergence(WholeBatchMean):
    """Half the sum of both Kullback-Leibler divergences between two passes, averaged as the loss.

    Source: Wu et al. 2021, https://arxiv.org/abs/2106.14448, equation 2. For probabilities p, q of
    logits a, b it is `sum((p - q) * (a - b)) / 2`: the normalizers cancel, since p - q sums to 0.
    The same holds of each label alone by a sigmoid.

    Args:
        of_labels: bool, whether each output is a label of its own, by a sigmoid, or all are
            classes of which one is right, by a softmax.

    Call arguments:
        y_true: labels; only their identity is looked at, for batches in parts.
        y_pred: pair of float `(..., outputs)`, the logits of both passes.
        sample_weight: as in the loss.

    Returns:
        float32 scalar, at least 0.

    Example:
        >>> logits = [[0.0, 0.0]], [[0.0, 2.0]]
        >>> float(Divergence(of_labels=False)([0], logits))
        0.38079...
    """

    def __init__(self, of_labels, name="divergence"):
        super().__init__(name=name)
        self.of_labels = of_labels

    def call(self, y_true, y_pred):
        one, other = (ops.cast(logits, "float32") for logits in y_pred)
        probabilities = ops.sigmoid if self.of_labels else ops.softmax
        values = (probabilities(one) - probabilities(other)) * (one - other) / 2
        return values if self.of_labels else ops.sum(values, axis=-1)


def divergence(model, y, y_pred, again, sample_weight):
    """The divergences of all of a model's outputs, by the weights of their losses.

    Args:
        model: a compiled model that `check_r_drop` has let pass.
        y, sample_weight: labels and weights, dicts by output; one tensor for a single output; the
            weights may be None.
        y_pred, again: dicts of float logits, of two passes.

    Returns:
        float32 scalar.
    """
    # Not by get_compile_config(), which reads variables, as no graph can.
    factors = model._compile_config.config["loss_weights"] or {}
    total = 0.0
    for name, loss in _losses(model).items():
        weights = sample_weight.get(name) if isinstance(sample_weight, dict) else sample_weight
        found = Divergence(isinstance(loss, MeanBinaryCrossentropy))(
            y[name] if isinstance(y, dict) else y, (y_pred[name], again[name]), weights
        )
        total += factors.get(name, 1.0) * found
    return total


def check_r_drop(model, weight):
    """Returns `weight`; ValueError unless it is a number from 0 on that the model has a use for."""
    if not 0 <= weight < float("inf"):
        raise ValueError(f"fit: r_drop must be a weight from 0 on; received {weight!r}")
    if not weight:
        return weight
    losses = _losses(model)
    wrong = [
        f"{name}: {type(loss).__name__}"
        for name, loss in losses.items()
        if not isinstance(loss, (MeanCrossentropy, MeanBinaryCrossentropy))
    ]
    if wrong or not losses:
        raise ValueError(
            f"fit: r_drop={weight} compares the probabilities of two passes; expected a model "
            "compiled with a cross-entropy of kb.losses for each output; received "
            f"{', '.join(wrong) or repr(model.loss)}"
        )
    if not any(
        isinstance(layer, keras.layers.Dropout) and layer.rate > 0
        for layer in model._flatten_layers()
    ):
        raise ValueError(
            f"fit: r_drop={weight} needs dropout, without which both passes are the same; "
            f"{model.name} has none: give its BertConfig a dropout above 0"
        )
    return weight


def _losses(model):
    """The losses of a model by the output's name, those that are None left out."""
    losses = getattr(model, "loss", None)
    losses = losses if isinstance(losses, dict) else {}
    return {name: loss for name, loss in losses.items() if loss is not None}
