"""From raw text to the input of a token classifier, and where its words stand in the text."""

import tensorflow as tf

from keras_bert.text.preprocessors import Preprocessor, first_row
from keras_bert.text.tokenizer import as_strings


class TokenClassifierPreprocessor(Preprocessor):
    """Makes of texts the input of a token classifier, with the places of their words.

    A word is what the tokenizer splits a text into before it looks for pieces: words between
    spaces, each punctuation mark, each Chinese character. Its first piece stands for it.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row, special ones included; longer texts are cut.
            Default 128.
        pad_to_sequence_length: bool, pad to `sequence_length` (static shapes, as XLA and JAX want
            them) and not to the longest row of the batch. Default False.

    Call arguments:
        texts: str, list of str or string tensor of rank 0 or 1.
        predicates: for semantic roles, the place of the predicate they are of, int `(batch, 2)`:
            first character and the one behind the last; `(2,)` for a single text. Default None.

    Returns of a call:
        Dict of int32 tensors `(batch, sequence)`, without `batch` for a single text: `token_ids`;
        `segment_ids` (1 = piece of the predicate, 0 = any other); `padding_mask` (1 = real token,
        0 = padding).

    Raises:
        ValueError: `sequence_length` is less than 3.

    Example:
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "sing", "##s", "."]
        >>> preprocess = TokenClassifierPreprocessor(BertTokenizer(vocabulary))
        >>> preprocess("Ann sings.", (4, 9))["segment_ids"].numpy().tolist()
        [0, 0, 1, 1, 0, 0]
        >>> inputs, words = preprocess.with_words("Ann sings.")
        >>> words["mask"].numpy().tolist(), words["ends"].numpy().tolist()
        ([0, 1, 1, 0, 1, 0], [0, 3, 9, 0, 10, 0])
    """

    def __call__(self, texts, predicates=None):
        return self.with_words(texts, predicates)[0]

    def with_words(self, texts, predicates=None):
        """The result of a call, and the words of each row; works in a graph too.

        Args:
            texts, predicates: as for a call.

        Returns:
            inputs: as a call returns them.
            words: dict of int32 tensors, of the shape of the inputs: `mask` (1 = first piece of a
                word, 0 = all else); `starts` and `ends`, at first pieces the characters of the raw
                text between which the whole word stands, `text[start:end]`, elsewhere 0. And
                `cut`, int32 `(batch,)`, how many pieces of a text were cut off.
        """
        texts = as_strings(texts)
        if texts.shape.rank == 0:
            if predicates is not None:
                predicates = tf.convert_to_tensor(predicates, tf.int32)[tf.newaxis]
            batch = self.with_words(texts[tf.newaxis], predicates)
            return tuple(map(first_row, batch))
        ids, starts, ends = self.tokenizer.tokenize_with_offsets(texts)
        inputs = self._pack(ids)
        width = self.sequence_length if self.pad_to_sequence_length else None
        room = self.sequence_length - 2

        def place(values):
            """Values of pieces, where `_pack` puts their ids."""
            special = tf.zeros([ids.nrows(), 1], tf.int32)
            rows = ids.with_flat_values(tf.cast(values, tf.int32))[:, :room]
            return tf.concat([special, rows, special], axis=1).to_tensor(shape=[None, width])

        is_first = ~tf.gather(tf.constant(self.tokenizer.is_continuation), ids.flat_values)
        word = tf.cumsum(tf.cast(is_first, tf.int32)) - 1
        word_ends = tf.gather(tf.math.segment_max(ends.flat_values, word), word)
        cut = tf.cast(ids.row_lengths(), tf.int32) - room
        words = {
            "mask": place(is_first),
            "starts": place(tf.where(is_first, starts.flat_values, 0)),
            "ends": place(tf.where(is_first, word_ends, 0)),
            "cut": tf.maximum(cut, 0),
        }
        if predicates is not None:
            predicates = tf.cast(predicates, tf.int32)
            first, last = (tf.gather(predicates[:, i], ids.value_rowids()) for i in (0, 1))
            overlaps = (starts.flat_values < last) & (ends.flat_values > first)
            inputs["segment_ids"] = place(overlaps)
        return inputs, words
