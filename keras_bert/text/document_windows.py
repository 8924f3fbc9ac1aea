"""A long text in windows that each make a row: `[CLS] window [SEP]`."""

import tensorflow as tf

from keras_bert.text.windows import take


def check_windows(windows, stride, sequence_length):
    """Settles how a text is cut into windows.

    Args:
        windows: int, most windows of a text.
        stride: int, tokens from the start of one window to that of the next; None: as many as a
            window has.
        sequence_length: int, most tokens of a row, two of them special.

    Returns:
        int, the stride.

    Raises:
        ValueError: a number out of its range.
    """
    room = sequence_length - 2
    if isinstance(windows, bool) or not isinstance(windows, int) or windows < 1:
        raise ValueError(f"windows must be an int of at least 1, or None; received {windows!r}")
    if stride is None:
        return room
    if isinstance(stride, bool) or not isinstance(stride, int) or not 1 <= stride <= room:
        raise ValueError(
            f"stride must be an int from 1 to {room}, the tokens of a window of sequence_length="
            f"{sequence_length} without the special ones; received {stride!r}"
        )
    return stride


def cut_document(ids, room, stride, windows):
    """Cuts texts into windows, in the graph.

    A window has as many tokens as there is room, or those that are left; the last one ends with
    the text, or with the tokens that as many windows can hold. A text of no token has one window.

    Args:
        ids: int32 `tf.RaggedTensor` `(batch, tokens)`.
        room, stride, windows: int; `stride` is at most `room`.

    Returns:
        int32 `tf.RaggedTensor` `(all windows, tokens)`, a text's windows next to each other, and
        int32 `(batch,)`, windows of each text.

    Example:
        >>> ids = tf.ragged.constant([[5, 6, 7, 8, 9], [5]])
        >>> rows, counts = cut_document(ids, room=3, stride=2, windows=8)
        >>> rows.to_list(), counts.numpy().tolist()
        ([[5, 6, 7], [7, 8, 9], [5]], [2, 1])
    """
    lengths = tf.cast(ids.row_lengths(), tf.int32)
    counts = 1 + tf.maximum(lengths - room + stride - 1, 0) // stride
    counts = tf.minimum(counts, windows)
    text = tf.repeat(tf.range(tf.size(counts)), counts)
    start = tf.ragged.range(counts).flat_values * stride
    length = tf.minimum(tf.gather(lengths, text) - start, room)
    begin = tf.gather(tf.cast(ids.row_starts(), tf.int32), text) + start
    return take(ids.flat_values, begin, length), counts


def side_by_side(rows, counts, windows, pad_id):
    """Puts the windows of a text beside each other.

    Args:
        rows: dict of int32 `(all windows, sequence)`, by the names of a model's inputs.
        counts: int32 `(batch,)`, windows of each text.
        windows: int, how many each gets; None: as many as the text with the most of them.
        pad_id: int, the token of windows that are none.

    Returns:
        Dict of int32 `(batch, windows, sequence)`; windows beyond a text's have no real token.
    """
    number = tf.reduce_max(tf.concat([counts, [1]], axis=0)) if windows is None else windows
    width = rows["token_ids"].shape[1]
    result = {}
    for name, values in rows.items():
        value = tf.RaggedTensor.from_row_lengths(values, counts).to_tensor(
            pad_id if name == "token_ids" else 0,
            shape=tf.stack([tf.size(counts), number, tf.shape(values)[1]]),
        )
        result[name] = tf.ensure_shape(value, [None, windows, width])
    return result
