"""The pretraining stream: text files in, batches of masked pairs out, in bounded memory.

One order of steps: read and shuffle windows, pool the documents of a block, pair, shuffle the
block's examples, pack, mask, batch, prefetch. No step keeps a state: everything random is keyed by
(seed, purpose, epoch, block), so a place in the stream is three plain numbers, and going on from
it costs one block.
"""

import inspect
import itertools
import numbers
from bisect import bisect_right

import numpy as np
import tensorflow as tf

from keras_bert.data.ahead import in_order
from keras_bert.data.blocks import Counts
from keras_bert.data.corpus import Corpus
from keras_bert.data.documents import FORMATS, count_documents
from keras_bert.data.examples import ExampleMaker
from keras_bert.data.position import Position
from keras_bert.data.words import jieba_continuations
from keras_bert.text.masking import check_masking, default_selection_length

PAIRS = ("nsp", "sop", "none")


def pretraining(files, tokenizer, **settings):
    """A `tf.data.Dataset` of pretraining batches, made from text files on the fly.

    The settings are those of `PretrainingStream`, which says more about the stream itself. The
    dataset has one more attribute, `stream`: the `PretrainingStream` it reads, with its counts and
    with the place in the data after so many batches.

    Args:
        files: str, path-like, or a list of these: paths and globs, `.gz` or plain.
        tokenizer: a `keras_bert.BertTokenizer`.
        **settings: keyword arguments of `PretrainingStream`; an unknown one raises a TypeError.

    Returns:
        A `tf.data.Dataset` of `(inputs, labels, sample_weights)`, see `PretrainingStream`;
        endless unless `epochs` is given.

    Raises:
        FileNotFoundError, ValueError: as `PretrainingStream`.

    Example:
        >>> import pathlib, tempfile, keras_bert as kb
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "corpus.txt"
        >>> _ = path.write_text("a b c\\nb c a\\n\\nc c\\nb a\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> data = kb.data.pretraining(path, tokenizer, sequence_length=16, batch_size=4)
        >>> inputs, labels, sample_weights = next(iter(data))
        >>> inputs["token_ids"].shape, labels["next_sentence"].shape
        (TensorShape([4, 16]), TensorShape([4]))

        A model trains on it with `model.fit(data, steps_per_epoch=1_000, epochs=10)`, and goes on
        from where it stood with `start=data.stream.position_after(batches=10_000)`.
    """
    return PretrainingStream(files, tokenizer, **settings).dataset()


