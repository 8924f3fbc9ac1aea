"""Chains of labels over some tokens of each row: likelihood, best path, marginals.

A chain runs over the labelled positions of a row, whatever lies between them: they are moved to
the front of the row, and what was found there is put back. `y_pred` is what `layers/crf.py` makes,
float32 `(batch, sequence + classes + 2, classes)`; `mask` is `(batch, sequence)`, 1 = labelled.
"""

from typing import Any, NamedTuple

from keras import ops


def negative_log_likelihood(y_true, y_pred, mask):
    """Minus the log-probability of the labels of each row.

    Args:
        y_true: int `(batch, sequence)`, class numbers; any number where `mask` is 0.
        y_pred, mask: see above.

    Returns:
        float32 `(batch,)`, at least 0; 0 of a row without labels, not a number where a label is
        none of the classes.

    Example:
        >>> flat = np.zeros((1, 2 + 4, 2), "float32")  # two tokens, two classes, all scores 0
        >>> float(negative_log_likelihood([[0, 1]], flat, [[1, 1]])[0])
        1.386294...
    """
    chain = _chain(y_pred, mask)
    classes = y_pred.shape[-1]
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    labels = ops.where(chain.live, ops.take_along_axis(labels, chain.order, axis=1), 0)
    is_class = ops.logical_and(labels >= 0, labels < classes)
    live = ops.cast(chain.live, "float32")[:, :, None]
    # What the path has of each position: 1 at its label, 0 elsewhere and beyond the chain's end.
    path = ops.one_hot(labels, classes, dtype="float32") * live
    is_first = ops.cast(ops.arange(ops.shape(labels)[1]) == 0, "float32")[None, :, None]
    after = ops.concatenate([live[:, 1:], ops.zeros_like(live[:, :1])], axis=1)
    scores = ops.sum(path * chain.emissions, axis=(1, 2))
    scores += ops.sum(ops.matmul(path[:, :-1], chain.transitions) * path[:, 1:], axis=(1, 2))
    scores += ops.sum(path * is_first * chain.start[:, None], axis=(1, 2))
    scores += ops.sum(path * (live - after) * chain.end[:, None], axis=(1, 2))
    last, _ = _forward(chain, ops.logsumexp)
    values = ops.logsumexp(last + chain.end, axis=1) - scores
    values = ops.where(ops.any(chain.live, axis=1), values, 0.0)
    return ops.where(ops.all(is_class, axis=1), values, float("nan"))


def decode(y_pred, mask):
    """The likeliest labels of each chain, by Viterbi, and how sure of each label one can be.

    Args:
        y_pred, mask: see above; at least one position a row.

    Returns:
        tags: int32 `(batch, sequence)`, the likeliest path; positions without a label have the
            likeliest class of their own logits.
        logits: float32 `(batch, sequence, classes)`, whose softmax is the probability of each
            class at a position over all paths (by forward and backward sums); positions without a
            label have their own logits.

    Example:
        >>> scores = np.zeros((1, 2 + 4, 2), "float32")
        >>> scores[0, 0], scores[0, 2] = [3, 0], [0, 9]  # the first is 0; what follows a 0 is 1
        >>> ops.convert_to_numpy(decode(scores, [[1, 1]])[0]).tolist()
        [[0, 1]]
    """
    chain = _chain(y_pred, mask)
    back = ops.argsort(chain.order, axis=1)
    marginals = _forward(chain, ops.logsumexp)[1] + _backward(chain)
    marginals = ops.take_along_axis(marginals, back[:, :, None], axis=1)
    tags = ops.take_along_axis(_best_path(chain), back, axis=1)
    is_labelled = ops.take_along_axis(chain.live, back, axis=1)
    own = ops.cast(y_pred, "float32")[:, : -y_pred.shape[-1] - 2]
    return (
        ops.where(is_labelled, tags, ops.cast(ops.argmax(own, axis=-1), "int32")),
        ops.where(is_labelled[:, :, None], marginals, own),
    )


class _Chain(NamedTuple):
    """Chains whose positions stand at the front of their rows.

    `order`: int `(batch, sequence)`, where in the row each position was. `live`: bool, the same
    shape, whether the chain reaches it. `emissions` `(batch, sequence, classes)`, `transitions`
    `(batch, classes, classes)`, `start` and `end` `(batch, classes)`: float32.
    """

    order: Any
    live: Any
    emissions: Any
    transitions: Any
    start: Any
    end: Any


