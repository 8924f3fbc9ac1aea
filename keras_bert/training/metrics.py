"""Metrics of language modelling."""

import keras
from keras import ops


def crossentropy(y_true, y_pred):
    """Returns the float32 cross-entropy `(...)` of labels `(...)` and logits `(..., classes)`."""
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


@keras.saving.register_keras_serializable("keras_bert")
class Perplexity(keras.metrics.Metric):
    """The exponential of the mean cross-entropy over all weighted tokens seen.

    Call arguments (`update_state`):
        y_true: int `(...)`, token ids.
        y_pred: float `(..., vocabulary_size)`, logits.
        sample_weight: float `(...)` or None (all 1); padded mask slots weigh 0.

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
        weights = ops.ones_like(values) if sample_weight is None else sample_weight
        weights = ops.cast(weights, values.dtype)
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.exp(ops.divide_no_nan(self.total.value, self.count.value))
