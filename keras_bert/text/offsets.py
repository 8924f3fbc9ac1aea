"""Where tokens stand in the raw text, in characters, through all that normalization changed."""

import functools

import numpy as np
import tensorflow as tf

from keras_bert.text import normalization

# The table of lengths covers the planes that hold letters and, folded behind them, the few
# thousand tags and variation selectors of plane 14; all other characters normalize to one.
_LETTERS_END = 0x30000
_TAGS = (0xE0000, 0xE1000)
_TABLE_SIZE = _LETTERS_END + (_TAGS[1] - _TAGS[0]) + 1
# A mark that was dropped belongs to the letter before it; a dropped control character does not.
_DROPPED_MARK = -1


def raw_offsets(texts, normalized, starts, ends, lowercase, strip_accents):
    """Maps byte offsets in normalized texts to character offsets in the raw ones, in the graph.

    Normalization works character by character (but for the shape of a final sigma, which keeps its
    length), so a table of how many characters each one becomes aligns the two texts.

    Args:
        texts: string tensor `(batch,)`, raw.
        normalized: string tensor `(batch,)`, what `normalization.normalize` made of them.
        starts, ends: integer `tf.RaggedTensor` `(batch, tokens)`, byte offsets in `normalized`.
        lowercase, strip_accents: bool, as given to `normalize`.

    Returns:
        starts, ends: int32 ragged, `text[start:end]` is the raw piece, with the accents on its last
            letter and the control characters inside it.
        lengths: int32 flat tensors `(all tokens,)` twice: first and last place of each token in
            characters of the normalized texts, counted over the batch.
    """
    table = tf.constant(_length_table(lowercase, strip_accents))
    points = tf.strings.unicode_decode(
        texts, "UTF-8", errors="replace", replacement_char=ord(normalization.REPLACEMENT)
    )
    lengths = tf.gather(table, _table_index(points.flat_values))
    is_mark = lengths == _DROPPED_MARK
    lengths = tf.maximum(tf.cast(lengths, tf.int32), 0)
    raw_count = tf.size(lengths)

    new_points = tf.strings.unicode_decode(normalized, "UTF-8").flat_values
    with tf.control_dependencies(
        [tf.debugging.assert_equal(tf.reduce_sum(lengths), tf.size(new_points))]
    ):
        raw_of_character = tf.repeat(tf.range(raw_count), lengths)
    character_of_byte = tf.repeat(tf.range(tf.size(new_points)), _utf8_bytes(new_points))

    # Places in the batch's bytes, then characters, then raw characters.
    rows = tf.cast(starts.value_rowids(), tf.int32)
    row_bytes = tf.gather(tf.cumsum(tf.strings.length(normalized), exclusive=True), rows)
    first = tf.gather(character_of_byte, tf.cast(starts.flat_values, tf.int32) + row_bytes)
    last = tf.gather(character_of_byte, tf.cast(ends.flat_values, tf.int32) + row_bytes - 1)
    raw_first = tf.gather(raw_of_character, first)
    raw_last = tf.gather(raw_of_character, last)

    # On to the last accent that was dropped behind the last letter, within the row.
    letter = tf.cumsum(tf.cast(~is_mark, tf.int32))
    last_of_letter = tf.math.segment_max(tf.range(raw_count), letter)
    raw_end = tf.gather(last_of_letter, tf.gather(letter, raw_last)) + 1
    raw_end = tf.minimum(raw_end, tf.gather(tf.cast(points.row_limits(), tf.int32), rows))

    row_start = tf.gather(tf.cast(points.row_starts(), tf.int32), rows)
    return (
        starts.with_flat_values(raw_first - row_start),
        ends.with_flat_values(raw_end - row_start),
        (first, last),
    )


def character_offsets(parts):
    """Where parts of texts begin and end in them.

    Args:
        parts: string `tf.RaggedTensor` `(batch, parts)` that make up the texts.

    Returns:
        starts, ends: int32 tensors `(all parts,)`, in characters of the text.
    """
    points = tf.strings.unicode_decode(
        parts.values, "UTF-8", errors="replace", replacement_char=ord(normalization.REPLACEMENT)
    )
    lengths = tf.cast(points.row_lengths(), tf.int32)
    ends = tf.cumsum(lengths)
    before = tf.gather(tf.concat([[0], ends], 0), parts.row_starts())
    ends -= tf.gather(before, parts.value_rowids())
    return ends - lengths, ends


def merge_long_words(ids, starts, ends, places, is_continuation, unk_id):
    """Makes each word of more than 200 characters the one [UNK] that Google makes of it.

    Args:
        ids, starts, ends: int32 `tf.RaggedTensor` `(batch, tokens)`.
        places: the third value of `raw_offsets`.
        is_continuation: bool array over the vocabulary.
        unk_id: int.

    Returns:
        ids, starts, ends: the same with fewer tokens.
    """
    continues = tf.gather(tf.constant(is_continuation), ids.flat_values)
    word = tf.cumsum(tf.cast(~continues, tf.int32)) - 1
    first, last = places
    length = tf.math.segment_max(last, word) - tf.math.segment_min(first, word) + 1
    is_long = tf.gather(length > normalization.MAX_WORD_CHARACTERS, word)
    word_end = tf.gather(tf.math.segment_max(ends.flat_values, word), word)
    ids = ids.with_flat_values(tf.where(is_long, unk_id, ids.flat_values))
    ends = ends.with_flat_values(tf.where(is_long, word_end, ends.flat_values))
    keep = ids.with_flat_values(~(is_long & continues))
    return tuple(tf.ragged.boolean_mask(values, keep) for values in (ids, starts, ends))


def _table_index(points):
    tags = points - _TAGS[0] + _LETTERS_END
    is_tag = (points >= _TAGS[0]) & (points < _TAGS[1])
    other = tf.where(is_tag, tags, _TABLE_SIZE - 1)
    return tf.where(points < _LETTERS_END, points, other)


def _utf8_bytes(points):
    return 1 + sum(tf.cast(points >= bound, tf.int32) for bound in (0x80, 0x800, 0x10000))


@functools.lru_cache(maxsize=4)
def _length_table(lowercase, strip_accents):
    """int8 `(_TABLE_SIZE,)`: characters that each character becomes, or `_DROPPED_MARK`."""
    points = [*range(_LETTERS_END), *range(*_TAGS), ord("a")]
    # Surrogates are no characters; decoding never yields them.
    texts = ["\ufffd" if 0xD800 <= point <= 0xDFFF else chr(point) for point in points]
    with tf.init_scope():
        kept = normalization.normalize(tf.constant(texts), lowercase, strip_accents)
        table = tf.strings.length(kept, unit="UTF8_CHAR").numpy().astype(np.int8)
        marks = tf.strings.regex_full_match(texts, r"\p{Mn}").numpy()
    table[marks & (table == 0)] = _DROPPED_MARK
    return table
