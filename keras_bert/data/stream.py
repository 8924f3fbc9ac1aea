"""The pretraining stream: text files in, batches of masked pairs out, in bounded memory.

One order of steps: read and shuffle windows, pool the documents of a block, pair, shuffle the
block's examples, pack, mask, batch, prefetch. No step keeps a state: everything random is keyed by
(seed, purpose, epoch, lane, block), so a place in the stream is three plain numbers for each lane,
and going on from it costs one block of each.
"""

import copy
import inspect

import tensorflow as tf

from keras_bert.data import elements, fingerprint
from keras_bert.data.corpus import open_corpus
from keras_bert.data.deal import Deal
from keras_bert.data.documents import FORMATS, count_documents
from keras_bert.data.duplicates import Duplicates
from keras_bert.data.examples import ExampleMaker
from keras_bert.data.lanes import Lanes
from keras_bert.data.mixture import sources_of
from keras_bert.data.selection import PARTS, Selection
from keras_bert.data.service import ServiceBlocks, describe
from keras_bert.data.settings import (
    check_choice,
    check_least,
    check_shards,
    check_share,
    choose_lanes,
)
from keras_bert.data.starting import find_start
from keras_bert.data.words import jieba_continuations
from keras_bert.text.masking import check_masking, default_selection_length

PAIRS = ("nsp", "sop", "none")


