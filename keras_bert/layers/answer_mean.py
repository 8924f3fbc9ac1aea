"""The mean of several models' answers."""

import keras
from keras import ops

# What an output's numbers are -> what is averaged.
KINDS = ("classes", "labels", "numbers")


class AnswerMean(keras.layers.Layer):
    """Averages the answers of several models, and says the mean as one model would.

    Args:
        kind: str, what is averaged. `"classes"`: probabilities by a softmax over the last axis,
            of which the logarithm is returned, whose softmax they are; `"labels"`: probabilities
            by a sigmoid each, of which the logit is returned; `"numbers"`: the values themselves.

    Call arguments:
        outputs: list of float tensors of one shape, a model each.

    Returns:
        float32 tensor of that shape.

    Example:
        >>> mean = AnswerMean("classes")([[[0.0, 0.0]], [[0.0, 2.0]]])
        >>> np.asarray(ops.softmax(mean)).round(2)  # the mean of [0.5, 0.5] and [0.12, 0.88]
        array([[0.31, 0.69]], dtype=float32)
    """

    def __init__(self, kind, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        if kind not in KINDS:
            raise ValueError(f"AnswerMean: kind is one of {', '.join(KINDS)}; received {kind!r}")
        self.kind = kind

    def call(self, outputs):
        outputs = ops.stack([ops.cast(output, "float32") for output in outputs])
        if self.kind == "classes":
            return _log_mean(ops.log_softmax(outputs, axis=-1))
        if self.kind == "labels":  # log p - log (1 - p), neither of which is ever 0
            return _log_mean(ops.log_sigmoid(outputs)) - _log_mean(ops.log_sigmoid(-outputs))
        return ops.mean(outputs, axis=0)

    def compute_output_spec(self, outputs):
        return keras.KerasTensor(outputs[0].shape, "float32")


def _log_mean(logarithms):
    """The logarithm of the mean over the models; it has no underflow."""
    return ops.logsumexp(logarithms, axis=0) - ops.log(float(logarithms.shape[0]))
