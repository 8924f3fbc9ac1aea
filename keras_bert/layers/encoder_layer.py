"""One layer of the encoder: self-attention and a feed-forward part."""

import keras

from keras_bert.layers.attention import SelfAttention
from keras_bert.layers.dropout import Dropout
from keras_bert.layers.initializers import activation as activation_function
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable("keras_bert")
class EncoderLayer(keras.layers.Layer):
    """Self-attention, then a feed-forward part, each with dropout, residual and LayerNorm.

    Source: Vaswani et al. 2017; google-research/bert `modeling.py`, `transformer_model`. With
    `pre_norm`, each part normalizes its input instead of its sum (Xiong et al. 2020).

    Args:
        num_heads: int, attention heads.
        intermediate_dim: int, inner size of the feed-forward part.
        activation: str, as `BertConfig.activation`. Default `"gelu"`.
        dropout: float, rate on each part's output. Default 0.1.
        attention_dropout: float, rate on the attention probabilities. Default 0.1.
        layer_norm_epsilon: float, default 1e-12.
        initializer_range: float, default 0.02.
        pre_norm: bool, default False.
        recompute: bool, whether training keeps the layer's input alone and computes all else again
            in the backward pass, with the same draws of dropout (Chen et al. 2016,
            https://arxiv.org/abs/1604.06174): less memory for a third more arithmetic.
            Default False.

    Call arguments and returns: as `SelfAttention`, without `seed`.

    Example:
        >>> layer = EncoderLayer(num_heads=2, intermediate_dim=16)
        >>> layer(np.ones((1, 3, 8), "float32"), np.array([[1, 1, 0]])).shape
        TensorShape([1, 3, 8])
    """

    def __init__(
        self,
        num_heads,
        intermediate_dim,
        activation="gelu",
        dropout=0.1,
        attention_dropout=0.1,
        layer_norm_epsilon=1e-12,
        initializer_range=0.02,
        pre_norm=False,
        recompute=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.activation = activation
        self.dropout_rate = dropout
        self.attention_dropout_rate = attention_dropout
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.pre_norm = pre_norm
        self.recompute = recompute
        self.activation_function = activation_function(activation)
        self.attention = SelfAttention(
            num_heads,
            attention_dropout,
            initializer_range,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention_norm = self._layer_norm("attention_norm")
        self.feed_forward_norm = self._layer_norm("feed_forward_norm")
        self.dropout = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, x_shape, padding_mask_shape=None):
        self.attention.build(x_shape, padding_mask_shape)
        self.attention_norm.build(x_shape)
        self.feed_forward_norm.build(x_shape)
        self.intermediate = self._dense(self.intermediate_dim, "intermediate", x_shape)
        self.output_dense = self._dense(
            x_shape[-1], "output", (*x_shape[:-1], self.intermediate_dim)
        )

    def call(self, x, padding_mask, training=False, return_attention_map=False):
        # Drawn out here: what is computed again must not draw anew.
        dropouts = (self.attention.dropout, self.dropout, self.dropout)
        seeds = [dropout.draw() if training else None for dropout in dropouts]

        def attend(x):
            return self.attention(
                x, padding_mask, training=training, return_attention_map=True, seed=seeds[0]
            )

        def outputs(x):
            return self._outputs(x, attend, training, seeds[1:])

        if not (self.recompute and training):
            return outputs(x) if return_attention_map else outputs(x)[0]
        output = keras.remat(lambda x: outputs(x)[0])(x)
        # The map has no part in the gradient; a compiled step leaves out what nobody asks for.
        return (output, outputs(x)[1]) if return_attention_map else output

    def keys_values(self, x):
        """The attention's keys and values of the layer's input; see `SelfAttention.keys_values`."""
        return self.attention.keys_values(self.attention_norm(x) if self.pre_norm else x)

    def step(self, x, *arguments):
        """The layer for one token a row; arguments and returns as `SelfAttention.step`."""
        return self._outputs(
            x, lambda x: self.attention.step(x, *arguments), training=False, seeds=(None, None)
        )

    def _outputs(self, x, attend, training, seeds):
        """The layer's output, and what `attend` returns beside the attention's."""
        attended, more = attend(self.attention_norm(x) if self.pre_norm else x)
        x = x + self.dropout(attended, training=training, seed=seeds[0])
        if not self.pre_norm:
            x = self.attention_norm(x)
        inner = self.intermediate(self.feed_forward_norm(x) if self.pre_norm else x)
        inner = self.output_dense(self.activation_function(inner))
        x = x + self.dropout(inner, training=training, seed=seeds[1])
        if not self.pre_norm:
            x = self.feed_forward_norm(x)
        return x, more

    def _layer_norm(self, name):
        return keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )

    def _dense(self, units, name, input_shape):
        layer = keras.layers.Dense(
            units,
            kernel_initializer=kernel_initializer(self.initializer_range),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(input_shape)
        return layer

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "activation": self.activation,
            "dropout": self.dropout_rate,
            "attention_dropout": self.attention_dropout_rate,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "initializer_range": self.initializer_range,
            "pre_norm": self.pre_norm,
            "recompute": self.recompute,
        }
