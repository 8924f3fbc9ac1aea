"""Multi-head self-attention: the only layer that knows where a row of a batch ends."""

import keras
from keras import ops

from keras_bert.layers.dropout import Dropout
from keras_bert.layers.initializers import kernel_initializer

# Added to the scores of padding; large enough to vanish in a float32 softmax.
PADDING_BIAS = -1e9


@keras.saving.register_keras_serializable("keras_bert")
class SelfAttention(keras.layers.Layer):
    """Multi-head scaled dot-product self-attention with its output projection.

    Source: Vaswani et al. 2017, section 3.2; google-research/bert `modeling.py`,
    `attention_layer`. The softmax is computed in float32 whatever the compute dtype.

    Args:
        num_heads: int, heads; divides the input's last dimension.
        attention_dropout: float, rate on the attention probabilities. Default 0.1.
        initializer_range: float, default 0.02.

    Call arguments:
        x: float `(batch, sequence, hidden_dim)`.
        padding_mask: int `(batch, sequence)`, 1 = real token, 0 = padding; or
            `(batch, query, key)`, 1 = the query's token sees the key's.
        return_attention_map: bool, whether the probabilities are returned too. Default False.
        seed: what the layer's `dropout.draw()` returned; default None: a new draw.

    Returns:
        Float `(batch, sequence, hidden_dim)`; with `return_attention_map` a pair of it and
        float32 `(batch, num_heads, sequence, sequence)`, before dropout.

    Raises:
        ValueError: `num_heads` does not divide `hidden_dim`.

    Example:
        >>> layer = SelfAttention(num_heads=2)
        >>> layer(np.ones((1, 3, 8), "float32"), np.array([[1, 1, 0]])).shape
        TensorShape([1, 3, 8])
    """

    def __init__(self, num_heads, attention_dropout=0.1, initializer_range=0.02, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.attention_dropout_rate = attention_dropout
        self.initializer_range = initializer_range
        self.dropout = Dropout(attention_dropout, dtype=self.dtype_policy)

    def build(self, x_shape, padding_mask_shape=None):
        hidden_dim = x_shape[-1]
        if hidden_dim % self.num_heads:
            raise ValueError(
                f"{self.name}: num_heads must divide the hidden dimension; received "
                f"num_heads={self.num_heads} and inputs of size {hidden_dim}"
            )
        self.head_dim = hidden_dim // self.num_heads

        def dense(name):
            layer = keras.layers.Dense(
                hidden_dim,
                kernel_initializer=kernel_initializer(self.initializer_range),
                dtype=self.dtype_policy,
                name=name,
            )
            layer.build(x_shape)
            return layer

        self.query, self.key, self.value = dense("query"), dense("key"), dense("value")
        self.projection = dense("projection")

    def call(self, x, padding_mask, training=False, return_attention_map=False, seed=None):
        # Scaling the query rather than the scores touches sequence / head_dim times less.
        query = self._split_heads(self.query(x) * (self.head_dim**-0.5))
        key = self._split_heads(self.key(x))
        value = self._split_heads(self.value(x))
        # (batch, num_heads, sequence, sequence)
        bias = _bias(padding_mask)
        # (batch, 1, 1, key) or (batch, 1, query, key)
        bias = bias[:, None, None, :] if len(bias.shape) == 2 else bias[:, None]
        attention_map = ops.softmax(_scores(query, key) + bias)
        weights = ops.cast(attention_map, self.compute_dtype)
        weights = self.dropout(weights, training=training, seed=seed)
        context = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        output = self.projection(ops.reshape(context, ops.shape(x)))
        return (output, attention_map) if return_attention_map else output

    def keys_values(self, x):
        """Keys and values of tokens, for `step` to attend to.

        Args:
            x: float `(batch, sequence, hidden_dim)`.

        Returns:
            Two floats `(batch, num_heads, sequence, head_dim)`.
        """
        return self._split_heads(self.key(x)), self._split_heads(self.value(x))

    def step(self, x, source, source_mask, target, target_mask, index, copies):
        """What `call` gives for one token a row that sees a source and the tokens before it.

        Args:
            x: float `(batch * copies, 1, hidden_dim)`; row `i` has source `i // copies`.
            source: keys and values, two floats `(batch, num_heads, sequence, head_dim)`.
            source_mask: int `(batch, sequence)`, 1 = real token, 0 = padding.
            target: keys and values of the tokens before, two floats
                `(batch * copies, num_heads, slots, head_dim)`.
            target_mask: int `(slots,)`, 1 = the token sees this slot.
            index: int scalar, the slot for this token's own key and value.
            copies: int, rows that share a source, as the beams of a search do.

        Returns:
            Float `(batch * copies, 1, hidden_dim)`; `target` with this token's key and value.
        """
        query = self._split_heads(self.query(x) * (self.head_dim**-0.5))
        slots = target[0].shape[2]
        # Written by `where`: to write into a slice, TensorFlow would need a compiler (XLA) at hand.
        is_new = (ops.arange(slots) == index)[:, None]
        pairs = zip(self.keys_values(x), target, strict=True)
        target = tuple(ops.where(is_new, new, old) for new, old in pairs)
        # (batch, num_heads, copies, keys): the copies of a source are queries to one set of keys.
        scores = ops.concatenate(
            [
                _scores(self._by_source(query, copies, self.head_dim), source[0])
                + _bias(source_mask)[:, None, None, :],
                self._by_source(_scores(query, target[0]) + _bias(target_mask), copies, slots),
            ],
            axis=-1,
        )
        weights = ops.cast(ops.softmax(scores), self.compute_dtype)
        of_source = self._by_copy(ops.matmul(weights[..., :-slots], source[1]), self.head_dim)
        of_target = ops.matmul(self._by_copy(weights[..., -slots:], slots), target[1])
        # (batch * copies, num_heads, 1, head_dim)
        context = ops.reshape(of_source + of_target, (-1, 1, x.shape[-1]))
        return self.projection(context), target

    def _by_source(self, x, copies, size):
        """`(batch * copies, num_heads, 1, size)` as `(batch, num_heads, copies, size)`."""
        x = ops.reshape(x, (-1, copies, self.num_heads, size))
        return ops.transpose(x, (0, 2, 1, 3))

    def _by_copy(self, x, size):
        """`(batch, num_heads, copies, size)` as `(batch * copies, num_heads, 1, size)`."""
        x = ops.transpose(x, (0, 2, 1, 3))
        return ops.reshape(x, (-1, self.num_heads, 1, size))

    def _split_heads(self, x):
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        x = ops.reshape(x, (batch, length, self.num_heads, self.head_dim))
        return ops.transpose(x, (0, 2, 1, 3))  # (batch, num_heads, sequence, head_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "attention_dropout": self.attention_dropout_rate,
            "initializer_range": self.initializer_range,
        }


def _scores(query, key):
    return ops.cast(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))), "float32")


def _bias(mask):
    return (1.0 - ops.cast(mask, "float32")) * PADDING_BIAS
