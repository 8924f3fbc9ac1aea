"""Added tokens: found literally in a text, before it is split into words.

Source: `AddedVocabulary` of the `tokenizers` library, which matches leftmost and longest first.
"""

import re

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

# A regular expression of more characters takes RE2 more memory than it grants itself.
_MOST_CHARACTERS = 100_000
_LONGEST = 200
_BUCKETS = 1 << 62
_ANY_SPACE = r"[\s\p{Z}]"


def count_pieces(vocabulary, added):
    """How many entries of a vocabulary WordPiece may use: all but added tokens at its end.

    Those before are found literally too, and are pieces besides; so the `tokenizers` library has
    it, which numbers pieces without a gap and added tokens behind them.

    Args:
        vocabulary: list of str.
        added: the added tokens, any collection of str.
    """
    number = len(vocabulary)
    while number and vocabulary[number - 1] in added:
        number -= 1
    return number


def check_literals(tokens):
    """Raises `ValueError` where a token cannot be one that is found literally.

    Args:
        tokens: list of str.
    """
    for token in tokens:
        if token != token.strip() or not token or len(token) > _LONGEST or token.startswith("##"):
            raise ValueError(
                f"BertTokenizer: the added token {token!r} cannot be found in texts; expected 1 to "
                f"{_LONGEST} characters, no white space at its ends, no ## at its start"
            )
    if sum(map(len, tokens)) > _MOST_CHARACTERS:
        raise ValueError(
            f"BertTokenizer: {len(tokens)} added tokens have {sum(map(len, tokens)):,} characters; "
            f"expected at most {_MOST_CHARACTERS:,}. Words that need not be found within others "
            "can stand in the vocabulary alone"
        )


class Literals:
    """Cuts texts at tokens that stand in them.

    Args:
        ids: dict of str to int, the tokens and their ids; at least one.
        any_space: bool, whether white space in a token stands for any character of white space,
            as it does in normalized text. Default False.
    """

    def __init__(self, ids, any_space=False):
        tokens = sorted(ids, key=lambda token: (-len(token), token))
        self._pattern = "|".join(_escape(token, any_space) for token in tokens)
        self._any_space = any_space
        if any_space:
            ids = {re.sub(r"\s", " ", token): index for token, index in ids.items()}
        # A table that needs no resource, so that a SavedModel needs no initializer: digests in
        # order, and what they are of.
        with tf.init_scope():
            digests = tf.strings.to_hash_bucket_fast(list(ids), _BUCKETS).numpy()
        if len(set(digests)) < len(ids):
            raise ValueError(f"BertTokenizer: two of the added tokens {list(ids)} share a digest")
        order = np.argsort(digests)
        self._digests = digests[order]
        self._tokens = [list(ids)[place] for place in order]
        self._ids = np.array(list(ids.values()), np.int32)[order]

    def split(self, texts):
        """Cuts texts, in the graph.

        Args:
            texts: string tensor `(batch,)`.

        Returns:
            parts: string `tf.RaggedTensor` `(batch, parts)`, tokens and what stands between them.
            ids: int32 tensor `(all parts,)`, the id of the token, or -1 where it is none.
            starts, ends: int64 tensors `(all parts,)`, byte offsets in the text.
        """
        parts, starts, ends = tf_text.regex_split_with_offsets(texts, self._pattern, self._pattern)
        found = parts.values
        if self._any_space:
            found = tf.strings.regex_replace(found, _ANY_SPACE, " ")
        digests = tf.strings.to_hash_bucket_fast(found, _BUCKETS)
        place = tf.searchsorted(tf.constant(self._digests), digests)
        place = tf.minimum(place, len(self._ids) - 1)
        is_token = tf.gather(tf.constant(self._tokens), place) == found
        ids = tf.where(is_token, tf.gather(tf.constant(self._ids), place), -1)
        return parts, ids, starts.values, ends.values


def between(parts, ids):
    """What stands between tokens, string tensor `(all parts,)`; empty where a token stands."""
    return tf.where(ids >= 0, "", parts.values)


def join(parts, ids, tokens, found):
    """Puts together what was made of the parts of texts and of the tokens between them.

    Args:
        parts, ids: as `Literals.split` returns them.
        tokens: `tf.RaggedTensor` `(all parts, tokens)`, made of what `between` returns.
        found: tensor `(all parts,)`, what to put where a token stands.

    Returns:
        `tf.RaggedTensor` `(batch, tokens)`.
    """
    is_token = ids >= 0
    single = tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(found, is_token), tf.cast(is_token, parts.row_splits.dtype)
    )
    return parts.with_values(tf.concat([tokens, single], axis=1)).merge_dims(1, 2)


def _escape(token, any_space):
    escaped = []
    for character in token:
        if any_space and character.isspace():
            escaped.append(_ANY_SPACE)
        elif character.isascii() and not character.isalnum() and not character.isspace():
            escaped.append(f"\\{character}")
        else:
            escaped.append(character)
    return "".join(escaped)