def _chain(y_pred, mask):
    scores = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    classes = scores.shape[-1]
    logits, scores = scores[:, : -classes - 2], scores[:, -classes - 2 :]
    mask = ops.cast(mask, "int32") > 0
    if None not in (lengths := (logits.shape[1], mask.shape[1])) and len(set(lengths)) > 1:
        raise ValueError(
            f"Received labels of {lengths[1]} tokens a row and the scores of a chain of "
            f"{lengths[0]}; expected the output of BertTokenClassifier(..., crf=True)"
        )
    length = ops.shape(logits)[1]
    places = ops.broadcast_to(ops.arange(length, dtype="int32"), ops.shape(mask))
    order = ops.argsort(ops.where(mask, places, places + length), axis=1)
    live = places < ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    emissions = ops.take_along_axis(logits, order[:, :, None], axis=1)
    return _Chain(order, live, emissions, scores[:, :classes], scores[:, -2], scores[:, -1])


def _forward(chain, merge):
    """Scores of the paths up to each position, merged by their last label.

    Returns:
        float32 `(batch, classes)` at the chain's end, and `(batch, sequence, classes)`.
    """

    is_first = ops.zeros_like(chain.live)
    is_first = ops.concatenate([ops.ones_like(is_first[:, :1]), is_first[:, 1:]], axis=1)

    def step(before, position):
        emission, is_live, is_first = position
        arrived = merge(before[:, :, None] + chain.transitions, axis=1)
        after = ops.where(is_first, chain.start, arrived) + emission
        return ops.where(is_live, after, before)

    return _scan(step, ops.zeros_like(chain.start), chain.emissions, chain.live, is_first)


def _backward(chain):
    """Scores of the paths behind each position, `(batch, sequence, classes)`, by its label."""

    def step(behind, position):
        emission, is_inside = position  # of the next position
        arrived = ops.logsumexp(chain.transitions + (emission + behind)[:, None], axis=2)
        return ops.where(is_inside, arrived, chain.end)

    positions = _next(chain.emissions), _next(chain.live)
    return _scan(step, ops.zeros_like(chain.end), *positions, reverse=True)[1]


def _best_path(chain):
    """The labels of the path with the highest score, int32 `(batch, sequence)`."""
    last, best = _forward(chain, ops.max)

    # Labels as ones among zeros, of the numbers' type: `scan` carries what it is given.
    def one_of(scores):
        return ops.one_hot(ops.argmax(scores, axis=1), scores.shape[-1], dtype="float32")

    def step(following, position):
        scores, is_inside = position
        into = ops.sum(chain.transitions * following[:, None], axis=2)
        return ops.where(is_inside, one_of(scores + into), following)

    positions = best, _next(chain.live)
    _, path = _scan(step, one_of(last + chain.end), *positions, reverse=True)
    return ops.cast(ops.argmax(path, axis=-1), "int32")


def _scan(step, init, values, *flags, reverse=False):
    """Goes from position to position.

    Args:
        step: function of what was carried, and of a position's values `(batch, classes)` and flags
            `(batch, 1)`; it returns what is carried on, float32 `(batch, classes)`.
        init: what is carried first.
        values: float32 `(batch, sequence, classes)`.
        flags: bool `(batch, sequence)`.
        reverse: bool, from the last position to the first. Default False.

    Returns:
        What was carried at last, `(batch, classes)`, and at each position, with `sequence`.
    """
    # In one tensor: of several, Keras on TensorFlow asks that their length is known.
    columns = [values, *(ops.cast(flag, "float32")[:, :, None] for flag in flags)]
    classes = values.shape[-1]

    def body(carried, x):
        marks = [x[:, classes + i : classes + i + 1] > 0 for i in range(len(flags))]
        carried = step(carried, (x[:, :classes], *marks))
        return carried, carried

    x = ops.swapaxes(ops.concatenate(columns, axis=2), 0, 1)
    last, all_ = ops.scan(body, init, x, reverse=reverse)
    return last, ops.swapaxes(all_, 0, 1)


def _next(x):
    """What stands at each position's successor; zeros, or False, at the end."""
    return ops.concatenate([x[:, 1:], ops.zeros_like(x[:, :1])], axis=1)
