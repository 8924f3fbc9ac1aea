"""Normalization of raw text in the graph, equal to Google's BERT on every assigned code point.

Source: `BasicTokenizer` of google-research/bert `tokenization.py`, which works on Python strings
with `unicodedata`. Here the same steps are TensorFlow and TF Text ops over whole batches; splitting
at whitespace, punctuation and Chinese characters is left to `FastBertTokenizer`, which agrees with
Google once the text is normalized.
"""

import tensorflow as tf
import tensorflow_text as tf_text

# Google gives up on a word of more characters than this: it becomes [UNK].
MAX_WORD_CHARACTERS = 200

# FastBertTokenizer counts bytes; a character has at most 4.
MAX_WORD_BYTES = 4 * MAX_WORD_CHARACTERS

REPLACEMENT = "\ufffd"

# All of UTF-8 but nothing else: RE2 takes surrogates too when it is not told otherwise.
_VALID_UTF8 = r"[\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]*"

# ASCII without control characters.
_PLAIN = r"[\t\n\r\x20-\x7e]*"

# Google's `_clean_text`: NUL, U+FFFD, Cc and Cf go; tab, newline and carriage return stay (spaces).
_REMOVED = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\p{Cf}\x{FFFD}]"

# Cased letters of Unicode 14, which the lower-casing of TensorFlow (ICU 69, Unicode 13) leaves
# alone: (first, last, distance to the lower-case letter).
_NEW_CAPITALS = (
    (0x2C2F, 0x2C2F, 0x30),
    (0xA7C0, 0xA7C0, 1),
    (0xA7D0, 0xA7D0, 1),
    (0xA7D6, 0xA7D6, 1),
    (0xA7D8, 0xA7D8, 1),
    (0x10570, 0x10595, 0x27),
)
_HAS_NEW_CAPITAL = (
    "(?s).*["
    + "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last, _ in _NEW_CAPITALS)
    + "].*"
)

# Unicode's rule for the final sigma, with RE2's newer tables: a letter with case before it, none
# behind it, characters that case ignores (the accents, the apostrophe) in between left out.
_CASED = (
    r"[\p{Lu}\p{Ll}\p{Lt}ªº\x{2160}-\x{217F}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}]"
)
_CASE_IGNORES = r"[\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:·\x{387}\x{55F}\x{5F4}‘’․‧︓﹒﹕＇．：]*"
_SIGMA_BEFORE_CASED = rf"Σ({_CASE_IGNORES}{_CASED})"
_SIGMA_AFTER_CASED = rf"({_CASED}{_CASE_IGNORES})Σ"

# What ends a word: whitespace, punctuation (Google counts all ASCII symbols), Chinese blocks.
_SEPARATOR = (
    r"([\s\p{Z}\p{P}$+<=>^`|~\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}"
    r"\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}\x{2B820}-\x{2CEAF}\x{F900}-\x{FAFF}"
    r"\x{2F800}-\x{2FA1F}])"
)
# A cheap sieve before the exact search: every word is made of these, and ordinary lines of English
# and of Chinese hold no run of them this long.
_MAY_HOLD_LONG_WORD = (
    r"(?s).*[^\s,.，。、\x{4E00}-\x{9FFF}]{%d}.*" % (MAX_WORD_CHARACTERS + 1)  # noqa: UP031
)
_LONG_RUN = rf"[^\s]{{{MAX_WORD_CHARACTERS + 1}}}"


def normalize(texts, lowercase, strip_accents):
    """Cleans, lower-cases and strips accents, so that only splitting is left to do.

    Invalid UTF-8 counts as U+FFFD. Removed are NUL, U+FFFD and the control and format characters
    (Cc, Cf) but tab, newline and carriage return; then comes Unicode lower-casing in full (U+0130
    gives two characters, a final capital sigma the final small one), independent of the locale;
    then NFD and removal of the nonspacing marks (Mn).

    Args:
        texts: string tensor of any shape, UTF-8.
        lowercase: bool.
        strip_accents: bool.

    Returns:
        String tensor of the same shape, valid UTF-8.

    Example:
        >>> normalize(tf.constant(["Ünïcode\u200b İ ΟΔΟΣ"]), True, True).numpy()[0].decode()
        'unicode i οδος'
    """
    flat = tf.reshape(texts, [-1])
    plain = tf.strings.regex_full_match(flat, _PLAIN)
    others = tf.where(tf.logical_not(plain))
    # Most lines of English are ASCII throughout, where only the case is left to do.
    done = tf.strings.lower(flat) if lowercase else flat
    done = tf.tensor_scatter_nd_update(
        done, others, _normalize_any(tf.gather_nd(flat, others), lowercase, strip_accents)
    )
    return _same_shape(tf.reshape(done, tf.shape(texts)), texts)


