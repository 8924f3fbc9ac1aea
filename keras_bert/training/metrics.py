"""Metrics of language modelling, of several labels and of numbers, averaged over weights."""

import keras
from keras import ops


def crossentropy(y_true, y_pred):
    """Returns the float32 cross-entropy `(...)` of labels `(...)` and logits `(..., classes)`."""
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


def binary_crossentropy(y_true, y_pred):
    """Returns the float32 cross-entropy `(...)` of labels in [0, 1] and logits, both `(...)`."""
    y_true, y_pred = like_labels(y_true, y_pred)
    # max(x, 0) - x y + log(1 + exp(-|x|)), which no logit overflows.
    return ops.relu(y_pred) - y_pred * y_true + ops.log1p(ops.exp(-ops.abs(y_pred)))


def like_labels(y_true, y_pred):
    """Returns both in float32 and the labels' shape: one output a row may have labels `(batch,)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    labels, outputs = tuple(y_true.shape), tuple(y_pred.shape)
    if len(outputs) == len(labels) + 1 and outputs[-1] == 1:
        y_pred, outputs = ops.squeeze(y_pred, -1), outputs[:-1]
    pairs = zip(labels, outputs, strict=False)
    if len(labels) != len(outputs) or any(a != b for a, b in pairs if None not in (a, b)):
        raise ValueError(
            f"Received labels of shape {labels} and outputs of shape {tuple(y_pred.shape)}; "
            "expected one label for each output of a row"
        )
    return y_true, y_pred


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


class WeightedMean(keras.metrics.Metric):
    """The mean of a value of each label over all weights seen; a child's `values` makes them.

    Call arguments (`update_state`):
        y_true, y_pred: labels `(...)` and outputs, as the child says.
        sample_weight: float `(...)` or None (all 1); `(batch,)` weighs whole rows.

    Returns (`result`):
        float32 scalar; 0 where nothing has weight.
    """

    def __init__(self, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = self.values(y_true, y_pred)
        weights = weights_like(values, sample_weight)
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.divide_no_nan(self.total.value, self.count.value)


@keras.saving.register_keras_serializable("keras_bert")
class Perplexity(WeightedMean):
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

    def values(self, y_true, y_pred):
        return crossentropy(y_true, y_pred)

    def result(self):
        return ops.exp(super().result())


@keras.saving.register_keras_serializable("keras_bert")
class LabelAccuracy(WeightedMean):
    """The share of labels, each right or not, that are told right: those of a positive logit are.

    Call arguments (`update_state`):
        y_true: `(batch, labels)`, 1 = the label is right, 0 = it is not.
        y_pred: float `(batch, labels)`, logits; above 0 is a probability above 0.5.
        sample_weight: float `(batch, labels)` or `(batch,)`, or None (all 1).

    Returns (`result`):
        float32 scalar in [0, 1].

    Example:
        >>> metric = LabelAccuracy()
        >>> metric.update_state([[1, 0, 0, 1]], [[3.0, -1.0, 0.5, 2.0]])
        >>> float(metric.result())
        0.75
    """

    def __init__(self, name="label_accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def values(self, y_true, y_pred):
        y_true, y_pred = like_labels(y_true, y_pred)
        return ops.cast((y_pred > 0) == (y_true > 0.5), "float32")


@keras.saving.register_keras_serializable("keras_bert")
class MeanAbsoluteError(WeightedMean):
    """The mean of the absolute differences between numbers.

    Call arguments (`update_state`):
        y_true: float `(batch, numbers)`, or `(batch,)` for one number.
        y_pred: float `(batch, numbers)`.
        sample_weight: float, the shape of `y_true` or `(batch,)`, or None (all 1).

    Returns (`result`):
        float32 scalar, at least 0.

    Example:
        >>> metric = MeanAbsoluteError()
        >>> metric.update_state([1.0, 5.0], [[3.0], [5.0]])
        >>> float(metric.result())
        1.0
    """

    def __init__(self, name="mean_absolute_error", **kwargs):
        super().__init__(name=name, **kwargs)

    def values(self, y_true, y_pred):
        y_true, y_pred = like_labels(y_true, y_pred)
        return ops.abs(y_pred - y_true)


@keras.saving.register_keras_serializable("keras_bert")
class MicroF1(keras.metrics.Metric):
    """F1 of labels that are each right or not, counted over all labels and rows seen.

    Call arguments (`update_state`): as `LabelAccuracy`.

    Returns (`result`):
        float32 scalar in [0, 1]; 0 where no label was right and none was told.

    Example:
        >>> metric = MicroF1()
        >>> metric.update_state([[1, 0, 0, 1]], [[3.0, -1.0, 0.5, 2.0]])
        >>> float(metric.result())
        0.80000...
    """

    def __init__(self, name="micro_f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.both = self.add_weight(name="both", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = like_labels(y_true, y_pred)
        weights = weights_like(y_true, sample_weight)
        right = ops.cast(y_true > 0.5, "float32")
        told = ops.cast(y_pred > 0, "float32")
        self.hits.assign_add(ops.sum(weights * right * told))
        self.both.assign_add(ops.sum(weights * (right + told)))

    def result(self):
        return ops.divide_no_nan(2 * self.hits.value, self.both.value)
