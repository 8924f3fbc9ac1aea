"""The texts of a batch as each other's negatives: scores, and how often the right one wins."""

import keras
from keras import ops

from keras_bert.training.metrics import WeightedMean, weights_like

# Far below any cosine over any temperature, so that its exponential is 0.
_NEVER = -1e9


def unit(embeddings):
    """Returns float32 embeddings `(..., dim)` of length 1, so that dot products are cosines."""
    x = ops.cast(ops.convert_to_tensor(embeddings), "float32")
    # The root of the larger square: at a vector of zeros a root has no gradient.
    square = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x / ops.sqrt(ops.maximum(square, 1e-24))


def in_batch_scores(text_numbers, embeddings, weights, temperature=1.0):
    """Scores of every anchor of a batch with every text that it can be taken for.

    Args:
        text_numbers: int `(batch, texts)`, equal numbers for equal texts.
        embeddings: float `(batch, texts, dim)`: anchor, positive and, or not, hard negatives.
        weights: float `(batch,)`; a row of weight 0 is no other row's negative.
        temperature: float, what cosines are divided by.

    Returns:
        float32 `(batch, batch * (texts - 1))`: the cosines over `temperature` with the positives
        of all rows, then with their first negatives, and so on; the right one stands in the
        column of the row's own number. What is no negative has -1e9: a text that the row's anchor
        or positive equals, and the positive of a row that has the same anchor.
    """
    numbers = ops.convert_to_tensor(text_numbers)
    vectors = unit(embeddings)
    anchors, anchor_numbers = vectors[:, 0], numbers[:, 0]
    rows = ops.arange(ops.shape(numbers)[0])
    is_own = rows[:, None] == rows[None]
    counts = ops.cast(weights, "float32") > 0
    blocks = []
    for place in range(1, embeddings.shape[1]):
        candidates = numbers[:, place]
        excluded = candidates[None] == numbers[:, 1][:, None]
        excluded = ops.logical_or(excluded, candidates[None] == anchor_numbers[:, None])
        if place == 1:
            excluded = ops.logical_or(excluded, anchor_numbers[None] == anchor_numbers[:, None])
        both_count = ops.logical_and(counts[:, None], counts[None])
        excluded = ops.logical_or(excluded, ops.logical_not(both_count))
        if place == 1:
            excluded = ops.logical_and(excluded, ops.logical_not(is_own))
        scores = ops.matmul(anchors, ops.transpose(vectors[:, place])) / temperature
        blocks.append(ops.where(excluded, _NEVER, scores))
    return ops.concatenate(blocks, axis=1)


def row_weights(embeddings, sample_weight):
    """Returns float32 `(batch,)`, 1 where none are given."""
    return weights_like(ops.ones_like(embeddings[:, 0, 0], dtype="float32"), sample_weight)


def check_texts(embeddings, least, most=None):
    """Raises `ValueError` unless the embeddings' rows have a fitting number of texts."""
    number = embeddings.shape[1]
    if number is None or number < least or (most is not None and number > most):
        expected = f"{least}" if most == least else f"{least} or more"
        raise ValueError(
            f"Received embeddings of {number} texts a row; this loss expects {expected}, a number "
            "that is known beforehand. kb.data.embedding_pairs makes such batches"
        )


@keras.saving.register_keras_serializable("keras_bert")
class InBatchAccuracy(WeightedMean):
    """The share of anchors that are nearer to their positive than to all negatives of the batch.

    The more rows a batch has, the harder it is: compare values of one batch size.

    Call arguments (`update_state`):
        y_true: int `(batch, texts)`, equal numbers for equal texts.
        y_pred: float `(batch, texts, dim)`, as of `in_batch_negatives`.
        sample_weight: float `(batch,)` or None (all 1).

    Returns (`result`):
        float32 scalar in [0, 1].

    Example:
        >>> metric = InBatchAccuracy()
        >>> vectors = [[[1.0, 0.0], [0.9, 0.1]], [[0.0, 1.0], [0.8, 0.2]]]
        >>> metric.update_state([[0, 1], [2, 3]], ops.convert_to_tensor(vectors))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, name="in_batch_accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = row_weights(y_pred, sample_weight)
        scores = in_batch_scores(y_true, y_pred, weights)
        rows = ops.shape(scores)[0]
        own = ops.cast(ops.argmax(scores, axis=1), "int32") == ops.arange(rows, dtype="int32")
        self.total.assign_add(ops.sum(ops.cast(own, "float32") * weights))
        self.count.assign_add(ops.sum(weights))