def pretraining(files, tokenizer, **settings):
    """A `tf.data.Dataset` of pretraining batches, made from text files on the fly.

    The settings are those of `PretrainingStream`, which says more about the stream itself. The
    dataset has one more attribute, `stream`: the `PretrainingStream` it reads, with its counts and
    with the place in the data after so many batches.

    Args:
        files: str, path-like, or a list of these, or a dict of them to weights: paths and globs;
            `.gz`, `.zst` or plain; or folders that `keras-bert prepare` wrote.
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

    Text is read in windows of `window_bytes`, in an order drawn anew for each epoch, and dealt out
    to lanes: independent sequences of blocks, from which every batch takes as many rows each. The
    documents of a block are pooled: random second segments come from other documents of the block,
    and its examples are shuffled among each other. Threads make blocks ahead, and several readers
    may share the batches by their rows; neither has an influence on what is made.

    Args:
        files: str, path-like, or a list of these: paths and globs; `.gz`, `.zst` or plain. An empty
            line ends a document, and so does the end of a file. A dict of these (a list as a tuple)
            to weights greater than 0 mixes corpora: an epoch has as many bytes as all together,
            shared by weight; a corpus of small weight takes several epochs to come around. Or
            folders that `keras-bert prepare` wrote, with the same `tokenizer`; then `format` and
            `window_bytes` are those of the preparation, and nothing can be held out or dropped.
        tokenizer: a `keras_bert.BertTokenizer`.
        sequence_length: int, tokens in a row, special tokens included; 128.
        batch_size: int, rows in a batch; 256. Batches run across the ends of blocks and epochs.
        seed: int, decides all randomness; 0.
        start: where to begin: a `Position`, or its plain numbers, at the cost of one block of each
            lane at most; or an int, batches to pass over, whose text is read and tokenized again.
            None is the beginning.
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
        held_out_rate: float, share of the documents that are held out, by a hash of their first
            line; 0. Two streams with the same rate have each document in one of them, duplicates
            on the same side.
        part: str, which of the two is read: `"train"` or `"held_out"`.
        drop_duplicates: bool, whether documents are left out that are equal, but for white space,
            to one before; False. It takes a pass over the text at the start, and counts in
            `counts.duplicates`.
        drop_remainder: bool, whether a last batch that is not full is dropped; False.
        lanes: int, a divisor of `batch_size`; by default 1 for less than about 32 MB of text, else
            up to 8. With `num_shards` a divisor of the lanes, no two readers read the same text.
        window_bytes: int, text read at a time, after decompressing; 128 KiB.
        block_windows: int, windows in the blocks of all lanes that are open at a time; 64, so
            8 MiB. More shuffle further and take more memory, about 25 times that text.
        workers: int, threads that make blocks ahead; 2.
        service: str, `"grpc://host:port"`: a tf.data service whose workers make the blocks, on
            other machines that see the same files; see `keras-bert data_service`. Batches, order
            and places are the same with and without. None makes them here.

    Attributes:
        corpus: the `keras_bert.data.corpus.Corpus` read.
        lanes, num_blocks: int, how many there are, and blocks of each in an epoch.
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
        ValueError: no text, one document only for `"nsp"`, a damaged packed file, a setting
            out of range, or a `start` that this corpus does not have or that leaves nothing of
            `epochs`.
        ModuleNotFoundError: a `.zst` file needs zstandard.
        OSError: there is no room to unpack a `.zst` file in.

    Example:
        >>> import pathlib, tempfile, keras_bert as kb
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "corpus.txt"
        >>> _ = path.write_text("a b c\\nb c a\\n\\nc c\\nb a\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> stream = PretrainingStream(path, tokenizer, sequence_length=16, epochs=1, pairs="none")
        >>> [inputs["token_ids"].shape for inputs, labels, sample_weights in stream.batches()]
        [(1, 16)]
        >>> stream.counts.documents, stream.counts.tokens, stream.position_after(1)
        (2, 10, Position(places=(Place(epoch=1, block=0, offset=0),)))
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
        held_out_rate=0.0,
        part="train",
        drop_duplicates=False,
        drop_remainder=False,
        lanes=None,
        window_bytes=1 << 17,
        block_windows=64,
        workers=2,
        service=None,
    ):
        check_choice("pairs", pairs, PAIRS)
        check_choice("format", format, FORMATS)
        check_choice("word_segmenter", word_segmenter, (None, "jieba"))
        check_masking(masking, mask_selection_rate, mask_token_rate, random_token_rate)
        check_least("sequence_length", sequence_length, 8)
        check_least("batch_size", batch_size, 1)
        check_least("block_windows", block_windows, 1)
        check_least("workers", workers, 1)
        check_least("seed", seed, 0)
        if epochs is not None:
            check_least("epochs", epochs, 1)
        if mask_selection_length is not None:
            check_least("mask_selection_length", mask_selection_length, 1)
        check_share("short_sequence_rate", short_sequence_rate)
        check_share("held_out_rate", held_out_rate)
        check_choice("part", part, PARTS)
        if part == "held_out" and held_out_rate == 0:
            raise ValueError(
                "part='held_out' with held_out_rate=0: nothing is held out. Give both streams the "
                "rate, 0.01 for instance."
            )
        self.batch_size = batch_size
        self.epochs = epochs
        self.pairs = pairs
        self.sequence_length = sequence_length
        self.drop_remainder = drop_remainder
        self.workers = workers
        self.mask_selection_length = mask_selection_length or default_selection_length(
            mask_selection_rate, sequence_length
        )
        self.corpus = open_corpus(files, window_bytes, tokenizer, word_segmenter)
        if self.corpus.has_tokens and (held_out_rate or drop_duplicates):
            raise ValueError(
                f"{_names(self.corpus.paths)}: held_out_rate and drop_duplicates need the text, "
                "and this corpus is prepared. Prepare it with --drop_duplicates, and the text held "
                "out into a folder of its own."
            )
        self._check_documents()
        duplicates = Duplicates(self.corpus, workers) if drop_duplicates else None
        reading = {"format": format}
        if held_out_rate or drop_duplicates:
            reading["selection"] = Selection(self.corpus, held_out_rate, part, duplicates)
        if format == "prose":
            from keras_bert.text.sentences import split_sentences

            reading["split_sentences"] = split_sentences
        if word_segmenter == "jieba":
            reading["continuations"] = jieba_continuations(tokenizer)
        pool_bytes = block_windows * window_bytes
        num_blocks = -(-int(self.corpus.window_sizes().sum()) // pool_bytes)
        self.lanes = choose_lanes(lanes, batch_size, num_blocks, block_windows)
        self._deal = Deal(self.corpus, pool_bytes, self.lanes, int(seed))
        self._maker = ExampleMaker(
            self.corpus,
            tokenizer,
            deal=self._deal,
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
        self._fingerprint = {
            "seed": int(seed),
            "sequence_length": sequence_length,
            "batch_size": batch_size,
            "lanes": self.lanes,
            "window_bytes": window_bytes,
            "block_windows": block_windows,
            "pairs": pairs,
            "short_sequence_rate": short_sequence_rate,
            "masking": masking,
            "mask_selection_rate": mask_selection_rate,
            "mask_selection_length": self.mask_selection_length,
            "mask_token_rate": mask_token_rate,
            "random_token_rate": random_token_rate,
            "format": format,
            "word_segmenter": word_segmenter,
            "held_out_rate": held_out_rate,
            "part": part,
            "drop_duplicates": drop_duplicates,
            "windows_per_epoch": [source.per_epoch for source in sources_of(self.corpus)],
            "tokenizer": fingerprint.of_tokenizer(tokenizer),
            "corpus": fingerprint.of_files(self.corpus.paths),
        }
        self.num_blocks = self._deal.num_blocks
        self._service = service
        if service is not None:
            self._description = describe(files, tokenizer, self._fingerprint)
        self.start = find_start(start, self._make_lanes, self._maker, workers)
        if epochs is not None and self.start.epoch >= epochs:
            raise ValueError(
                f"start={start!r} lies in epoch {self.start.epoch}, counted from 0, but epochs="
                f"{epochs} ends before it: nothing is left. Begin earlier, or ask for "
                f"{self.start.epoch + 1} or more epochs."
            )
        self._lanes = self._make_lanes(self.start)

    @property
    def counts(self):
        """`Counts` of the blocks whose examples were handed on so far, whole blocks each.

        A lane that several readers share is counted by the first of them, so that their counts
        add up to those of the whole.
        """
        return self._lanes.counts()

    @property
    def epoch_counts(self):
        """`Counts` as `counts` holds them for each of the last epochs: a dict by epoch.

        An epoch is whole where it lies before the `epoch` of the position.
        """
        return self._lanes.epoch_counts()

    def fingerprint(self):
        """What the data depends on, taken when the stream was made: a dict fit for JSON.

        A place means the same data only where the fingerprints agree;
        `keras_bert.data.fingerprint.differences` says where they do not.
        """
        return copy.deepcopy(self._fingerprint)

    def position_after(self, batches):
        """The place in the data after so many batches of this stream: where to `start` next.

        Args:
            batches: int, batches trained on since the start of the stream. `tf.data` makes some
                ahead; these do not count.

        Returns:
            A `Position`: plain numbers, to be kept beside the weights.

        Raises:
            ValueError: the stream has not handed on that many batches, or they lie more than
                10,000 behind, or this process has read some of the lanes only.
        """
        return self._lanes.position_after(batches)

    def places_after(self, batches):
        """The places of the lanes after so many batches, as far as this process has read them.

        Several readers put theirs together by the largest of each number.

        Args:
            batches: int, as for `position_after`.

        Returns:
            int64 `(lanes, 3)`, (epoch, block, offset) of each lane, -1 for a lane not read.

        Raises:
            ValueError: as `position_after`, except for lanes not read.
        """
        return self._lanes.places_after(batches)

    def make_block(self, epoch, lane, block, offset=0):
        """The examples of a block from number `offset` on, and its `Counts`; threads may share it.

        Returns:
            `(examples, counts)`: a dict of arrays `(examples, ...)`, before they are batched.
        """
        return self._maker.make(epoch, lane, block, offset)

    def batches(self, shard=0, num_shards=1):
        """Yields the batches as NumPy arrays; each call begins anew at `start`.

        Args:
            shard, num_shards: int, which of how many readers this is. Reader `shard` gets the rows
                `shard * batch_size // num_shards` up to those of the next one of every batch, and
                reads only the lanes that these come from.

        Raises:
            ValueError: `num_shards` does not divide `batch_size`, or there is no such shard.
        """
        check_shards(shard, num_shards, self.batch_size)
        rows = self.batch_size // num_shards
        return self._batches(shard * rows, (shard + 1) * rows)

    def _batches(self, begin, end):
        make = self.make_block
        if self._service is not None:
            make = ServiceBlocks(self._service, self, self._description, self.workers).make
        for pieces in self._lanes.read(begin, end, make, self.workers):
            examples = elements.join(pieces)
            if self.drop_remainder and len(examples["token_ids"]) < end - begin:
                return
            yield elements.element(examples)

    def dataset(self, shard=0, num_shards=1, parts=1):
        """The batches as a `tf.data.Dataset`, which has this stream as its attribute `stream`.

        Args:
            shard, num_shards: int, as for `batches`.
            parts: int, elements that each batch comes as, one for each replica of this reader. A
                last batch that is not full comes as so many too, whose rows differ by one at most.

        Raises:
            ValueError: as `batches`, or `parts` does not divide the rows of this reader.
        """
        check_shards(shard, num_shards, self.batch_size)
        check_least("parts", parts, 1)
        rows = self.batch_size // num_shards
        if rows % parts:
            raise ValueError(
                f"parts={parts} does not divide the {rows} rows that each of num_shards="
                f"{num_shards} readers has of batch_size={self.batch_size}. Choose a batch size "
                f"that is a multiple of {parts * num_shards}."
            )

        def generate():
            for batch in self.batches(shard, num_shards):
                yield from elements.split(batch, parts) if parts > 1 else (batch,)

        is_full = self.epochs is None or self.drop_remainder
        dataset = tf.data.Dataset.from_generator(
            generate,
            output_signature=elements.signature(
                rows // parts if is_full else None,
                self.sequence_length,
                self.mask_selection_length,
                self.pairs != "none",
            ),
        )
        if self.epochs is None:
            dataset = dataset.apply(
                tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            )
        dataset = dataset.prefetch(4 * parts)
        dataset.stream = self
        return dataset

    def _make_lanes(self, start=None):
        return Lanes(self._deal, self.batch_size, start, self.epochs, self._complain)

    def _complain(self):
        """An endless stream that finds nothing to hand on would never come back."""
        raise ValueError(
            f"{_names(self.corpus.paths)}: a whole pass over the text made no example. It "
            f"holds no token, or no document has text enough for pairs={self.pairs!r}, or none is "
            f"in part={self._fingerprint['part']!r}."
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
