"""From token ids back to text a person would write, in the graph."""

import tensorflow as tf

from keras_bert.text import detokenization as rules


class Detokenizer:
    """`BertTokenizer.detokenize` as operations of TensorFlow, which an exported graph can hold.

    Args:
        tokenizer: `BertTokenizer`.

    Call arguments:
        ids: int32 `(batch, tokens)`; special tokens but [UNK] are dropped.

    Returns of a call:
        string `(batch,)`.

    Example:
        >>> from keras_bert.text import BertTokenizer
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "app", "##les", "!", "我"]
        >>> detokenize = Detokenizer(BertTokenizer(vocabulary))
        >>> [text.decode() for text in detokenize([[5, 6, 7, 3], [8, 8, 7, 0]]).numpy()]
        ['apples!', '我我!']
    """

    def __init__(self, tokenizer):
        tokens = tokenizer.vocabulary
        continues = [token.startswith("##") and len(token) > 2 for token in tokens]
        pieces = [
            token[2:] if more else token for token, more in zip(tokens, continues, strict=True)
        ]
        dropped = set(tokenizer.special_ids) - {tokenizer.unk_id}
        # Tables over the vocabulary.
        self._pieces = tf.constant(pieces)
        self._is_dropped = tf.constant([index in dropped for index in range(len(tokens))])
        self._continues = tf.constant(continues)
        self._is_alone = _table(rules.is_alone, pieces)
        self._is_chinese = _table(rules.is_chinese, pieces)
        self._is_wide = _table(rules.is_wide, pieces)
        self._starts_with_digit = _table(lambda piece: piece[0].isdigit(), pieces)
        self._ends_with_digit = _table(lambda piece: piece[-1].isdigit(), pieces)

    def __call__(self, ids):
        ids = tf.convert_to_tensor(ids, tf.int32)
        is_kept = ~tf.gather(self._is_dropped, ids)
        rows = tf.cast(tf.where(is_kept)[:, 0], tf.int32)  # (tokens of all rows,)
        words = self._words(tf.boolean_mask(ids, is_kept), rows)
        parts = tf.strings.join([tf.where(_spaced(words), " ", ""), words["text"]])
        return tf.strings.unsorted_segment_join(parts, words["row"], tf.shape(ids)[0])

    def _words(self, ids, rows):
        """Joins pieces to words, of all rows; dict of tensors `(words,)`."""
        # A continuing piece begins a word of its own behind what stands alone: where all pieces
        # before it, from the last that does not continue, are alone.
        is_first = rows != _shifted(rows, 1, -1)
        begins_run = is_first | ~tf.gather(self._continues, ids)
        joined = tf.cumsum(_int(~tf.gather(self._is_alone, ids)), exclusive=True)
        run = tf.cumsum(_int(begins_run)) - 1
        begins = joined == tf.gather(tf.boolean_mask(joined, begins_run), run)
        word = tf.cumsum(_int(begins)) - 1
        count = tf.reduce_sum(_int(begins))
        heads = tf.boolean_mask(ids, begins)
        ends = tf.boolean_mask(ids, _shifted(begins, -1, True))
        is_single = tf.math.unsorted_segment_sum(tf.ones_like(word), word, count) == 1
        return {
            "row": tf.boolean_mask(rows, begins),
            "text": tf.strings.unsorted_segment_join(tf.gather(self._pieces, ids), word, count),
            "chinese": tf.gather(self._is_chinese, heads),
            "wide": tf.gather(self._is_wide, heads) & is_single,
            "starts_with_digit": tf.gather(self._starts_with_digit, heads),
            "ends_with_digit": tf.gather(self._ends_with_digit, ends),
        }


def _spaced(words):
    """Whether a space stands before each word, bool `(words,)`; see `detokenization`."""
    row, text = words["row"], words["text"]
    has_previous = row == _shifted(row, 1, -1)
    has_before = row == _shifted(row, 2, -1)
    has_following = row == _shifted(row, -1, -1)
    following = tf.where(has_following, _shifted(text, -1, ""), "")
    previous = tf.where(has_previous, _shifted(text, 1, ""), "")

    is_wide_before = _shifted(words["wide"], 1, False)
    space_after = has_previous & ~_among(previous, rules.OPENING) & ~is_wide_before
    is_closing = _among(text, rules.CLOSING)
    is_chinese = words["chinese"] | _shifted(words["chinese"], 1, False) | is_wide_before

    is_number = _among(previous, rules.IN_NUMBERS) & words["starts_with_digit"]
    is_number &= has_before & _shifted(words["ends_with_digit"], 2, False)
    ordinary = ~is_number
    is_quote = _among(previous, rules.QUOTES) & ~has_before
    ordinary = tf.where(
        _among(previous, rules.JOINING), is_quote & ~_among(text, rules.CONTRACTIONS), ordinary
    )
    opens = _among(text, rules.QUOTES) & ~_among(following, rules.CONTRACTIONS)
    ordinary = tf.where(_among(text, rules.JOINING), opens, ordinary)
    ordinary &= space_after & ~is_closing & ~is_chinese

    # The number of double quotes in the row so far.
    is_double = text == '"'
    quotes = tf.cumsum(_int(is_double))
    start = tf.boolean_mask(quotes - _int(is_double), ~has_previous)
    quotes -= tf.gather(start, tf.cumsum(_int(~has_previous)) - 1)
    is_open = quotes % 2 == 1
    after_double = tf.where(previous == '"', ~is_open & ~is_closing, ordinary)
    return has_previous & tf.where(is_double, is_open & space_after, after_double)


def _table(function, pieces):
    return tf.constant([function(piece) for piece in pieces])


def _among(words, chosen):
    return tf.reduce_any(words[:, tf.newaxis] == tf.constant(sorted(chosen)), axis=1)


def _int(is_so):
    return tf.cast(is_so, tf.int32)


def _shifted(values, by, fill):
    """Each place's value `by` places before it (behind it where negative), or `fill`."""
    edge = tf.fill([abs(by)], tf.constant(fill, values.dtype))
    if by > 0:
        return tf.concat([edge, values], axis=0)[: tf.size(values)]
    return tf.concat([values, edge], axis=0)[-by:]
