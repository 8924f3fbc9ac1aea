"""Texts written by a sequence-to-sequence model in this process."""

import tensorflow as tf
import tqdm

from keras_bert.checkpoints.preset import check_sequence_length, check_vocabulary
from keras_bert.models.seq2seq_lm import BertSeq2SeqLM
from keras_bert.serving.text_batches import batches_by_length, checked_texts
from keras_bert.text.seq2seq_preprocessor import Seq2SeqPreprocessor
from keras_bert.text.tokenizer import as_strings


class TextGenerator:
    """Writes a target for each source, as `Predictor` does with an exported model.

    Args:
        model: `BertSeq2SeqLM`; its `sampler` chooses among likely tokens.
        preprocess: `Seq2SeqPreprocessor`, the one that it was trained with; its `target_length` is
            the most that is written.

    Call arguments:
        texts: str, or a list of str.
        batch_size: int, most texts at once. Default 32. Texts are sorted by length inside, so that
            batches hold little padding.
        progress: bool, whether a bar is shown. Default False.

    Returns of a call: list of str, in the order of the texts; for a single text a str.

    Raises:
        ValueError: the model or the preprocessor is of another class; they do not fit each other;
            `batch_size` below 1.
        TypeError: something that is no text.

    Example:
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> write = TextGenerator(kb.BertSeq2SeqLM(backbone), kb.Seq2SeqPreprocessor(tokenizer))
        >>> isinstance(write("very good"), str)
        True
    """

    def __init__(self, model, preprocess):
        for value, expected in ((model, BertSeq2SeqLM), (preprocess, Seq2SeqPreprocessor)):
            if not isinstance(value, expected):
                raise ValueError(f"expected a {expected.__name__}; received {type(value).__name__}")
        check_vocabulary(model, preprocess.tokenizer)
        check_sequence_length(model, preprocess)
        self.model, self.preprocess = model, preprocess

        model.find_sampler()  # outside of the graph, for the state of one that draws

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def write(texts):
            tokenizer = preprocess.tokenizer
            found = model.generate(
                preprocess(texts),
                preprocess.target_length,
                tokenizer.sep_id,
                tokenizer.pad_id,
            )
            return preprocess.detokenize(found["token_ids"])

        self._write = write

    def __call__(self, texts, batch_size=32, progress=False):
        if isinstance(texts, str):
            return self([texts], batch_size)[0]
        texts = checked_texts(texts)
        batches = batches_by_length(texts, batch_size)
        answers = [""] * len(texts)
        for places in tqdm.tqdm(batches, unit="batch", leave=False, disable=not progress):
            found = self._write(as_strings([texts[place] for place in places]))
            for place, text in zip(places, found.numpy(), strict=True):
                answers[place] = text.decode("utf-8")
        return answers