class PretrainingStream:
    """Batches of masked sentence pairs from text files, the same for the same seed anywhere.

    Text is read in windows of `window_bytes`, in an order drawn anew for each epoch. About
    `block_windows` of them make a block, whose documents are pooled: random second segments come
    from other documents of the block, and its examples are shuffled among each other. Threads make
    blocks ahead; how many has no influence on what is made.

    Args:
        files: str, path-like, or a list of these: paths and globs, `.gz` or plain. An empty line
            ends a document, and so does the end of a file.
        tokenizer: a `keras_bert.BertTokenizer`.
        sequence_length: int, tokens in a row, special tokens included; 128.
        batch_size: int, rows in a batch; 256. Batches run across the ends of blocks and epochs.
        seed: int, decides all randomness; 0.
        start: where to begin: a `Position`, or the three numbers of one as list or dict, at the
            cost of one block at most; or an int, batches to pass over, whose text is read and
            tokenized again. None is the beginning.
        epochs: int, passes over the text, those before `start` included; None is endless.
        pairs: str; `"nsp"`, next-sentence pairs as in BERT; `"sop"`, sentence-order pairs as in
            ALBERT; `"none"`, single segments of full sentences as in RoBERTa.
        masking: str, what is masked as a whole: `"token"`, `"whole_word"` or `"span"`.
        mask_selection_rate: float, share of the tokens to be guessed; 0.15.
        mask_selection_length: int, slots for masks; by default `ceil(rate * sequence_length)`,
            20 for 128.
        mask_token_rate: float, share of the masks that read `[MASK]`; 0.8.
        random_token_rate: float, share of the masks that read another token; 0.1.
        short_sequence_rate: float, share of pairs with a shorter target length; 0.1. Without
            pairs there are no short ones.
        format: str; `"sentences"`, one on each line, or `"prose"`, running text whose sentences
            are split by `kb.text.split_sentences`.
        word_segmenter: str; `"jieba"` finds the words of Chinese for `"whole_word"` and `"span"`;
            None takes "##" pieces alone.
        drop_remainder: bool, whether a last batch that is not full is dropped; False.
        window_bytes: int, text read at a time, after decompressing; 1 MiB.
        block_windows: int, windows in a block; 8. More shuffle further and take more memory,
            about 25 times the text of a block.
        workers: int, threads that make blocks, and blocks made ahead; 2.

    Attributes:
        corpus: the `keras_bert.data.corpus.Corpus` read.
        start: `Position` of the first example.
        counts: `Counts` of documents, sentences, tokens and so on, and of what was skipped.

    Batches are `(inputs, labels, sample_weights)`:

    | | key | dtype | shape | |
    |---|---|---|---|---|
    | inputs | `token_ids` | int32 | `(batch, sequence_length)` | |
    | | `segment_ids` | int32 | `(batch, sequence_length)` | 1 = second segment |
    | | `padding_mask` | int32 | `(batch, sequence_length)` | 1 = real token |
    | | `mask_positions` | int32 | `(batch, masks)` | ascending, unused 0 |
    | labels | `masked_lm` | int32 | `(batch, masks)` | the tokens that stood there, unused 0 |
    | | `next_sentence` | int32 | `(batch,)` | **0 = next (in order), 1 = random (swapped)** |
    | weights | `masked_lm` | float32 | `(batch, masks)` | 1.0, unused 0.0 |
    | | `next_sentence` | float32 | `(batch,)` | 1.0 |

    With `pairs="none"`, `segment_ids` are 0 and there is no `next_sentence`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: no text, one document only for `"nsp"`, a damaged `.gz` file, a setting out of
            range, or a `start` that this corpus does not have or that leaves nothing of `epochs`.

    Example:
        >>> import pathlib, tempfile, keras_bert as kb
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "corpus.txt"
        >>> _ = path.write_text("a b c\\nb c a\\n\\nc c\\nb a\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> stream = PretrainingStream(path, tokenizer, sequence_length=16, epochs=1, pairs="none")
        >>> [inputs["token_ids"].shape for inputs, labels, sample_weights in stream.batches()]
        [(1, 16)]
        >>> stream.counts.documents, stream.counts.tokens, stream.position_after(1)
        (2, 10, Position(epoch=1, block=0, offset=0))
    """

    def __init__(
        self,
        files,
        tokenizer,
        *,
        sequence_length=128,
        batch_size=256,
        seed=0,
        start=None,
        epochs=None,
        pairs="nsp",
        masking="token",
        mask_selection_rate=0.15,
        mask_selection_length=None,
        mask_token_rate=0.8,
        random_token_rate=0.1,
        short_sequence_rate=0.1,
        format="sentences",
        word_segmenter=None,
        drop_remainder=False,
        window_bytes=1 << 20,
        block_windows=8,
        workers=2,
    ):
        _check_choice("pairs", pairs, PAIRS)
        _check_choice("format", format, FORMATS)
        _check_choice("word_segmenter", word_segmenter, (None, "jieba"))
        check_masking(masking, mask_selection_rate, mask_token_rate, random_token_rate)
        _check_least("sequence_length", sequence_length, 8)
        _check_least("batch_size", batch_size, 1)
        _check_least("block_windows", block_windows, 1)
        _check_least("workers", workers, 1)
        _check_least("seed", seed, 0)
        if epochs is not None:
            _check_least("epochs", epochs, 1)
        if mask_selection_length is not None:
            _check_least("mask_selection_length", mask_selection_length, 1)
        if not 0 <= short_sequence_rate <= 1:
            raise ValueError(f"short_sequence_rate is {short_sequence_rate}; expected 0 to 1.")
        self.batch_size = batch_size
        self.epochs = epochs
        self.pairs = pairs
        self.sequence_length = sequence_length
        self.drop_remainder = drop_remainder
        self.workers = workers
        self.mask_selection_length = mask_selection_length or default_selection_length(
            mask_selection_rate, sequence_length
        )
        self.corpus = Corpus(files, window_bytes)
        self._check_documents()
        reading = {"format": format}
        if format == "prose":
            from keras_bert.text.sentences import split_sentences

            reading["split_sentences"] = split_sentences
        if word_segmenter == "jieba":
            reading["continuations"] = jieba_continuations(tokenizer)
        self._maker = ExampleMaker(
            self.corpus,
            tokenizer,
            block_bytes=block_windows * window_bytes,
            seed=int(seed),
            sequence_length=sequence_length,
            pairs=pairs,
            short_sequence_rate=short_sequence_rate,
            masking={
                "unit": masking,
                "mask_selection_rate": mask_selection_rate,
                "mask_selection_length": self.mask_selection_length,
                "mask_token_rate": mask_token_rate,
                "random_token_rate": random_token_rate,
            },
            reading=reading,
        )
        self.start = self._find(start)
        if epochs is not None and self.start.epoch >= epochs:
            raise ValueError(
                f"start={start!r} lies in epoch {self.start.epoch}, counted from 0, but epochs="
                f"{epochs} ends before it: nothing is left. Begin earlier, or ask for "
                f"{self.start.epoch + 1} or more epochs."
            )
        # Blocks in the order of the stream: their places and counts, and the examples before each,
        # counted from the beginning of the first one.
        self._places, self._counts, self._examples_before = [], [], [0]
        self._is_exhausted = False

    @property
    def counts(self):
        """`Counts` of the blocks whose examples were handed on so far, whole blocks each."""
        total = Counts()
        for counts in self._counts:
            total = total.plus(counts)
        return total

    def position_after(self, batches):
        """The place in the data after so many batches of this stream: where to `start` next.

        Args:
            batches: int, batches trained on since the start of the stream. `tf.data` makes some
                ahead; these do not count.

        Returns:
            A `Position`: plain numbers, to be kept beside the weights.

        Raises:
            ValueError: the stream has not handed on that many batches.
        """
        passed, made = self.start.offset + batches * self.batch_size, self._examples_before[-1]
        if self._is_exhausted:
            # The last batch of a finite stream may be less than full.
            passed = min(passed, made)
        if batches and not 0 < passed <= made:
            raise ValueError(
                f"position_after({batches}): since its start the stream has handed on "
                f"{max(0, made - self.start.offset)} examples in batches of {self.batch_size}."
            )
        if not batches:
            return self.start
        block = bisect_right(self._examples_before, passed) - 1
        if block == len(self._places):
            epoch, last = self._places[-1]
            is_last = last + 1 == self._maker.num_blocks
            return Position(epoch + 1, 0, 0) if is_last else Position(epoch, last + 1, 0)
        return Position(*self._places[block], passed - self._examples_before[block])

    def batches(self):
        """Yields the batches as NumPy arrays; each call begins anew at `start`."""
        left, idle = None, 0
        first = self.start

        def make(epoch, block):
            offset = first.offset if (epoch, block) == first[:2] else 0
            return self._maker.make(epoch, block, offset)

        for number, (place, (examples, counts)) in enumerate(self._in_order(make, first)):
            if number == len(self._places):
                self._places.append(place)
                self._counts.append(counts)
                self._examples_before.append(self._examples_before[-1] + counts.examples)
            idle = 0 if counts.examples else idle + 1
            self._check_idle(idle)
            if left is not None:
                examples = {
                    name: np.concatenate([left[name], array]) for name, array in examples.items()
                }
            rows = len(examples["token_ids"])
            whole = rows - rows % self.batch_size
            for begin in range(0, whole, self.batch_size):
                yield self._element(examples, begin, begin + self.batch_size)
            left = {name: array[whole:].copy() for name, array in examples.items()}
        self._is_exhausted = True
        if left is not None and len(left["token_ids"]) and not self.drop_remainder:
            yield self._element(left, 0, self.batch_size)

    def dataset(self):
        """The batches as a `tf.data.Dataset`, which has this stream as its attribute `stream`."""
        batch = self.batch_size if self.epochs is None or self.drop_remainder else None
        row = [batch, self.sequence_length]
        masks = [batch, self.mask_selection_length]
        inputs = dict.fromkeys(("token_ids", "segment_ids", "padding_mask"), row)
        inputs["mask_positions"] = masks
        labels = {"masked_lm": masks}
        if self.pairs != "none":
            labels["next_sentence"] = [batch]
        signature = (
            {name: tf.TensorSpec(shape, tf.int32) for name, shape in inputs.items()},
            {name: tf.TensorSpec(shape, tf.int32) for name, shape in labels.items()},
            {name: tf.TensorSpec(shape, tf.float32) for name, shape in labels.items()},
        )
        dataset = tf.data.Dataset.from_generator(self.batches, output_signature=signature)
        if self.epochs is None:
            dataset = dataset.apply(
                tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            )
        dataset = dataset.prefetch(4)
        dataset.stream = self
        return dataset

    def _element(self, examples, begin, end):
        """The batch of examples `begin` to `end`: `(inputs, labels, sample_weights)`."""
        batch = {name: array[begin:end] for name, array in examples.items()}
        labels = {"masked_lm": batch.pop("mask_ids")}
        weights = {"masked_lm": batch.pop("mask_weights")}
        if self.pairs != "none":
            labels["next_sentence"] = batch.pop("next_sentence_labels")
            weights["next_sentence"] = np.ones(len(labels["next_sentence"]), np.float32)
        return batch, labels, weights

    def _in_order(self, function, start):
        """Yields `((epoch, block), function(epoch, block))` for all blocks from a place on."""
        epochs = (
            itertools.count(start.epoch) if self.epochs is None else range(start.epoch, self.epochs)
        )
        places = (
            (epoch, block)
            for epoch in epochs
            for block in range(start.block if epoch == start.epoch else 0, self._maker.num_blocks)
        )
        return in_order(function, places, self.workers)

    def _find(self, start):
        """The `Position` that the argument `start` means."""
        if start is None:
            return Position(0, 0, 0)
        if isinstance(start, numbers.Integral):
            return self._pass_over(int(start))
        start = Position.of(start)
        if min(start) < 0 or start.block >= self._maker.num_blocks:
            raise ValueError(
                f"start is {start}; this corpus has blocks 0 to {self._maker.num_blocks - 1} in an "
                "epoch. Is it another corpus, or another window_bytes or block_windows?"
            )
        return start

    def _pass_over(self, batches):
        """The position after so many batches from the beginning, found by planning alone."""
        if batches < 0:
            raise ValueError(f"start is {batches}; expected at least 0 batches.")
        left, idle = batches * self.batch_size, 0

        def count(epoch, block):
            return self._maker.plan(epoch, block)[0].counts.examples

        for place, examples in self._in_order(count, Position(0, 0, 0)):
            if left < examples:
                return Position(*place, left)
            left -= examples
            idle = 0 if examples else idle + 1
            self._check_idle(idle)
        return Position(self.epochs, 0, 0)

    def _check_idle(self, blocks):
        """An endless stream that finds nothing to hand on would never come back."""
        if blocks >= self._maker.num_blocks:
            raise ValueError(
                f"{_names(self.corpus.paths)}: a whole pass over the text made no example. It "
                f"holds no token, or no document has text enough for pairs={self.pairs!r}."
            )

    def _check_documents(self):
        needed = 2 if self.pairs == "nsp" else 1
        found = count_documents(self.corpus, needed)
        if found == 0:
            raise ValueError(f"{_names(self.corpus.paths)}: no text, only white space.")
        if found < needed:
            raise ValueError(
                f"{_names(self.corpus.paths)}: all the text is one document, and pairs='nsp' draws "
                "random second segments from another one. Separate the documents by empty lines, "
                "or use pairs='sop' or pairs='none'."
            )


# Help and completion show the settings, not `**settings`.
pretraining.__signature__ = inspect.signature(PretrainingStream)


def _names(paths):
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}.")


def _check_least(name, value, least):
    if not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}.")
