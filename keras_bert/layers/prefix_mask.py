"""Which token of a row sees which, where a target follows a source."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class PrefixMask(keras.layers.Layer):
    """The mask of sequence to sequence: sources see themselves, targets what stands before them.

    Source: Dong et al. 2019, https://arxiv.org/abs/1905.03197, figure 1 (UniLM): every token of
    the source sees the whole source and nothing of the target; a token of the target sees the
    source and the target up to itself.

    Call arguments:
        segment_ids: int `(batch, sequence)`, 0 = source and padding, 1 = target, which comes after.
        padding_mask: int `(batch, sequence)`, 1 = real token, 0 = padding.

    Returns:
        int32 `(batch, query, key)`, both of length `sequence`: 1 = the query's token sees the
        key's.

    Example:
        >>> PrefixMask()(np.array([[0, 0, 1, 1, 0]]), np.array([[1, 1, 1, 1, 0]]))[0].numpy()
        array([[1, 1, 0, 0, 0],
               [1, 1, 0, 0, 0],
               [1, 1, 1, 0, 0],
               [1, 1, 1, 1, 0],
               [1, 1, 1, 1, 0]], dtype=int32)
    """

    def call(self, segment_ids, padding_mask):
        places = ops.arange(ops.shape(segment_ids)[1])
        # For the source's own tokens the target lies behind.
        is_before = places[None, :] <= places[:, None]  # (query, key)
        sees = (ops.cast(segment_ids, "int32") == 0)[:, None, :] | is_before
        return ops.cast(sees & (ops.cast(padding_mask, "int32") == 1)[:, None, :], "int32")

    def compute_output_spec(self, segment_ids, padding_mask):
        batch, length = padding_mask.shape
        return keras.KerasTensor((batch, length, length), dtype="int32")
