"""The vectors of some tokens of each row."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class GatherTokens(keras.layers.Layer):
    """Takes the vectors at given positions of each row.

    Call arguments:
        x: float `(batch, sequence, hidden_dim)`.
        positions: int `(batch, tokens)`, in [0, sequence); one beyond its row is an error on
            TensorFlow, not a vector of the next row.

    Returns:
        Float `(batch, tokens, hidden_dim)`.

    Example:
        >>> x = np.arange(12.0).reshape(2, 3, 2)
        >>> GatherTokens()(x, np.array([[2], [0]])).numpy().tolist()
        [[[4.0, 5.0]], [[6.0, 7.0]]]
    """

    def call(self, x, positions):
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        # Rows of the flattened batch: a gather along one axis is the cheapest there is.
        flat = ops.reshape(x, (batch * length, x.shape[-1]))
        positions = ops.cast(positions, "int32")
        rows = positions + ops.arange(batch)[:, None] * length
        rows = ops.where((positions >= 0) & (positions < length), rows, batch * length)
        found = ops.take(flat, ops.reshape(rows, (-1,)), axis=0)
        return ops.reshape(found, (batch, ops.shape(positions)[1], x.shape[-1]))

    def compute_output_spec(self, x, positions):
        return keras.KerasTensor((*positions.shape, x.shape[-1]), dtype=x.dtype)
