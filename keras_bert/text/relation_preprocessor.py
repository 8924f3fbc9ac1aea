"""Texts with two marked entities, as a relation classifier reads them."""

import tensorflow as tf

from keras_bert.text import packing
from keras_bert.text.preprocessors import Preprocessor
from keras_bert.text.tokenizer import as_strings

# Around the first and the second entity: tokens of the vocabulary, found literally.
MARKERS = ("<e1>", "</e1>", "<e2>", "</e2>")


class RelationPreprocessor(Preprocessor):
    """Makes of texts with two marked entities the input of `BertRelationClassifier`.

    Source: Baldini Soares et al. 2019, https://arxiv.org/abs/1906.03158; the marks are those of
    SemEval 2010 task 8, `<e1>...</e1>` and `<e2>...</e2>`. They are added tokens of the tokenizer.
    One that lacks them is given them, at the end of its vocabulary; its model then needs as many
    more rows, by `kb.replace_vocabulary(backbone, tokenizer, preprocess.tokenizer)`.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row, special ones included. Of a longer text the
            part that holds the entities is kept: its beginning, or from the first entity on.
            Default 128.
        pad_to_sequence_length: bool, as in `TextClassifierPreprocessor`.

    Call arguments:
        texts: str, list of str or string tensor of rank 0 or 1, with the marks in it; or a tuple
            of such texts without marks, and int `(batch, 2, 2)`, first character and end
            (exclusive) of the first and of the second entity, counted in the text.

    Returns of a call:
        Dict of int32 tensors, without `batch` for a single text: `token_ids`, `segment_ids`,
        `padding_mask` `(batch, sequence)`, as of `TextClassifierPreprocessor`; `entity_positions`
        `(batch, 2)`, where in its row the opening marks stand; 0 for an entity that is not there,
        or too far from the other.

    Raises:
        ValueError: `sequence_length` is less than 6.
        InvalidArgumentError: the spans of a text are empty, overlap or lie outside of it.

    Example:
        >>> from keras_bert.text import BertTokenizer
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fire", "makes", "heat"]
        >>> preprocess = RelationPreprocessor(BertTokenizer(vocabulary))
        >>> inputs = preprocess("<e1>Fire</e1> makes <e2>heat</e2>")
        >>> inputs["token_ids"].numpy().tolist(), inputs["entity_positions"].numpy().tolist()
        ([2, 8, 5, 9, 6, 10, 7, 11, 3], [1, 5])
    """

    def __init__(self, tokenizer, sequence_length=128, pad_to_sequence_length=False):
        super().__init__(with_markers(tokenizer), sequence_length, pad_to_sequence_length)
        if sequence_length < 2 + len(MARKERS):
            raise ValueError(
                "sequence_length must be at least 6, for [CLS], [SEP] and the marks of two "
                f"entities; received {sequence_length}"
            )
        self._marker_ids = [self.tokenizer.token_to_id(token) for token in MARKERS]

    def __call__(self, texts):
        if isinstance(texts, tuple):
            texts = mark_entities(*texts)
        texts = as_strings(texts)
        if texts.shape.rank == 0:
            return {name: values[0] for name, values in self(texts[tf.newaxis]).items()}
        tokens = self._window(self.tokenizer(texts))
        packed = self._pack(tokens)
        first, _, second, _ = (_first_place(packed["token_ids"], i) for i in self._marker_ids)
        packed["entity_positions"] = tf.stack([first, second], axis=1)
        return packed

    def uncut_lengths(self, texts):
        """Tokens that the rows of a batch would have if none were cut, int64 `(batch,)`.

        Args:
            texts: as of a call, of a batch.
        """
        texts = mark_entities(*texts) if isinstance(texts, tuple) else texts
        return self.tokenizer(texts).row_lengths() + 2

    def _window(self, tokens):
        """The part of each row that holds its entities."""
        room = self.sequence_length - 2
        dense = tokens.to_tensor(self.tokenizer.pad_id)
        is_marker = tf.reduce_any(dense[:, :, tf.newaxis] == self._marker_ids, axis=2)
        places = tf.range(tf.shape(dense)[1])
        none = tf.shape(dense)[1]
        first = tf.reduce_min(tf.where(is_marker, places, none), axis=1)
        last = tf.reduce_max(tf.where(is_marker, places, -1), axis=1)
        # From the beginning, if the last mark is within reach; else from the first mark on.
        start = tf.cast(tf.where(last < room, 0, first), tokens.row_splits.dtype)
        places = tf.ragged.range(tokens.row_lengths())
        kept = places.flat_values >= tf.gather(start, places.value_rowids())
        return packing.keep(tokens, kept)


