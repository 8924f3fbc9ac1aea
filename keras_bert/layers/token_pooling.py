"""From the vectors of a text's tokens to one vector of the text."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class TokenPooling(keras.layers.Layer):
    """Pools the vectors of real tokens, in float32.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084; sentence-transformers'
    `Pooling` and `Normalize`.

    Args:
        pooling: str. `"mean"`: of the real tokens; `"mean_sqrt_len_tokens"`: their sum divided by
            the root of their number; `"max"`: the largest value in each dimension; `"cls"`: the
            first token's vector.
        normalize: bool, whether the result is scaled to length 1. Default True.

    Call arguments:
        sequence_output: float `(batch, sequence, hidden_dim)`.
        padding_mask: int `(batch, sequence)`, 1 = real token, 0 = padding.

    Returns:
        float32 `(batch, hidden_dim)`; 0 for a row without a real token, but with `"cls"`.

    Raises:
        ValueError: `pooling` is none of these.

    Example:
        >>> layer = TokenPooling("mean", normalize=False)
        >>> layer(np.array([[[1.0], [5.0], [99.0]]]), np.array([[1, 1, 0]])).numpy()
        array([[3.]], dtype=float32)
    """

    def __init__(self, pooling, normalize=True, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}; received {pooling!r}")
        self.pooling = pooling
        self.normalize = normalize

    def call(self, sequence_output, padding_mask):
        mask = ops.cast(padding_mask, sequence_output.dtype)[:, :, None]
        x = POOLINGS[self.pooling](sequence_output, mask)
        if self.normalize:
            # The root of the larger square: at a vector of zeros a root has no gradient.
            square = ops.sum(ops.square(x), axis=-1, keepdims=True)
            x = x / ops.sqrt(ops.maximum(square, 1e-24))
        return x

    def compute_output_shape(self, sequence_output_shape, padding_mask_shape=None):
        return sequence_output_shape[0], sequence_output_shape[2]

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling, "normalize": self.normalize}


def _number(mask):
    return ops.maximum(ops.sum(mask, axis=1), 1e-9)  # (batch, 1)


def _mean(x, mask):
    return ops.sum(x * mask, axis=1) / _number(mask)


def _mean_sqrt_len_tokens(x, mask):
    return ops.sum(x * mask, axis=1) / ops.sqrt(_number(mask))


def _max(x, mask):
    largest = ops.max(ops.where(mask > 0, x, -float("inf")), axis=1)
    return ops.where(ops.any(mask > 0, axis=1), largest, 0.0)


def _cls(x, mask):
    return x[:, 0, :]


POOLINGS = {
    "mean": _mean,
    "cls": _cls,
    "max": _max,
    "mean_sqrt_len_tokens": _mean_sqrt_len_tokens,
}
