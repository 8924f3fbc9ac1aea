"""What a loss must know while a batch goes through the model in parts: the whole batch's weights.

Kept for a thread: each replica of a strategy is traced in a thread of its own.
"""

import contextlib
import threading

import keras
from keras import ops

from keras_bert.training.distribution import sum_over_replicas
from keras_bert.training.metrics import weights_like

_state = threading.local()


def total_weights(y, sample_weight):
    """Sums the weights of each output over the batch, all rows of all replicas.

    Args:
        y: labels of the whole batch: a tensor, or a structure of them.
        sample_weight: weights for them in the same structure, one tensor for all, or None.

    Returns:
        list of float32 scalars, one a tensor of `y`, in `keras.tree`'s order.

    Raises:
        ValueError: labels and weights do not have the same structure.

    Example:
        >>> [float(x) for x in total_weights({"a": np.ones((2, 3))}, {"a": np.ones((2, 3))})]
        [6.0]
    """
    labels = keras.tree.flatten(y)
    weights = [sample_weight] * len(labels)
    if keras.tree.is_nested(sample_weight):
        weights = keras.tree.flatten(sample_weight)
    if len(weights) != len(labels):
        raise ValueError(
            f"micro_batches: received {len(labels)} tensors of labels and {len(weights)} of sample "
            "weights; expected weights for every output, or none"
        )
    return [
        sum_over_replicas(ops.sum(weights_like(ops.ones_like(ops.cast(label, "float32")), weight)))
        for label, weight in zip(labels, weights, strict=True)
    ]


@contextlib.contextmanager
def part_of(y, totals, parts):
    """Inside it, losses of the labels `y` of one part know the `totals` of the whole batch.

    Args:
        y: labels of the part, in the structure that `total_weights` was given.
        totals: what it returned.
        parts: int or int scalar, parts of the batch.
    """
    # By identity: Keras hands the loss these very tensors, whatever outputs share the loss.
    labels = keras.tree.flatten(y)
    _state.totals = {id(label): total for label, total in zip(labels, totals, strict=True)}
    _state.parts = parts
    try:
        yield
    finally:
        _state.totals = _state.parts = None


def in_part():
    """Whether a part of a batch is being computed, where no replica may wait for the others."""
    return getattr(_state, "totals", None) is not None


def divisor(y_true, weights):
    """What the weighted sum of losses is divided by, so that its mean is the whole batch's.

    Args:
        y_true: labels, as the loss received them.
        weights: float32, their weights.

    Returns:
        float32 scalar: the weights of all replicas. For a part of a batch a k-th of the weights of
        the whole batch: the mean over its k parts is then the mean over the batch.
    """
    if not in_part():
        return sum_over_replicas(ops.sum(weights))
    if id(y_true) not in _state.totals:
        raise ValueError(
            "micro_batches: the loss received labels that are not those of the batch; a "
            "compute_loss of your own must hand them on unchanged"
        )
    return _state.totals[id(y_true)] / ops.cast(_state.parts, "float32")
