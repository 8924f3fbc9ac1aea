"""Losses of sentence embeddings, by pairs and triplets of texts."""

import keras
from keras import ops

from keras_bert.training.in_batch import (
    InBatchAccuracy,
    check_texts,
    in_batch_scores,
    row_weights,
    unit,
)
from keras_bert.training.metrics import like_labels
from keras_bert.training.whole_batch import divisor, in_part
from keras_bert.training.whole_batch_mean import WholeBatchMean


@keras.saving.register_keras_serializable("keras_bert")
class InBatchNegatives(WholeBatchMean):
    """Cross-entropy of finding an anchor's positive among the texts of the batch.

    Source: Henderson et al. 2017, https://arxiv.org/abs/1705.00652, section 4.4, with cosines in
    place of dot products; in both directions as Günther et al. 2023,
    https://arxiv.org/abs/2310.19923. sentence-transformers calls it
    `MultipleNegativesRankingLoss`.

    | Inputs of a row                          | Labels               |
    |------------------------------------------|----------------------|
    | (anchor, positive)                       | numbers of its texts |
    | (anchor, positive, negative, ...)        | numbers of its texts |

    Negatives of an anchor are the positives and the hard negatives of all rows, but for texts that
    equal its own anchor or positive, and positives of another row with the same anchor: the labels
    tell which texts are equal. Rows of weight 0 count for nothing, nor are they negatives.

    Large batches learn more. Under a `tf.distribute` strategy negatives are those of the replica's
    own rows (on JAX those of the whole batch), and the loss is the mean over the rows of all
    replicas. Parts of a batch would have other negatives than the whole: `fit(micro_batches=k)`
    is refused.

    Args:
        temperature: float above 0, what cosines are divided by. Default 0.05.
        symmetric: bool, whether the loss is the mean of two, the second that of finding a
            positive's anchor among the anchors of the batch. Default True.

    Call arguments:
        y_true: int `(batch, texts)`, equal numbers for equal texts.
        y_pred: float `(batch, texts, dim)`, embeddings of any length.
        sample_weight: float `(batch,)` or None (all 1).

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: `temperature` is not above 0; rows of one text; a batch in parts.

    Example:
        >>> vectors = ops.convert_to_tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
        >>> loss = InBatchNegatives(temperature=1.0, symmetric=False)
        >>> float(loss([[0, 1], [2, 3]], vectors))
        0.693147...
    """

    def __init__(self, temperature=0.05, symmetric=True, name="in_batch_negatives"):
        super().__init__(name=name)
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0; received {temperature}")
        self.temperature = temperature
        self.symmetric = symmetric

    def __call__(self, y_true, y_pred, sample_weight=None):
        if in_part():
            raise ValueError(
                "fit: micro_batches cut a batch into parts with other negatives than the whole; "
                "with kb.losses.in_batch_negatives leave it out, and save memory by "
                "BertTextEmbedder.from_preset(..., recompute=True)"
            )
        check_texts(y_pred, least=2)
        weights = row_weights(y_pred, sample_weight)
        scores = in_batch_scores(y_true, y_pred, weights, self.temperature)
        values = _crossentropy_of_own(scores)
        if self.symmetric:
            backward = ops.transpose(scores[:, : ops.shape(scores)[0]])
            values = (values + _crossentropy_of_own(backward)) / 2
        return ops.divide_no_nan(ops.sum(values * weights), divisor(y_true, weights))

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "symmetric": self.symmetric,
        }


