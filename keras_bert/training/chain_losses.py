"""The loss of chains of labels, and the share of labels that the best chain has right."""

import keras
from keras import ops

from keras_bert.training import chains
from keras_bert.training.metrics import WeightedMean, weights_like
from keras_bert.training.whole_batch import divisor
from keras_bert.training.whole_batch_mean import WholeBatchMean


@keras.saving.register_keras_serializable("keras_bert")
class ChainLikelihood(WholeBatchMean):
    """Minus the log-likelihood of each row's labels, over the number of labels of the whole batch.

    Source: Lample et al. 2016, https://arxiv.org/abs/1603.01360, section 2.2. Divided by labels, as
    `MeanCrossentropy` is, which it equals where all scores of neighbours are 0. See
    `WholeBatchMean` for batches in parts and on several devices.

    Call arguments:
        y_true: int `(batch, sequence)`, class numbers.
        y_pred: float `(batch, sequence + classes + 2, classes)`, as `BertTokenClassifier` with
            `crf=True` makes it.
        sample_weight: float `(batch, sequence)` or None (all 1). The chain is of the positions of
            a weight above 0; a row counts by the mean of these.

    Returns:
        float32 scalar; 0 where all weights are 0.

    Example:
        >>> loss = ChainLikelihood()
        >>> float(loss(np.array([[0, 1]]), np.zeros((1, 2 + 4, 2), "float32")))
        0.693147...
    """

    def __init__(self, name="chain_likelihood"):
        super().__init__(name=name)

    def __call__(self, y_true, y_pred, sample_weight=None):
        weights = _weights(y_true, sample_weight)
        labelled = ops.cast(weights > 0, "float32")
        values = chains.negative_log_likelihood(y_true, y_pred, labelled)
        of_row = ops.sum(weights, axis=1) / ops.maximum(ops.sum(labelled, axis=1), 1.0)
        return ops.divide_no_nan(ops.sum(values * of_row), divisor(y_true, weights))


@keras.saving.register_keras_serializable("keras_bert")
class ChainAccuracy(WeightedMean):
    """The share of labels that the likeliest chain has right.

    Call arguments (`update_state`): as those of `ChainLikelihood`.

    Returns (`result`):
        float32 scalar in [0, 1].

    Example:
        >>> metric = ChainAccuracy()
        >>> metric.update_state(np.array([[0, 1]]), np.zeros((1, 2 + 4, 2), "float32"))
        >>> float(metric.result())
        0.5
    """

    def __init__(self, name="accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = _weights(y_true, sample_weight)
        tags, _ = chains.decode(y_pred, weights > 0)
        right = ops.cast(tags == ops.cast(y_true, "int32"), "float32")
        self.total.assign_add(ops.sum(right * weights))
        self.count.assign_add(ops.sum(weights))


def _weights(y_true, sample_weight):
    return weights_like(ops.ones_like(ops.cast(y_true, "float32")), sample_weight)
