"""Packing one or two token sequences into what BERT reads: `[CLS] a [SEP] b [SEP]`."""

import tensorflow as tf


def pack(first, second, *, cls_id, sep_id, pad_id, sequence_length, pad_to_sequence_length=False):
    """Adds special tokens, cuts to length and pads, in the graph.

    Source: `convert_single_example` and `_truncate_seq_pair` of google-research/bert
    `run_classifier.py`: of a pair the longer is cut at its end, token by token, the second where
    both are equally long.

    Args:
        first: int32 `tf.RaggedTensor` `(batch, tokens)`.
        second: the same, or None for single sequences.
        cls_id, sep_id, pad_id: int.
        sequence_length: int, most tokens of a row, special ones included; at least 3, for pairs 4.
        pad_to_sequence_length: bool, pad each batch to `sequence_length` (static shapes, as XLA
            wants them) and not to its longest row. Default False.

    Returns:
        Dict of int32 tensors `(batch, sequence)`: `token_ids`; `segment_ids` (0 = first segment
        and padding, 1 = second); `padding_mask` (1 = real token, 0 = padding).

    Raises:
        ValueError: `sequence_length` leaves no room for tokens.

    Example:
        >>> a, b = tf.ragged.constant([[5, 6, 7], [8]]), tf.ragged.constant([[9], [10]])
        >>> packed = pack(a, b, cls_id=2, sep_id=3, pad_id=0, sequence_length=6)
        >>> packed["token_ids"].numpy().tolist()
        [[2, 5, 6, 3, 9, 3], [2, 8, 3, 10, 3, 0]]
        >>> packed["segment_ids"].numpy().tolist()
        [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0]]
    """
    check_length(sequence_length, is_pair=second is not None)
    cls = tf.fill([first.nrows(), 1], cls_id)
    sep = tf.fill([first.nrows(), 1], sep_id)
    if second is None:
        first = first[:, : sequence_length - 2]
        rows = tf.concat([cls, first, sep], axis=1)
    else:
        first, second = _cut_longer(first, second, sequence_length - 3)
        rows = tf.concat([cls, first, sep, second, sep], axis=1)
    width = sequence_length if pad_to_sequence_length else None
    token_ids = rows.to_tensor(pad_id, shape=[None, width])
    width = tf.shape(token_ids)[1]
    padding_mask = tf.sequence_mask(rows.row_lengths(), width, tf.int32)
    if second is None:
        segment_ids = tf.zeros_like(token_ids)
    else:
        # [CLS] a [SEP] belong to the first segment, the rest of the real tokens to the second.
        segment_ids = padding_mask - tf.sequence_mask(first.row_lengths() + 2, width, tf.int32)
    return {
        "token_ids": token_ids,
        "segment_ids": tf.ensure_shape(segment_ids, token_ids.shape),
        "padding_mask": tf.ensure_shape(padding_mask, token_ids.shape),
    }


def check_length(sequence_length, is_pair=False):
    """Raises `ValueError` where `sequence_length` leaves no room beside the special tokens."""
    least = 4 if is_pair else 3
    if isinstance(sequence_length, bool) or not isinstance(sequence_length, int):
        raise ValueError(f"sequence_length must be an int; received {sequence_length!r}")
    if sequence_length < least:
        kind = "a pair takes [CLS] and two [SEP]" if is_pair else "a text takes [CLS] and [SEP]"
        raise ValueError(
            f"sequence_length must be at least {least}, for {kind}; received {sequence_length}"
        )


def _cut_longer(first, second, room):
    # What popping from the longer one by one (the second, when equal) comes to.
    first_length, second_length = first.row_lengths(), second.row_lengths()
    room = tf.constant(room, first_length.dtype)
    keep_second = tf.minimum(second_length, tf.maximum(room - first_length, room // 2))
    keep_first = tf.minimum(first_length, room - keep_second)
    return _keep(first, keep_first), _keep(second, keep_second)


def _keep(rows, lengths):
    places = tf.ragged.range(rows.row_lengths())
    return keep(rows, places.flat_values < tf.gather(lengths, rows.value_rowids()))


def keep(rows, is_kept):
    """The tokens that are kept, `tf.RaggedTensor` as `rows`.

    Args:
        rows: `tf.RaggedTensor` `(batch, tokens)`.
        is_kept: bool `(all tokens,)`.
    """
    return tf.ragged.boolean_mask(rows, rows.with_flat_values(is_kept))
