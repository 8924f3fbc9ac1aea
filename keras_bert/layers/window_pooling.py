"""From the vectors of a document's windows to one vector of the document."""

import keras
from keras import ops

POOLINGS = ("mean", "max", "attention")


@keras.saving.register_keras_serializable("keras_bert")
class WindowPooling(keras.layers.Layer):
    """Pools the vectors of real windows, in float32; a window of padding counts for nothing.

    Source: Sun et al. 2019, https://arxiv.org/abs/1905.05583, section 5.3.1; Pappagari et al. 2019,
    https://arxiv.org/abs/1910.10781.

    Args:
        pooling: str. `"mean"`; `"max"`: the largest value in each dimension; `"attention"`: the
            mean weighted by a softmax over the windows of their product with a learned vector,
            which begins as zeros, so that this begins as the mean.

    Call arguments:
        vectors: float `(batch, windows, hidden_dim)`.
        padding_mask: int `(batch, windows, sequence)`, 1 = real token, 0 = padding.

    Returns:
        float32 `(batch, hidden_dim)`; 0 for a row without a real token.

    Raises:
        ValueError: `pooling` is none of these.

    Example:
        >>> layer = WindowPooling("mean")
        >>> layer(np.array([[[1.0], [5.0], [99.0]]]), np.array([[[1, 1], [1, 0], [0, 0]]])).numpy()
        array([[3.]], dtype=float32)
    """

    def __init__(self, pooling, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if pooling not in POOLINGS:
            raise ValueError(
                f"window_pooling must be one of {', '.join(POOLINGS)}; received {pooling!r}"
            )
        self.pooling = pooling

    def build(self, vectors_shape, padding_mask_shape=None):
        if self.pooling == "attention":
            self.query = self.add_weight(
                shape=(vectors_shape[-1],), initializer="zeros", name="query"
            )

    def call(self, vectors, padding_mask):
        is_real = ops.any(padding_mask > 0, axis=-1)[:, :, None]  # (batch, windows, 1)
        lowest = -float("inf")
        if self.pooling == "max":
            largest = ops.max(ops.where(is_real, vectors, lowest), axis=1)
            return ops.where(ops.any(is_real, axis=1), largest, 0.0)
        if self.pooling == "mean":
            weights = ops.cast(is_real, vectors.dtype)
        else:
            scores = ops.where(is_real, ops.sum(vectors * self.query, -1, keepdims=True), -1e9)
            weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
            weights = ops.where(is_real, weights, 0.0)
        total = ops.sum(weights, axis=1)  # (batch, 1), at least 1 where there is a window
        return ops.sum(ops.where(is_real, vectors, 0.0) * weights, axis=1) / ops.maximum(total, 1.0)

    def compute_output_shape(self, vectors_shape, padding_mask_shape=None):
        return vectors_shape[0], vectors_shape[2]

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling}
