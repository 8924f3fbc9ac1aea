"""A source text and the target after it, as a sequence-to-sequence model reads them."""

import tensorflow as tf

from keras_bert.text import packing
from keras_bert.text.detokenizer import Detokenizer
from keras_bert.text.preprocessors import Preprocessor, first_row
from keras_bert.text.tokenizer import as_strings

_OUTPUT = "seq2seq"


class Seq2SeqPreprocessor(Preprocessor):
    """Makes of source texts, alone or with their targets, what `BertSeq2SeqLM` reads; and back.

    Source: Dong et al. 2019, https://arxiv.org/abs/1905.03197: a row is
    `[CLS] source [SEP] target [SEP]`.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row, special ones included. Default 128.
        target_length: int, most tokens of a target, with the [SEP] that ends it, to learn and to
            write. A source has the rest of the row, with its [CLS] and [SEP]. Longer ones are cut
            at their ends. Default: half of `sequence_length`.
        pad_to_sequence_length: bool, pad to `sequence_length` (sources alone: to their share of it;
            labels to `target_length`) and not to the batch's longest row. Default False.

    Call arguments:
        texts: sources, str, list of str or string tensor of rank 0 or 1; or a tuple (sources,
            targets) of two such.

    Returns of a call, without `batch` for single texts:
        For sources alone the inputs to write from, a dict of int32 `(batch, sequence)`:
            `token_ids`; `segment_ids`, all 0; `padding_mask`, 1 = real token, 0 = padding.
        For sources with targets a tuple of three dicts, to learn from: the inputs, with the
            targets in segment 1 and `target_positions`, int32 `(batch, targets)`, the places whose
            next token is to be predicted, unused slots 0; `{"seq2seq": labels}`, int32
            `(batch, targets)`, the next tokens, the [SEP] last; `{"seq2seq": weights}`, float32
            `(batch, targets)`, 1.0, and 0.0 for unused slots.

    Raises:
        ValueError: a length leaves no room for a token; sources and targets differ in number.

    Example:
        >>> from keras_bert.text import BertTokenizer
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "eins"]
        >>> preprocess = Seq2SeqPreprocessor(BertTokenizer(vocabulary), sequence_length=8)
        >>> preprocess("one two")["token_ids"].numpy().tolist()
        [2, 5, 6, 3]
        >>> inputs, labels, weights = preprocess(("one two", "eins"))
        >>> inputs["token_ids"].numpy().tolist(), inputs["target_positions"].numpy().tolist()
        ([2, 5, 6, 3, 7, 3], [3, 4])
        >>> labels["seq2seq"].numpy().tolist()
        [7, 3]
    """

    kept = (*Preprocessor.kept, "target_length")

    def __init__(
        self, tokenizer, sequence_length=128, target_length=None, pad_to_sequence_length=False
    ):
        super().__init__(tokenizer, sequence_length, pad_to_sequence_length)
        if target_length is None:
            target_length = sequence_length // 2
        is_int = isinstance(target_length, int) and not isinstance(target_length, bool)
        if not is_int or not 2 <= target_length <= sequence_length - 3:
            raise ValueError(
                "target_length must be an int of at least 2, one token and [SEP], and leave 3 of "
                f"sequence_length={sequence_length} to the source; received {target_length!r}"
            )
        self.target_length = target_length
        self.detokenize = Detokenizer(tokenizer)

    @property
    def source_length(self):
        """int, most tokens of a source, with its [CLS] and [SEP]."""
        return self.sequence_length - self.target_length

    def settings(self):
        """As of `Preprocessor`, without a length that follows from `sequence_length`."""
        settings = super().settings()
        if self.target_length == self.sequence_length // 2:
            del settings["target_length"]
        return settings

    def __call__(self, texts):
        if not isinstance(texts, tuple):
            texts = as_strings(texts)
            if texts.shape.rank == 0:
                return first_row(self(texts[tf.newaxis]))
            return self.pack_sources(self.tokenizer(texts))
        if len(texts) != 2:
            raise ValueError(f"expected (sources, targets); received {len(texts)} parts")
        sources, targets = (as_strings(part) for part in texts)
        if not sources.shape.is_compatible_with(targets.shape):
            raise ValueError(
                "expected as many sources as targets; received shapes "
                f"{sources.shape} and {targets.shape}"
            )
        if sources.shape.rank == 0:
            batch = self((sources[tf.newaxis], targets[tf.newaxis]))
            return tuple(map(first_row, batch))
        return self.pack_rows(self.tokenizer(sources), self.tokenizer(targets))

    def pack_sources(self, sources):
        """The inputs to write from, as of a call, from tokens.

        Args:
            sources: int32 `tf.RaggedTensor` `(batch, tokens)`, without special tokens.
        """
        return packing.pack(
            sources,
            None,
            cls_id=self.tokenizer.cls_id,
            sep_id=self.tokenizer.sep_id,
            pad_id=self.tokenizer.pad_id,
            sequence_length=self.source_length,
            pad_to_sequence_length=self.pad_to_sequence_length,
        )

    def pack_rows(self, sources, targets):
        """Inputs, labels and weights to learn from, as of a call, from tokens.

        Args:
            sources, targets: int32 `tf.RaggedTensor` `(batch, tokens)`, without special tokens.
        """
        tokenizer, rows = self.tokenizer, sources.nrows()
        sources = sources[:, : self.source_length - 2]
        cls, sep = (tf.fill([rows, 1], i) for i in (tokenizer.cls_id, tokenizer.sep_id))
        labels = tf.concat([targets[:, : self.target_length - 1], sep], axis=1)
        ids = tf.concat([cls, sources, sep, labels], axis=1)
        width, slots = None, None
        if self.pad_to_sequence_length:
            width, slots = self.sequence_length, self.target_length
        token_ids = ids.to_tensor(tokenizer.pad_id, shape=[None, width])
        places = tf.range(tf.shape(token_ids)[1])
        lengths = tf.cast(ids.row_lengths(), tf.int32)[:, tf.newaxis]
        first = tf.cast(sources.row_lengths(), tf.int32)[:, tf.newaxis] + 2
        is_real = places < lengths
        # From the source's [SEP] on, as many as there are labels.
        label_ids = labels.to_tensor(0, shape=[None, slots])
        count = tf.cast(labels.row_lengths(), tf.int32)[:, tf.newaxis]
        slots = tf.range(tf.shape(label_ids)[1])
        is_used = slots < count
        inputs = {
            "token_ids": token_ids,
            "segment_ids": tf.cast(is_real & (places >= first), tf.int32),
            "padding_mask": tf.cast(is_real, tf.int32),
            "target_positions": tf.where(is_used, first - 1 + slots, 0),
        }
        return inputs, {_OUTPUT: label_ids}, {_OUTPUT: tf.cast(is_used, tf.float32)}
