"""What a backbone computes, layer after layer: whole rows, or token by token."""

from typing import NamedTuple

import keras
from keras import ops


class Encoder(NamedTuple):
    """The layers of a backbone in the order of their work.

    `embeddings`: `BertEmbeddings`. `projection`: dense layer, or None. `layers`: list of
    `EncoderLayer`, one a step; a shared one stands in it more than once. `final_norm`: layer, or
    None.
    """

    embeddings: keras.layers.Layer
    projection: keras.layers.Layer | None
    layers: list
    final_norm: keras.layers.Layer | None

    def encode(self, token_ids, segment_ids, mask):
        """Runs the layers on whole rows, of symbols in a functional graph or of values.

        Args:
            token_ids, segment_ids: int `(batch, sequence)`.
            mask: int `(batch, sequence)`, 1 = real token; or `(batch, query, key)`, as
                `SelfAttention` takes it.

        Returns:
            Float `(batch, sequence, hidden_dim)`; a list of `num_layers + 1` such floats, what goes
            into each layer and comes out of the last; a list of `num_layers` attention maps.
        """
        x = self._embed(token_ids, segment_ids)
        states, attention_maps = [x], []
        for layer in self.layers:
            x, attention_map = layer(x, mask, return_attention_map=True)
            states.append(x)
            attention_maps.append(attention_map)
        return self._finish(x), states, attention_maps

    def keys_values(self, token_ids, segment_ids, padding_mask):
        """Reads sources, for `step` to attend to.

        Args:
            token_ids, segment_ids, padding_mask: int `(batch, sequence)`.

        Returns:
            List with a pair of keys and values a layer, as `SelfAttention.keys_values`.
        """
        _, states, _ = self.encode(token_ids, segment_ids, padding_mask)
        return [layer.keys_values(x) for layer, x in zip(self.layers, states, strict=False)]

    def step(self, token_ids, segment_ids, positions, source, source_mask, target, *place):
        """Runs the layers on one token a row, after a source and the tokens before it.

        Args:
            token_ids, segment_ids, positions: int `(rows, 1)`.
            source: what `keys_values` returned.
            source_mask: int `(batch, sequence)`, 1 = real token, 0 = padding.
            target: list with a pair of keys and values a layer, of the tokens before.
            *place: `target_mask`, `index` and `copies` of `SelfAttention.step`.

        Returns:
            Float `(rows, 1, hidden_dim)`; `target` with this token in it.
        """
        x = self._embed(token_ids, segment_ids, positions)
        new = []
        for layer, of_source, of_target in zip(self.layers, source, target, strict=True):
            x, of_target = layer.step(x, of_source, source_mask, of_target, *place)
            new.append(of_target)
        return self._finish(x), new

    def _embed(self, *arguments):
        x = self.embeddings(*arguments)
        return x if self.projection is None else self.projection(x)

    def _finish(self, x):
        return x if self.final_norm is None else self.final_norm(x)


def empty_keys_values(layers, rows, slots, dtype):
    """Keys and values of no tokens yet, as `Encoder.step` takes them.

    Args:
        layers: list of built `EncoderLayer`.
        rows: int or int scalar.
        slots: int, most tokens.
        dtype: str, the layers' compute dtype.
    """

    def zeros(layer):
        attention = layer.attention
        return ops.zeros((rows, attention.num_heads, slots, attention.head_dim), dtype)

    return [(zeros(layer), zeros(layer)) for layer in layers]
