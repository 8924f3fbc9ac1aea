"""From raw text to ids, in the graph: added tokens, normalization, pieces; with places or without.

The order is that of the `tokenizers` library: added tokens of the raw text are cut out, what is
left is normalized, added tokens of the normalized text are cut out, what is left is split into
words and pieces.
"""

import tensorflow as tf

from keras_bert.text import literals, normalization, offsets, word_pieces


class Encoder:
    """What `BertTokenizer` does to a batch of texts.

    Args:
        vocabulary: list of str.
        unk_id: int.
        is_continuation: bool array over the vocabulary.
        lowercase, strip_accents, split_chinese: bool.
        added_tokens: dict of str to bool, as `BertTokenizer.added_tokens`.

    Raises:
        ValueError: an added token cannot be found in texts, or two become the same.
    """

    def __init__(
        self,
        vocabulary,
        unk_id,
        is_continuation,
        lowercase,
        strip_accents,
        split_chinese,
        added_tokens,
    ):
        self._unk_id = unk_id
        self._is_continuation = is_continuation
        self._normalization = (lowercase, strip_accents)
        pieces = word_pieces.SplitChinese if split_chinese else word_pieces.WholeChinese
        self._pieces = pieces(vocabulary, literals.count_pieces(vocabulary, added_tokens))
        literals.check_literals(added_tokens)
        ids = {token: index for index, token in enumerate(vocabulary)}
        raw = {token: ids[token] for token, normalized in added_tokens.items() if not normalized}
        self._raw = literals.Literals(raw) if raw else None
        shapes = self._normalized_shapes([token for token in added_tokens if token not in raw])
        found = {shape: ids[token] for token, shape in shapes.items()}
        self._normalized = literals.Literals(found, any_space=True) if found else None

    def _normalized_shapes(self, tokens):
        if not tokens:
            return {}
        with tf.init_scope():
            shapes = normalization.normalize(tf.constant(tokens), *self._normalization).numpy()
        shapes = [shape.decode() for shape in shapes]
        literals.check_literals(shapes)
        first = {}
        for token, shape in zip(tokens, shapes, strict=True):
            if first.setdefault(shape, token) != token:
                raise ValueError(
                    f"BertTokenizer: the added tokens {first[shape]!r} and {token!r} are both "
                    f"{shape!r} once normalized; keep one, or have them found in the raw text"
                )
        return dict(zip(tokens, shapes, strict=True))

    def encode(self, texts):
        """int32 `tf.RaggedTensor` `(batch, tokens)` of a string tensor `(batch,)`."""
        if self._raw is None:
            return self._encode_plain(texts)
        parts, ids, _, _ = self._raw.split(texts)
        return literals.join(parts, ids, self._encode_plain(literals.between(parts, ids)), ids)

    def _encode_plain(self, texts):
        texts = normalization.normalize(texts, *self._normalization)
        if self._normalized is None:
            return self._pieces.tokenize(texts)
        parts, ids, _, _ = self._normalized.split(texts)
        return literals.join(parts, ids, self._pieces.tokenize(literals.between(parts, ids)), ids)

    def encode_with_offsets(self, texts):
        """Ids, first and last (exclusive) characters, int32 ragged `(batch, tokens)` each."""
        if self._raw is None:
            return self._encode_plain_with_offsets(texts)
        parts, ids, _, _ = self._raw.split(texts)
        starts, ends = offsets.character_offsets(parts)
        found = self._encode_plain_with_offsets(literals.between(parts, ids))
        return _join_with_offsets(parts, ids, starts, ends, found)

    def _encode_plain_with_offsets(self, texts):
        normalized = normalization.normalize(texts, *self._normalization)
        if self._normalized is None:
            found = self._pieces.tokenize_with_offsets(normalized)
        else:
            parts, ids, starts, ends = self._normalized.split(normalized)
            found = self._pieces.tokenize_with_offsets(literals.between(parts, ids))
            found = _join_with_offsets(parts, ids, starts, ends, found)
        ids, starts, ends = found
        starts, ends, places = offsets.raw_offsets(
            texts, normalized, starts, ends, *self._normalization
        )
        return offsets.merge_long_words(
            ids, starts, ends, places, self._is_continuation, self._unk_id
        )


def _join_with_offsets(parts, ids, starts, ends, found):
    """Joins what was made of the parts; its offsets count from the start of each part."""
    tokens, *places = found
    shift = tf.gather(starts, tokens.value_rowids())
    first, last = (place.with_flat_values(shift + place.flat_values) for place in places)
    return (
        literals.join(parts, ids, tokens, ids),
        literals.join(parts, ids, first, starts),
        literals.join(parts, ids, last, ends),
    )
