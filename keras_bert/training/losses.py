"""Losses, ready for `model.compile(**...)`."""

import keras
from keras import ops

from keras_bert.training.metrics import Perplexity, crossentropy, weights_like
from keras_bert.training.whole_batch import divisor


@keras.saving.register_keras_serializable("keras_bert")
class MeanCrossentropy(keras.losses.Loss):
    """Cross-entropy of integer labels and logits, averaged over the weights of the whole batch.

    Source: google-research/bert `run_pretraining.py`, `get_masked_lm_output`: the sum over masked
    tokens divided by their number. Padded mask slots weigh 0 and count for nothing. Under a
    `tf.distribute` strategy the number is that of all replicas, so the gradient is the one of the
    whole batch on one device, however unevenly masks fall; `fit(micro_batches=k)` likewise.

    Call arguments:
        y_true: int `(...)`, class numbers.
        y_pred: float `(..., classes)`, logits.
        sample_weight: float `(...)` or None (all 1); `(batch,)` weighs whole rows.

    Returns:
        float32 scalar; 0 where all weights are 0.

    Example:
        >>> loss = MeanCrossentropy()
        >>> float(loss([1, 0], [[0.0, 2.0], [1.0, 9.0]], sample_weight=[1.0, 0.0]))
        0.12692800...
    """

    def __init__(self, name="mean_crossentropy"):
        super().__init__(name=name)

    def __call__(self, y_true, y_pred, sample_weight=None):
        values = self.call(y_true, y_pred)
        weights = weights_like(values, sample_weight)
        # Divided by the weights of all replicas and parts: their gradients add up to the batch's.
        return ops.divide_no_nan(ops.sum(values * weights), divisor(y_true, weights))

    def call(self, y_true, y_pred):
        return crossentropy(y_true, y_pred)

    def get_config(self):
        return {"name": self.name}


def pretraining():
    """Compile arguments for `BertPretrainer`: both losses, masked accuracy, perplexity, NSP.

    Source: Devlin et al. 2018, appendix A.2: the loss is the sum of the two means.

    Returns:
        dict with `loss` and `weighted_metrics`, to be passed to `compile` by `**`.

    Example:
        >>> model = BertPretrainer(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(1e-4), **pretraining())
    """
    masked, following = masked_lm(), _classification("next_sentence")
    return {key: {**masked[key], **following[key]} for key in masked}


def masked_lm():
    """Compile arguments for `BertMaskedLM`: the loss, masked accuracy and perplexity.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertMaskedLM(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(1e-4), **masked_lm())
    """
    return {
        "loss": {"masked_lm": MeanCrossentropy()},
        "weighted_metrics": {
            "masked_lm": [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), Perplexity()]
        },
    }


def classification():
    """Compile arguments for `BertTextClassifier`: the loss and the accuracy.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertTextClassifier(BertBackbone(BertConfig.named("tiny")), ["bad", "good"])
        >>> model.compile(optimizer=adamw(2e-5), **classification())
    """
    return _classification("classification")


def _classification(output):
    return {
        "loss": {output: MeanCrossentropy()},
        "weighted_metrics": {output: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
    }
