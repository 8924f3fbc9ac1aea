"""Scores of neighbouring labels: what a linear-chain CRF learns beside each token's own logits."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class Crf(keras.layers.Layer):
    """Puts the scores of a chain of labels behind the tokens' logits, in float32.

    Source: Lafferty et al. 2001; Lample et al. 2016, https://arxiv.org/abs/1603.01360, section 2.2.
    A path of labels is scored by its logits, by `transitions[before, after]` of each two
    neighbours, by `start` of the first and `end` of the last. All begin as 0, where the chain is
    what its tokens are alone. Loss and decoding (`training/chains.py`) need all of these in one
    tensor, and know which tokens the chain is of.

    Call arguments:
        logits: float `(batch, sequence, classes)`.

    Returns:
        float32 `(batch, sequence + classes + 2, classes)`: the logits, then `transitions`, `start`
        and `end`, the same in every row.

    Example:
        >>> Crf()(np.ones((2, 5, 3), "float32")).shape
        TensorShape([2, 10, 3])
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, logits_shape):
        classes = logits_shape[-1]
        self.transitions = self.add_weight(
            shape=(classes, classes), initializer="zeros", name="transitions"
        )
        self.start = self.add_weight(shape=(classes,), initializer="zeros", name="start")
        self.end = self.add_weight(shape=(classes,), initializer="zeros", name="end")

    def call(self, logits):
        scores = ops.concatenate([self.transitions, self.start[None], self.end[None]], axis=0)
        scores = ops.broadcast_to(scores, (ops.shape(logits)[0], *scores.shape))
        return ops.concatenate([logits, scores], axis=1)

    def compute_output_spec(self, logits):
        batch, length, classes = logits.shape
        length = None if length is None else length + classes + 2
        return keras.KerasTensor((batch, length, classes), dtype="float32")