def with_markers(tokenizer):
    """The tokenizer with the marks among its added tokens: itself, where it has them."""
    if all(token in tokenizer.added_tokens for token in MARKERS):
        return tokenizer
    present = set(tokenizer.vocabulary)
    vocabulary = [*tokenizer.vocabulary, *(token for token in MARKERS if token not in present)]
    added = {**tokenizer.added_tokens, **dict.fromkeys(MARKERS, False)}
    return type(tokenizer)(vocabulary, **{**tokenizer.options, "added_tokens": added})


def mark_entities(texts, spans):
    """Puts the marks around two entities of each text, in the graph.

    Args:
        texts: str, list of str or string tensor of rank 0 or 1.
        spans: int `(batch, 2, 2)`, or `(2, 2)` for a single text: first character and end
            (exclusive) of the first and of the second entity, which may stand in any order.

    Returns:
        String tensor of the shape of `texts`.

    Raises:
        InvalidArgumentError: spans are empty, overlap or lie outside of their text.

    Example:
        >>> mark_entities("Fire makes heat", [[0, 4], [11, 15]]).numpy().decode()
        '<e1>Fire</e1> makes <e2>heat</e2>'
    """
    texts, spans = as_strings(texts), tf.cast(spans, tf.int32)
    if texts.shape.rank == 0:
        return mark_entities(texts[tf.newaxis], spans[tf.newaxis])[0]
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")  # characters can be counted
    # Boundaries in the order of the text: (batch, 4).
    second_first = spans[:, 1, 0] < spans[:, 0, 0]
    ordered = tf.where(second_first[:, tf.newaxis, tf.newaxis], spans[:, ::-1], spans)
    cuts = tf.reshape(ordered, [-1, 4])
    length = tf.strings.length(texts, unit="UTF8_CHAR")
    steps = tf.concat([cuts[:, 1:], length[:, tf.newaxis]], axis=1) - cuts
    is_good = (cuts[:, 0] >= 0) & tf.reduce_all(steps >= [1, 0, 1, 0], axis=1)
    check = tf.debugging.Assert(
        tf.reduce_all(is_good),
        ["expected two spans that are not empty, do not overlap and lie in their text", spans],
    )
    with tf.control_dependencies([check] if check is not None else []):
        cuts = tf.identity(cuts)
    edges = tf.concat([tf.zeros_like(cuts[:, :1]), cuts, length[:, tf.newaxis]], axis=1)
    parts = [
        tf.strings.substr(texts, edges[:, i], edges[:, i + 1] - edges[:, i], unit="UTF8_CHAR")
        for i in range(5)
    ]
    marks = tf.where(second_first[:, tf.newaxis], [[*MARKERS[2:], *MARKERS[:2]]], [[*MARKERS]])
    joined = [parts[0]]
    for i in range(4):
        joined += [marks[:, i], parts[i + 1]]
    return tf.strings.join(joined)


def _first_place(token_ids, token):
    """Where a token first stands in each row, int32 `(batch,)`; 0 where it does not."""
    length = tf.shape(token_ids)[1]
    from_end = tf.where(token_ids == token, length - tf.range(length), 0)
    largest = tf.maximum(tf.reduce_max(from_end, axis=1), 0)  # a batch of no tokens has none
    return tf.where(largest > 0, length - largest, 0)