def _normalize_any(texts, lowercase, strip_accents):
    texts = replace_invalid(texts)
    texts = tf.strings.regex_replace(texts, _REMOVED, "")
    if lowercase:
        texts = _lower(texts)
    if strip_accents:
        texts = tf_text.normalize_utf8(texts, "NFD")
        texts = tf.strings.regex_replace(texts, r"\p{Mn}+", "")
    return texts


def mark_long_words(texts):
    """Spoils the words of more than 200 characters, so that each becomes one [UNK], as Google's do.

    Args:
        texts: string tensor of any shape, as `normalize` returns it.

    Returns:
        String tensor of the same shape. A long word holds U+FFFD, which no normalized text and no
        reachable vocabulary entry does; spaces may stand around separators, where they change
        no token. All other texts come back as they were.
    """

    def mark():
        # Once each separator stands alone, a run without whitespace is a word.
        words = tf.strings.regex_replace(texts, _SEPARATOR, r" \1 ")
        return tf.strings.regex_replace(words, _LONG_RUN, rf"\0{REPLACEMENT}")

    suspected = tf.strings.regex_full_match(texts, _MAY_HOLD_LONG_WORD)
    return _same_shape(tf.cond(tf.reduce_any(suspected), mark, lambda: texts), texts)


def replace_invalid(texts):
    """Puts U+FFFD in place of bytes that are no UTF-8; string tensors of any shape."""

    # Transcoding costs as much as tokenizing half the text, a regular expression next to nothing.
    def transcode():
        return tf.strings.unicode_transcode(
            texts, "UTF-8", "UTF-8", errors="replace", replacement_char=ord(REPLACEMENT)
        )

    valid = tf.reduce_all(tf.strings.regex_full_match(texts, _VALID_UTF8))
    return _same_shape(tf.cond(valid, lambda: texts, transcode), texts)


def _lower(texts):
    # ICU lowers by the locale of the process. Once the ASCII letters and U+0130 are done, nothing
    # is left that Turkish or Azerbaijani would lower otherwise.
    texts = tf.strings.lower(texts)
    texts = tf.strings.regex_replace(texts, "\u0130", "i\u0307")
    texts = _lower_sigma(texts)
    texts = _lower_new_capitals(texts)
    return tf.strings.lower(texts, encoding="utf-8")


def _lower_sigma(texts):
    def lower():
        # A match takes the letter behind, which may be a sigma with one of its own: twice.
        lowered = tf.strings.regex_replace(texts, _SIGMA_BEFORE_CASED, r"σ\1")
        lowered = tf.strings.regex_replace(lowered, _SIGMA_BEFORE_CASED, r"σ\1")
        lowered = tf.strings.regex_replace(lowered, _SIGMA_AFTER_CASED, r"\1ς")
        return tf.strings.regex_replace(lowered, "Σ", "σ")

    found = tf.reduce_any(tf.strings.regex_full_match(texts, "(?s).*Σ.*"))
    return _same_shape(tf.cond(found, lower, lambda: texts), texts)


def _lower_new_capitals(texts):
    def lower():
        points = tf.strings.unicode_decode(tf.reshape(texts, [-1]), "UTF-8")
        values = points.flat_values
        for first, last, distance in _NEW_CAPITALS:
            inside = (values >= first) & (values <= last)
            values = tf.where(inside, values + distance, values)
        lowered = tf.strings.unicode_encode(points.with_flat_values(values), "UTF-8")
        return tf.reshape(lowered, tf.shape(texts))

    found = tf.reduce_any(tf.strings.regex_full_match(texts, _HAS_NEW_CAPITAL))
    return _same_shape(tf.cond(found, lower, lambda: texts), texts)


def _same_shape(result, texts):
    # tf.cond forgets what both branches agree on when one of them lost it.
    return tf.ensure_shape(result, texts.shape)
