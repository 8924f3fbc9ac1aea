"""From normalized text to WordPiece ids, with or without Chinese characters set apart."""

import re

import tensorflow as tf
import tensorflow_text as tf_text

from keras_bert.text import normalization

# Between words, once a text is normalized, and the punctuation that is a word of its own: Google
# counts all ASCII symbols.
_SPACE = r"\s\p{Z}"
_PUNCTUATION = r"\p{P}$+<=>^`|~"
_UNREACHABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufffd]")


class SplitChinese:
    """The pieces as Google makes them, each Chinese character a word.

    Args:
        vocabulary: list of str.
        num_pieces: int, only so many of the entries are pieces; the others are left out of reach.
    """

    def __init__(self, vocabulary, num_pieces):
        # Made outside any graph being traced, so that one tokenizer serves many graphs.
        with tf.init_scope():
            self._tokenizer = tf_text.FastBertTokenizer(
                _within_reach(vocabulary, num_pieces),
                token_out_type=tf.int32,
                max_bytes_per_word=normalization.MAX_WORD_BYTES,
                lower_case_nfd_strip_accents=False,
            )

    def tokenize(self, texts):
        """int32 `tf.RaggedTensor` `(batch, tokens)` of normalized texts, a tensor `(batch,)`."""
        return self._tokenizer.tokenize(normalization.mark_long_words(texts))

    def tokenize_with_offsets(self, texts):
        """Ids, and byte offsets as ragged tensors alike; words too long are still in pieces."""
        return self._tokenizer.tokenize_with_offsets(texts)


class WholeChinese:
    """The same without Chinese splitting; FastBertTokenizer, which always splits, cannot serve."""

    def __init__(self, vocabulary, num_pieces):
        with tf.init_scope():
            self._tokenizer = tf_text.FastWordpieceTokenizer(
                _within_reach(vocabulary, num_pieces),
                token_out_type=tf.int32,
                max_bytes_per_word=normalization.MAX_WORD_BYTES,
                no_pretokenization=True,
            )

    def tokenize(self, texts):
        """As `SplitChinese.tokenize`."""
        words, *_ = _split_words(texts)
        return self._tokenizer.tokenize(words).merge_dims(1, 2)

    def tokenize_with_offsets(self, texts):
        """As `SplitChinese.tokenize_with_offsets`; words too long are [UNK] already."""
        words, begins, ends, is_long = _split_words(texts)
        ids, starts, limits = self._tokenizer.tokenize_with_offsets(words)
        word = ids.values.value_rowids()
        begins, ends, is_long = (tf.gather(values, word) for values in (begins, ends, is_long))
        limits = tf.where(is_long, ends, begins + limits.flat_values)
        starts = begins + starts.flat_values
        ids = ids.merge_dims(1, 2)
        return ids, ids.with_values(starts), ids.with_values(limits)


def _split_words(texts):
    """Words and punctuation as ragged `(batch, words)`; flat: their byte offsets, and whether a
    word is too long, in which case a character that makes it [UNK] stands for it."""
    words, starts, ends = tf_text.regex_split_with_offsets(
        texts, f"[{_SPACE}{_PUNCTUATION}]", f"[{_PUNCTUATION}]"
    )
    length = tf.strings.length(words.values, unit="UTF8_CHAR")
    is_long = length > normalization.MAX_WORD_CHARACTERS
    words = words.with_values(tf.where(is_long, normalization.REPLACEMENT, words.values))
    return words, starts.values, ends.values, is_long


def _within_reach(vocabulary, num_pieces):
    # No word of a normalized text holds whitespace, a control character or U+FFFD, yet TF Text
    # would match the first (the Chinese vocabulary holds U+2028), fails to build with some of the
    # second, and must not match the third, which marks long words. A control character keeps the
    # entry, under its id, out of reach.
    return [
        f"\x01{index}" if index >= num_pieces or _UNREACHABLE.search(token) else token
        for index, token in enumerate(vocabulary)
    ]
