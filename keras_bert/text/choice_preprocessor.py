"""A text with several choices to go on or to answer, as a multiple-choice model reads them."""

import tensorflow as tf

from keras_bert.text import packing
from keras_bert.text.preprocessors import Preprocessor
from keras_bert.text.tokenizer import as_strings


class MultipleChoicePreprocessor(Preprocessor):
    """Makes of texts, each with choices, the input of `BertMultipleChoice`.

    Source: google-research/bert, section 4.4 of Devlin et al. 2018: a row is the text and one of
    the choices, as a pair.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a text with one of its choices, special ones
            included; the longer of the two is cut first. Default 128.
        pad_to_sequence_length: bool, as in `TextClassifierPreprocessor`.

    Call arguments: a tuple of
        texts: str, list of str or string tensor of rank 0 or 1.
        choices: list of str, or list of lists of str, or string tensor `(batch, choices)`; each
            text of a batch has as many.

    Returns of a call:
        Dict of int32 tensors `(batch, choices, sequence)`, without `batch` for a single text:
        `token_ids`; `segment_ids` (0 = text and padding, 1 = choice); `padding_mask` (1 = real
        token, 0 = padding).

    Raises:
        ValueError: `sequence_length` is less than 4; the texts have different numbers of choices.

    Example:
        >>> from keras_bert.text import BertTokenizer
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "red"]
        >>> preprocess = MultipleChoicePreprocessor(BertTokenizer(vocabulary))
        >>> preprocess(("one", ["two", "red red"]))["token_ids"].numpy().tolist()
        [[2, 5, 3, 6, 3, 0], [2, 5, 3, 7, 7, 3]]
    """

    def __init__(self, tokenizer, sequence_length=128, pad_to_sequence_length=False):
        packing.check_length(sequence_length, is_pair=True)
        super().__init__(tokenizer, sequence_length, pad_to_sequence_length)

    def __call__(self, texts):
        text, choices = texts
        text = as_strings(text)
        if text.shape.rank == 0:
            batch = self((text[tf.newaxis], as_strings(choices)[tf.newaxis]))
            return {name: values[0] for name, values in batch.items()}
        first, second, shape = _flat(text, choices)
        packed = self._pack(self.tokenizer(first), self.tokenizer(second))
        width = self.sequence_length if self.pad_to_sequence_length else None
        result = {}
        for name, value in packed.items():
            value = tf.reshape(value, tf.concat([shape, [tf.shape(value)[1]]], axis=0))
            result[name] = tf.ensure_shape(value, [None, None, width])
        return result

    def uncut_lengths(self, texts):
        """Tokens that rows would have if none were cut, int64 `(batch, choices)`.

        Args:
            texts: as of a call, of a batch.
        """
        first, second, shape = _flat(*texts)
        lengths = self.tokenizer(first).row_lengths() + self.tokenizer(second).row_lengths() + 3
        return tf.reshape(lengths, shape)


def _flat(text, choices):
    """Texts and choices, a row a choice, string `(batch * choices,)`; and `(batch, choices)`."""
    if isinstance(choices, (list, tuple)) and len({len(row) for row in choices}) > 1:
        raise ValueError(
            "each text of a batch needs as many choices; received "
            f"{sorted({len(row) for row in choices})}"
        )
    choices = tf.convert_to_tensor(choices, tf.string)
    shape = tf.shape(choices)
    return tf.repeat(as_strings(text), shape[1]), tf.reshape(choices, [-1]), shape
