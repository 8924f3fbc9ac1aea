"""Raw text as batches for fine-tuning a masked language model: the pretraining stream by epochs."""

import itertools

import numpy as np
import tensorflow as tf

from keras_bert.data import elements
from keras_bert.data.length_batches import Passes, check_batch_size
from keras_bert.data.stream import PretrainingStream


def masked_lm(
    path,
    preprocess,
    batch_size=32,
    shuffle=True,
    seed=0,
    format="sentences",
    masking="token",
    word_segmenter=None,
):
    """Reads raw text and makes the batches that `BertMaskedLM` learns from, epoch by epoch.

    It is `kb.data.pretraining` without pairs, of known length: rows are full of sentences, 15 % of
    whose tokens are to be guessed. The text is read in bounded memory, one pass more than there
    are epochs, to count its rows.

    Args:
        path: text files, one sentence a line with an empty line between documents; str or
            path-like, a glob, or a list of these; also `.gz` and `.zst`.
        preprocess: `MaskedLMPreprocessor`; its tokenizer and `sequence_length` are used.
        batch_size: int, default 32.
        shuffle: bool; True draws order and masks anew each epoch, by (seed, epoch). False draws
            those of the first epoch each time, to measure. Default True.
        seed: int, default 0.
        format, masking, word_segmenter: as in `kb.data.PretrainingStream`.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`, as of `PretrainingStream` with
        `pairs="none"`. It has the attributes `num_examples` (int, rows), `lengths` (int `(rows,)`,
        tokens), `counts` (`Counts` of documents, sentences and so on), and the method
        `set_epoch(epoch)`: which epoch, from 0, comes next. Its length is known.

    Raises:
        FileNotFoundError, ModuleNotFoundError, ValueError: as `PretrainingStream`.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> path = os.path.join(tempfile.mkdtemp(), "texts.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("a b c\\nb c a\\n\\nc c\\nb a\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> train = kb.data.masked_lm(path, kb.MaskedLMPreprocessor(tokenizer, 16))
        >>> len(train), train.num_examples, train.counts.sentences
        (1, 1, 4)
    """
    check_batch_size(batch_size)

    def stream(**more):
        return PretrainingStream(
            path,
            preprocess.tokenizer,
            sequence_length=preprocess.sequence_length,
            batch_size=batch_size,
            seed=seed,
            pairs="none",
            format=format,
            masking=masking,
            word_segmenter=word_segmenter,
            **more,
        )

    first = stream(epochs=1)
    lengths = [inputs["padding_mask"].sum(axis=1) for inputs, _, _ in first.batches()]
    lengths = np.concatenate(lengths).astype("int64")
    counts, steps = first.counts, -(-len(lengths) // batch_size)
    passes = Passes()

    def batches_from(epoch):
        for number in itertools.count(epoch):
            start = [[number, 0, 0]] * first.lanes
            yield from stream(start=start, epochs=number + 1).batches()

    def generate():
        if not shuffle:
            return first.batches()
        (epoch,) = passes.begin()
        # Where blocks meet otherwise than in the first epoch, a pass may be a batch longer or
        # shorter: what is over is left out, what is missing comes from the next pass.
        return itertools.islice(batches_from(epoch), steps)

    dataset = tf.data.Dataset.from_generator(
        generate,
        output_signature=elements.signature(
            None, preprocess.sequence_length, first.mask_selection_length, False
        ),
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    dataset.num_examples, dataset.lengths, dataset.counts = len(lengths), lengths, counts
    dataset.set_epoch = passes.set_epoch
    return dataset
