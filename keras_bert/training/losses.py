"""Losses, ready for `model.compile(**...)`."""

import keras
from keras import ops

from keras_bert.training.chain_losses import ChainAccuracy, ChainLikelihood
from keras_bert.training.embedding_losses import (  # noqa: F401 - of this room
    cosine_regression,
    in_batch_negatives,
    triplet,
)
from keras_bert.training.metrics import (
    LabelAccuracy,
    MeanAbsoluteError,
    MicroF1,
    Perplexity,
    binary_crossentropy,
    crossentropy,
    like_labels,
)
from keras_bert.training.whole_batch_mean import WholeBatchMean


@keras.saving.register_keras_serializable("keras_bert")
class MeanCrossentropy(WholeBatchMean):
    """Cross-entropy of integer labels and logits, averaged over the weights of the whole batch.

    Source: google-research/bert `run_pretraining.py`, `get_masked_lm_output`: the sum over masked
    tokens divided by their number. Padded mask slots weigh 0 and count for nothing. See
    `WholeBatchMean` for batches in parts and on several devices.

    Args:
        label_smoothing: float in [0, 1), the share of the label's probability that is spread over
            all classes, itself included; Szegedy et al. 2016, https://arxiv.org/abs/1512.00567,
            section 7. Default 0.0.
        focal: float from 0 on, the power of (1 - the probability of the right class) that a label
            is multiplied by, so that what is known well counts little; Lin et al. 2017,
            https://arxiv.org/abs/1708.02002, equation 4. Default 0.0.

    Call arguments:
        y_true: int `(...)`, class numbers.
        y_pred: float `(..., classes)`, logits.
        sample_weight: float `(...)` or None (all 1); `(batch,)` weighs whole rows.

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: `label_smoothing` or `focal` is out of its range, or both are given.

    Example:
        >>> loss = MeanCrossentropy()
        >>> float(loss([1, 0], [[0.0, 2.0], [1.0, 9.0]], sample_weight=[1.0, 0.0]))
        0.12692800...
    """

    def __init__(self, label_smoothing=0.0, focal=0.0, name="mean_crossentropy"):
        super().__init__(name=name)
        if not 0 <= label_smoothing < 1 or focal < 0 or (label_smoothing and focal):
            raise ValueError(
                "expected label_smoothing in [0, 1), or focal from 0 on, and not both; received "
                f"label_smoothing={label_smoothing}, focal={focal}"
            )
        self.label_smoothing = label_smoothing
        self.focal = focal

    def call(self, y_true, y_pred):
        values = crossentropy(y_true, y_pred)
        if self.label_smoothing:
            logs = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
            spread = -ops.mean(logs, axis=-1)
            values = (1 - self.label_smoothing) * values + self.label_smoothing * spread
        if self.focal:
            # 1 - exp(-value), kept off 0, where a power below 1 has no gradient.
            values = values * ops.power(ops.maximum(-ops.expm1(-values), 1e-7), self.focal)
        return values

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "focal": self.focal,
        }


