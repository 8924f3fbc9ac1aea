"""Metrics of language modelling."""

import keras
from keras import ops


def crossentropy(y_true, y_pred):
    """Returns the float32 cross-entropy `(...)` of labels `(...)` and logits `(..., classes)`."""
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


def weights_like(values, sample_weight):
    """Returns float32 weights of the shape of `values`: 1 where none are given.

    One weight a row `(batch,)` counts for every value of the row `(batch, masks)`, as in Keras.
    """
    if sample_weight is None:
        return ops.ones_like(values)
    weights = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
    while len(weights.shape) > len(values.shape) and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, -1)
    while len(weights.shape) < len(values.shape):
        weights = weights[..., None]
    return ops.broadcast_to(weights, ops.shape(values))


@keras.saving.register_keras_serializable("keras_bert")
class Perplexity(keras.metrics.Metric):
    """The exponential of the mean cross-entropy over all weighted tokens seen.

    Call arguments (`update_state`):
        y_true: int `(...)`, token ids.
        y_pred: float `(..., vocabulary_size)`, logits.
        sample_weight: float `(...)` or None (all 1); `(batch,)` weighs whole rows; padded mask
            slots weigh 0.

    Returns (`result`):
        float32 scalar, at least 1; 1 for a model that is always right.

    Example:
        >>> metric = Perplexity()
        >>> metric.update_state([0, 1], [[0.0, 0.0], [0.0, 0.0]])
        >>> float(metric.result())
        2.0
    """

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = crossentropy(y_true, y_pred)
        weights = weights_like(values, sample_weight)
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.exp(ops.divide_no_nan(self.total.value, self.count.value))
