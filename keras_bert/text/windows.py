"""Overlapping windows of a long text beside a short one: `[CLS] question [SEP] window [SEP]`."""

from typing import NamedTuple

import tensorflow as tf


class Windows(NamedTuple):
    """Where the windows of a batch lie, int32 tensors `(windows,)`, in the order of the examples.

    `example`: the row of the batch that a window is of. `start`: its first token, counted in the
    long text. `length`: its tokens.
    """

    example: tf.Tensor
    start: tf.Tensor
    length: tf.Tensor


def cut_windows(question_lengths, context_lengths, sequence_length, stride):
    """Cuts long texts into windows that fit into a row, in the graph.

    Source: `convert_examples_to_features` of google-research/bert `run_squad.py`: a window is as
    long as the row has room beside the question and three special tokens, the next one begins
    `stride` tokens further on (or at its end, where it is shorter), the last one ends with the
    text. An empty text has one window, of no tokens.

    Args:
        question_lengths, context_lengths: int32 `(batch,)`, tokens. A question leaves room for one
            token at least.
        sequence_length, stride: int.

    Returns:
        `Windows`.

    Example:
        >>> cut = cut_windows(tf.constant([2, 1]), tf.constant([9, 3]), 9, stride=2)
        >>> cut.example.numpy().tolist(), cut.start.numpy().tolist(), cut.length.numpy().tolist()
        ([0, 0, 0, 0, 1], [0, 2, 4, 6, 0], [4, 4, 4, 3, 3])
    """
    room = sequence_length - 3 - question_lengths
    step = tf.minimum(room, stride)
    counts = 1 - (tf.minimum(room - context_lengths, 0) // step)  # 1 and what is over, rounded up
    example = tf.repeat(tf.range(tf.size(counts)), counts)
    start = tf.ragged.range(counts).flat_values * tf.gather(step, example)
    length = tf.minimum(tf.gather(room, example), tf.gather(context_lengths, example) - start)
    return Windows(example, start, length)


def most_context(windows, context_lengths):
    """Tells for every token of every window whether this window shows most of what is around it.

    Source: `_check_is_max_context` of google-research/bert `run_squad.py`: the lesser of the tokens
    on its left and on its right counts, and a hundredth of the window's length; the first of equal
    windows. So each token of a text has one window.

    Args:
        windows: `Windows`, all of a batch.
        context_lengths: int32 `(batch,)`, tokens.

    Returns:
        bool `tf.RaggedTensor` `(windows, tokens)`.
    """
    places = tf.ragged.range(windows.length)
    row = tf.cast(places.value_rowids(), tf.int32)
    left = places.flat_values
    length = tf.gather(windows.length, row)
    # In 64 bits, as Python has it: which of two nearly equal windows is first hangs on rounding.
    score = tf.cast(tf.minimum(left, length - 1 - left), tf.float64)
    score += 0.01 * tf.cast(length, tf.float64)
    begin = tf.gather(tf.cumsum(context_lengths, exclusive=True), windows.example) + windows.start
    token = tf.gather(begin, row) + left
    total = tf.reduce_sum(context_lengths)
    best = tf.gather(tf.math.unsorted_segment_max(score, token, total), token)
    candidate = tf.where(score == best, row, row.dtype.max)
    first = tf.math.unsorted_segment_min(candidate, token, total)
    return places.with_flat_values(row == tf.gather(first, token))


def take(values, begin, length):
    """Slices of a flat tensor.

    Args:
        values: tensor `(all,)`.
        begin, length: int32 `(slices,)`.

    Returns:
        `tf.RaggedTensor` `(slices, items)`.
    """
    places = tf.ragged.range(begin, begin + length)
    return places.with_flat_values(tf.gather(values, places.flat_values))


def beside_tokens(values, question_lengths, token_ids, fill):
    """Puts a value of each token of a window where the token stands in its row.

    Args:
        values: `tf.RaggedTensor` `(windows, tokens)`.
        question_lengths: int32 `(windows,)`, tokens of the question in each row.
        token_ids: int32 `(windows, sequence)`, the rows.
        fill: the value of other tokens and of padding.

    Returns:
        Tensor `(windows, sequence)`.
    """
    lengths = tf.cast(question_lengths, tf.int64) + 2  # [CLS] and [SEP]
    before = tf.fill([tf.reduce_sum(lengths)], tf.cast(fill, values.dtype))
    before = tf.RaggedTensor.from_row_lengths(before, lengths)
    rows = tf.concat([before, values], axis=1)
    dense = rows.to_tensor(fill, shape=tf.shape(token_ids))
    return tf.ensure_shape(dense, token_ids.shape)