@keras.saving.register_keras_serializable("keras_bert")
class MeanBinaryCrossentropy(WholeBatchMean):
    """Cross-entropy of labels that are each right or not, averaged over rows and labels.

    Source: PyTorch's `BCEWithLogitsLoss`, with which Hugging Face trains on several labels. See
    `WholeBatchMean` for batches in parts and on several devices.

    Call arguments:
        y_true: `(batch, labels)`, 1 = the label is right, 0 = it is not; or a probability.
        y_pred: float `(batch, labels)`, logits.
        sample_weight: float `(batch, labels)` or `(batch,)`, or None (all 1).

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: labels and logits are of different shapes.

    Example:
        >>> loss = MeanBinaryCrossentropy()
        >>> float(loss([[1, 0]], [[2.0, -9.0]], sample_weight=[[1.0, 0.0]]))
        0.12692800...
    """

    def __init__(self, name="mean_binary_crossentropy"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        return binary_crossentropy(y_true, y_pred)


@keras.saving.register_keras_serializable("keras_bert")
class MeanSquaredError(WholeBatchMean):
    """The square of the difference, averaged over rows and numbers.

    See `WholeBatchMean` for batches in parts and on several devices.

    Call arguments:
        y_true: float `(batch, numbers)`, or `(batch,)` for one number.
        y_pred: float `(batch, numbers)`.
        sample_weight: float, the shape of `y_true` or `(batch,)`, or None (all 1).

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: `y_true` and `y_pred` are of shapes that do not fit.

    Example:
        >>> float(MeanSquaredError()([1.0, 5.0], [[3.0], [5.0]]))
        2.0
    """

    def __init__(self, name="mean_squared_error"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        y_true, y_pred = like_labels(y_true, y_pred)
        return ops.square(y_pred - y_true)


def pretraining():
    """Compile arguments for `BertPretrainer`: both losses, masked accuracy, perplexity, NSP.

    Source: Devlin et al. 2018, appendix A.2: the loss is the sum of the two means.

    Returns:
        dict with `loss` and `weighted_metrics`, to be passed to `compile` by `**`.

    Example:
        >>> model = BertPretrainer(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(1e-4), **pretraining())
    """
    masked, following = masked_lm(), next_sentence()
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


def next_sentence():
    """Compile arguments for `BertNextSentence`: the loss and the accuracy.

    Labels are int `(batch,)`: 0 = the second segment really follows the first, 1 = it is random.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertNextSentence(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(2e-5), **next_sentence())
    """
    return _classification("next_sentence")


def classification(label_smoothing=0.0, focal=0.0):
    """Compile arguments for `BertTextClassifier`: the loss and the accuracy.

    Labels are int `(batch,)`, class numbers.

    Args:
        label_smoothing, focal: as in `MeanCrossentropy`; for classes of unequal size see also
            `class_weights` of `kb.data.classification`.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertTextClassifier(BertBackbone(BertConfig.named("tiny")), ["bad", "good"])
        >>> model.compile(optimizer=adamw(2e-5), **classification(label_smoothing=0.1))
    """
    return _classification("classification", label_smoothing, focal)


def relation_classification(label_smoothing=0.0, focal=0.0):
    """Compile arguments for `BertRelationClassifier`: the loss and the accuracy.

    Labels are int `(batch,)`, class numbers.

    Args:
        label_smoothing, focal: as in `MeanCrossentropy`.

    Returns:
        As `pretraining`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny"))
        >>> model = BertRelationClassifier(backbone, ["Other", "Cause-Effect(e1,e2)"])
        >>> model.compile(optimizer=adamw(2e-5), **relation_classification())
    """
    return _classification("relation", label_smoothing, focal)


def multi_label_classification():
    """Compile arguments for `BertTextClassifier` with `problem_type="multi_label"`.

    Labels are `(batch, labels)`, 1 = the label is right, 0 = it is not. The loss is the mean of
    all labels' binary cross-entropies, as Hugging Face has it; metrics are the share of labels
    that are told right, and their F1 over all labels and rows (micro F1). A label is told where
    its probability is above 0.5.

    Returns:
        As `pretraining`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny"))
        >>> model = BertTextClassifier(backbone, ["sport", "money"], problem_type="multi_label")
        >>> model.compile(optimizer=adamw(2e-5), **multi_label_classification())
    """
    return {
        "loss": {"classification": MeanBinaryCrossentropy()},
        "weighted_metrics": {"classification": [LabelAccuracy(), MicroF1()]},
    }


def regression():
    """Compile arguments for `BertTextClassifier` with `problem_type="regression"`.

    Labels are float `(batch, numbers)`, or `(batch,)` for one number. The loss is the mean squared
    error, the metric the mean absolute error.

    Returns:
        As `pretraining`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny"))
        >>> model = BertTextClassifier(backbone, ["score"], problem_type="regression")
        >>> model.compile(optimizer=adamw(2e-5), **regression())
    """
    return {
        "loss": {"regression": MeanSquaredError()},
        "weighted_metrics": {"regression": [MeanAbsoluteError()]},
    }


def token_classification(crf=False):
    """Compile arguments for `BertTokenClassifier`: the mean over labelled tokens, their accuracy.

    Labels are int `(batch, sequence)`, class numbers. Tokens without a label (special ones,
    padding, all but the first piece of a word) need the sample weight 0, and any class number;
    Hugging Face marks them by the label -100.

    Args:
        crf: bool, as in `BertTokenClassifier`: the loss is minus the log-likelihood of whole
            chains, the accuracy that of the likeliest one. Default False.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertTokenClassifier(BertBackbone(BertConfig.named("tiny")), ["O", "B", "I"])
        >>> model.compile(optimizer=adamw(2e-5), **token_classification())
    """
    if not crf:
        return _classification("token_classification")
    return {
        "loss": {"token_classification": ChainLikelihood()},
        "weighted_metrics": {"token_classification": [ChainAccuracy()]},
    }


def seq2seq(label_smoothing=0.0):
    """Compile arguments for `BertSeq2SeqLM`: the mean over the targets' tokens, their accuracy.

    Labels are int `(batch, targets)`, the token after each of `target_positions`. Unused slots
    need the sample weight 0, and any token. Perplexity is of the labels, without smoothing.

    Args:
        label_smoothing: as in `MeanCrossentropy`; 0.1 is usual.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertSeq2SeqLM(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(1e-4), **seq2seq(label_smoothing=0.1))
    """
    arguments = _classification("seq2seq", label_smoothing)
    arguments["weighted_metrics"]["seq2seq"].append(Perplexity())
    return arguments


def span():
    """Compile arguments for `BertSpanClassifier`: the mean of both losses, both accuracies.

    Source: google-research/bert `run_squad.py`. Labels are `span_start` and `span_end`, int
    `(batch,)`: positions of the answer's first and last token. A row whose answer was cut off
    counts for nothing with the sample weight 0, and any position.

    Returns:
        dict with `loss`, `loss_weights` and `weighted_metrics`, to be passed to `compile` by `**`.

    Example:
        >>> model = BertSpanClassifier(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(2e-5), **span())
    """
    start, end = _classification("span_start"), _classification("span_end")
    arguments = {key: {**start[key], **end[key]} for key in start}
    return {**arguments, "loss_weights": {"span_start": 0.5, "span_end": 0.5}}


def multiple_choice():
    """Compile arguments for `BertMultipleChoice`: the loss and the accuracy.

    Labels are int `(batch,)`, numbers of the right choice.

    Returns:
        As `pretraining`.

    Example:
        >>> model = BertMultipleChoice(BertBackbone(BertConfig.named("tiny")))
        >>> model.compile(optimizer=adamw(2e-5), **multiple_choice())
    """
    return _classification("multiple_choice")


def _classification(output, label_smoothing=0.0, focal=0.0):
    return {
        "loss": {output: MeanCrossentropy(label_smoothing, focal)},
        "weighted_metrics": {output: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
    }