@keras.saving.register_keras_serializable("keras_bert")
class CosineRegression(WholeBatchMean):
    """The square of the difference between a score and the cosine of two embeddings.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084, section 3.
    sentence-transformers calls it `CosineSimilarityLoss`.

    | Inputs of a row  | Labels                                       |
    |------------------|----------------------------------------------|
    | (text, text)     | the cosine wanted, in [-1, 1], often [0, 1]  |

    See `WholeBatchMean` for batches in parts and on several devices.

    Call arguments:
        y_true: float `(batch,)`.
        y_pred: float `(batch, 2, dim)`, embeddings of any length.
        sample_weight: float `(batch,)` or None (all 1).

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: rows of other than two texts.

    Example:
        >>> vectors = ops.convert_to_tensor([[[2.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
        >>> float(CosineRegression()([0.5, 0.5], vectors))
        0.25
    """

    def __init__(self, name="cosine_regression"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        check_texts(y_pred, least=2, most=2)
        vectors = unit(y_pred)
        y_true, cosines = like_labels(y_true, ops.sum(vectors[:, 0] * vectors[:, 1], axis=-1))
        return ops.square(cosines - y_true)


@keras.saving.register_keras_serializable("keras_bert")
class Triplet(WholeBatchMean):
    """How much less than a margin an anchor is nearer to its positive than to its negative.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084, section 3: Euclidean
    distances and a margin of 1. sentence-transformers calls it `TripletLoss`.

    | Inputs of a row              | Labels                             |
    |------------------------------|------------------------------------|
    | (anchor, positive, negative) | not read, `(batch,)` or more shape |

    See `WholeBatchMean` for batches in parts and on several devices.

    Args:
        margin: float from 0 on. Embeddings of length 1 are at most 2 apart. Default 1.0.

    Call arguments:
        y_true: `(batch,)` or `(batch, texts)`, of any values.
        y_pred: float `(batch, 3, dim)`.
        sample_weight: float `(batch,)` or None (all 1).

    Returns:
        float32 scalar; 0 where all weights are 0.

    Raises:
        ValueError: `margin` is below 0; rows of other than three texts.

    Example:
        >>> vectors = ops.convert_to_tensor([[[0.0, 0.0], [0.0, 3.0], [4.0, 0.0]]])
        >>> float(Triplet(margin=1.5)([0], vectors))
        0.5
    """

    def __init__(self, margin=1.0, name="triplet"):
        super().__init__(name=name)
        if not margin >= 0:
            raise ValueError(f"margin must be 0 or more; received {margin}")
        self.margin = margin

    def call(self, y_true, y_pred):
        check_texts(y_pred, least=3, most=3)
        x = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        near, far = (_distance(x[:, 0], x[:, place]) for place in (1, 2))
        values = ops.relu(near - far + self.margin)
        # Of the labels' shape, by which a batch in parts counts its weights.
        shape = ops.shape(y_true)
        for _ in shape[1:]:
            values = values[..., None]
        return ops.broadcast_to(values, shape)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


def in_batch_negatives(temperature=0.05, symmetric=True):
    """Compile arguments for `BertEmbeddingTrainer`: pairs or triplets, each other's negatives.

    Labels are int `(batch, texts)`, equal numbers for equal texts. The metric is the share of
    anchors whose positive is the nearest text of the batch. Not with `micro_batches`.

    Args:
        temperature, symmetric: as in `InBatchNegatives`.

    Returns:
        As `pretraining`.

    Example:
        >>> embedder = BertTextEmbedder(BertBackbone(BertConfig.named("tiny")))
        >>> model = BertEmbeddingTrainer(embedder)
        >>> model.compile(optimizer=adamw(2e-5), **in_batch_negatives())
    """
    return {
        "loss": {"embeddings": InBatchNegatives(temperature, symmetric)},
        "weighted_metrics": {"embeddings": [InBatchAccuracy()]},
    }


def cosine_regression():
    """Compile arguments for `BertEmbeddingTrainer`: pairs whose cosine is to be a given score.

    Labels are float `(batch,)`.

    Returns:
        dict with `loss`, to be passed to `compile` by `**`.

    Example:
        >>> embedder = BertTextEmbedder(BertBackbone(BertConfig.named("tiny")))
        >>> model = BertEmbeddingTrainer(embedder)
        >>> model.compile(optimizer=adamw(2e-5), **cosine_regression())
    """
    return {"loss": {"embeddings": CosineRegression()}}


def triplet(margin=1.0):
    """Compile arguments for `BertEmbeddingTrainer`: a positive nearer than a negative.

    Labels are not read, but a row each.

    Args:
        margin: as in `Triplet`.

    Returns:
        dict with `loss`, to be passed to `compile` by `**`.

    Example:
        >>> embedder = BertTextEmbedder(BertBackbone(BertConfig.named("tiny")))
        >>> model = BertEmbeddingTrainer(embedder)
        >>> model.compile(optimizer=adamw(2e-5), **triplet(margin=0.5))
    """
    return {"loss": {"embeddings": Triplet(margin)}}


def _crossentropy_of_own(scores):
    """Cross-entropy `(batch,)` of scores `(batch, candidates)`; row i's right one is column i."""
    own = ops.arange(ops.shape(scores)[0], dtype="int32")
    right = ops.take_along_axis(scores, own[:, None], axis=1)[:, 0]
    return ops.logsumexp(scores, axis=1) - right


def _distance(x, y):
    # The root of the larger square: between equal vectors a root has no gradient.
    return ops.sqrt(ops.maximum(ops.sum(ops.square(x - y), axis=-1), 1e-12))
