"""The mean of a loss over a whole batch, however it is cut up."""

import keras
from keras import ops

from keras_bert.training.metrics import weights_like
from keras_bert.training.whole_batch import divisor


class WholeBatchMean(keras.losses.Loss):
    """A loss of each label, averaged over the weights of the whole batch.

    What weighs 0 counts for nothing. Under a `tf.distribute` strategy the weights are those of all
    replicas, so the gradient is the one of the whole batch on one device, however unevenly they
    fall; `fit(micro_batches=k)` likewise. A child's `call` returns float32 of the labels' shape.

    Call arguments:
        y_true, y_pred: labels `(...)` and outputs, as the child says.
        sample_weight: float `(...)` or None (all 1); `(batch,)` weighs whole rows.

    Returns:
        float32 scalar; 0 where all weights are 0.
    """

    def __call__(self, y_true, y_pred, sample_weight=None):
        values = self.call(y_true, y_pred)
        weights = weights_like(values, sample_weight)
        # Divided by the weights of all replicas and parts: their gradients add up to the batch's.
        return ops.divide_no_nan(ops.sum(values * weights), divisor(y_true, weights))

    def get_config(self):
        return {"name": self.name}
