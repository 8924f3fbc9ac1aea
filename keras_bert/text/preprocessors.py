"""From raw text to the dict a task model reads; the same eagerly, in tf.data and when exported."""

import tensorflow as tf

from keras_bert.text import document_windows, packing, tokenizer_files
from keras_bert.text.tokenizer import BertTokenizer, as_strings

_MASK = "[MASK]"


class Preprocessor:
    """What the preprocessors share: a tokenizer, a length, and a directory to live in.

    A class lists in `kept` the arguments that a model directory keeps, beside the tokenizer and
    `sequence_length`; each is an attribute of the same name.
    """

    kept = ("pad_to_sequence_length",)

    def __init__(self, tokenizer, sequence_length=128, pad_to_sequence_length=False):
        packing.check_length(sequence_length)
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.pad_to_sequence_length = bool(pad_to_sequence_length)

    def settings(self):
        """The arguments of the class that a model directory keeps, a dict of plain values."""
        return {name: getattr(self, name) for name in self.kept}

    def save(self, directory):
        """Writes the tokenizer, with `sequence_length` as its `model_max_length`, and the settings.

        Args:
            directory: str or path-like, made where it is missing.
        """
        self.tokenizer.save(
            directory,
            model_max_length=self.sequence_length,
            preprocessor={"class": type(self).__name__, **self.settings()},
        )

    @classmethod
    def from_preset(cls, directory, sequence_length=None, **options):
        """Reads the tokenizer of a model directory, and the settings that a preprocessor of this
        class was saved with.

        Args:
            directory: str or path-like, or an `hf://` name.
            sequence_length: int. Default: the directory's `model_max_length`, or 128 without one.
            **options: the other arguments of the class, in place of what the directory says.

        Raises:
            FileNotFoundError: no directory, or no vocabulary in it.
            ValueError: a file is damaged, or asks for something that is not supported.
        """
        preset = tokenizer_files.read_tokenizer(directory)
        length, stored = preset.pop("model_max_length"), preset.pop("preprocessor")
        if sequence_length is None:
            sequence_length = length or 128
        if stored is not None and stored["class"] == cls.__name__:
            options = {**cls._settings_of(stored, directory), **options}
        return cls(BertTokenizer(**preset), sequence_length, **options)

    @classmethod
    def _settings_of(cls, stored, directory):
        settings = {name: value for name, value in stored.items() if name != "class"}
        unknown = sorted(set(settings) - set(cls.kept))
        if unknown:
            raise ValueError(
                f"{directory}: {cls.__name__} has no setting {', '.join(unknown)}; expected some "
                f"of {', '.join(cls.kept)}. A newer version of this package may have written it"
            )
        return settings

    def _pack(self, first, second=None):
        return packing.pack(
            first,
            second,
            cls_id=self.tokenizer.cls_id,
            sep_id=self.tokenizer.sep_id,
            pad_id=self.tokenizer.pad_id,
            sequence_length=self.sequence_length,
            pad_to_sequence_length=self.pad_to_sequence_length,
        )


class TextClassifierPreprocessor(Preprocessor):
    """Makes of texts, or pairs of texts, the input of a classifier, tagger or embedder.

    Source: `convert_single_example` of google-research/bert `run_classifier.py`.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row, special ones included; longer texts are cut, of
            a pair the longer one first. Default 128.
        pad_to_sequence_length: bool, pad to `sequence_length` (static shapes, as XLA and JAX want
            them) and not to the longest row of the batch; and to as many windows. Default False.
        windows: int, for documents: a text is cut into so many rows at most, for a model with
            `window_pooling`; what is longer than these is cut off. Default None: a text is a row.
        stride: int, tokens from the start of one window to that of the next. Default: the tokens
            of a window, so that none overlap.

    Call arguments:
        texts: str, list of str or string tensor of rank 0 or 1; for pairs a tuple of two of these.

    Returns of a call:
        Dict of int32 tensors `(batch, sequence)`, without `batch` for a single text: `token_ids`;
        `segment_ids` (0 = first text and padding, 1 = second text); `padding_mask` (1 = real
        token, 0 = padding). With `windows` `(batch, windows, sequence)`, as many as the longest
        text of the batch has; windows beyond a text's have no real token.

    Raises:
        ValueError: `sequence_length` is less than 3, or 4 for pairs; a pair's parts differ in
            number; `windows` or `stride` is out of its range, or `windows` meets pairs.

    Example:
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "no"]
        >>> preprocess = TextClassifierPreprocessor(BertTokenizer(vocabulary), sequence_length=6)
        >>> preprocess(["Good film", "no"])["token_ids"].numpy().tolist()
        [[2, 5, 6, 3], [2, 7, 3, 0]]
        >>> preprocess(("good", "no"))["segment_ids"].numpy().tolist()
        [0, 0, 0, 1, 1]
        >>> documents = TextClassifierPreprocessor(preprocess.tokenizer, 4, windows=8)
        >>> documents(["Good film", "no no good film"])["token_ids"].numpy().tolist()
        [[[2, 5, 6, 3], [0, 0, 0, 0]], [[2, 7, 7, 3], [2, 5, 6, 3]]]
    """

    kept = (*Preprocessor.kept, "windows", "stride")

    def __init__(
        self,
        tokenizer,
        sequence_length=128,
        pad_to_sequence_length=False,
        windows=None,
        stride=None,
    ):
        super().__init__(tokenizer, sequence_length, pad_to_sequence_length)
        self.windows, self.stride = windows, stride
        if windows is not None:
            self.stride = document_windows.check_windows(windows, stride, sequence_length)
        elif stride is not None:
            raise ValueError(f"stride={stride} is of windows; give their number too: windows=8")

    def settings(self):
        """As of `Preprocessor`, without a stride that follows from `sequence_length`."""
        settings = super().settings()
        if self.windows is None or self.stride == self.sequence_length - 2:
            settings.pop("stride", None)
        return settings

    @property
    def most_tokens(self):
        """Tokens of a document that its windows can hold, int; None without windows."""
        if self.windows is None:
            return None
        return (self.windows - 1) * self.stride + self.sequence_length - 2

    def in_windows(self, ids):
        """The model's inputs from the ids of documents, `tf.RaggedTensor` `(batch, tokens)`."""
        room = self.sequence_length - 2
        rows, counts = document_windows.cut_document(ids, room, self.stride, self.windows)
        windows = self.windows if self.pad_to_sequence_length else None
        return document_windows.side_by_side(
            self._pack(rows), counts, windows, self.tokenizer.pad_id
        )

    def __call__(self, texts):
        if not isinstance(texts, tuple):
            texts = as_strings(texts)
            if texts.shape.rank == 0:
                return first_row(self(texts[tf.newaxis]))
            ids = self.tokenizer(texts)
            return self._pack(ids) if self.windows is None else self.in_windows(ids)
        if self.windows is not None:
            raise ValueError(f"windows={self.windows} are of single texts; received a pair")
        if len(texts) != 2:
            raise ValueError(
                f"a tuple is a pair of texts; received {len(texts)} parts. Pass a list for a batch"
            )
        packing.check_length(self.sequence_length, is_pair=True)
        first, second = map(as_strings, texts)
        if not first.shape.is_compatible_with(second.shape):
            raise ValueError(
                "the two parts of a pair must be equally many texts; received shapes "
                f"{first.shape} and {second.shape}"
            )
        if first.shape.rank == 0:
            return first_row(self((first[tf.newaxis], second[tf.newaxis])))
        return self._pack(self.tokenizer(first), self.tokenizer(second))

    def uncut_lengths(self, texts):
        """Tokens that the rows of a batch would have if none were cut, int64 `(batch,)`.

        Args:
            texts: as of a call, of rank 1.
        """
        parts = texts if isinstance(texts, tuple) else (texts,)
        special = 1 + len(parts)
        return tf.add_n([self.tokenizer(part).row_lengths() for part in parts]) + special


class MaskedLMPreprocessor(Preprocessor):
    """Makes of texts with `[MASK]` in them the input of a masked language model, to fill the gaps.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row, special ones included. Default 128.
        mask_selection_length: int, most masks of a row, the first ones. Default 20.
        pad_to_sequence_length: bool, pad to `sequence_length` and `mask_selection_length` (static
            shapes) and not to the batch's longest row and greatest number of masks. Default False.

    Call arguments:
        texts: str, list of str or string tensor of rank 0 or 1. The letters `[MASK]`, in capitals,
            are the mask token.

    Returns of a call:
        Dict of tensors, without `batch` for a single text: `token_ids`, `segment_ids` (all 0),
        `padding_mask` (1 = real token, 0 = padding), int32 `(batch, sequence)`; `mask_positions`,
        int32 `(batch, masks)`, where in its row each mask stands; `mask_weights`, float32
        `(batch, masks)`, 1.0 for a mask, 0.0 for an unused slot (whose position is 0). There is
        at least one slot.

    Raises:
        ValueError: `sequence_length` is less than 3, or `mask_selection_length` less than 1.

    Example:
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "!"]
        >>> preprocess = MaskedLMPreprocessor(BertTokenizer(vocabulary))
        >>> inputs = preprocess("Good [MASK]!")
        >>> inputs["token_ids"].numpy().tolist(), inputs["mask_positions"].numpy().tolist()
        ([2, 5, 4, 7, 3], [2])
    """

    kept = (*Preprocessor.kept, "mask_selection_length")

    def __init__(
        self,
        tokenizer,
        sequence_length=128,
        mask_selection_length=20,
        pad_to_sequence_length=False,
    ):
        super().__init__(tokenizer, sequence_length, pad_to_sequence_length)
        self.mask_selection_length = positive("mask_selection_length", mask_selection_length)

    def __call__(self, texts):
        texts = as_strings(texts)
        if texts.shape.rank == 0:
            return first_row(self(texts[tf.newaxis]))
        packed = self._pack(self._tokenize(texts))
        # (masks of all rows, 2): row and position
        places = tf.cast(tf.where(packed["token_ids"] == self.tokenizer.mask_id), tf.int32)
        rows = tf.shape(packed["token_ids"])[0]
        positions = tf.RaggedTensor.from_value_rowids(places[:, 1], places[:, 0], rows)
        positions = positions[:, : self.mask_selection_length]
        counts = positions.row_lengths()
        if self.pad_to_sequence_length:
            slots, shape = self.mask_selection_length, [None, self.mask_selection_length]
        else:
            slots = tf.reduce_max(tf.concat([counts, [1]], axis=0))
            shape = tf.stack([rows, slots])
        packed["mask_positions"] = positions.to_tensor(0, shape=shape)
        packed["mask_weights"] = tf.sequence_mask(counts, slots, tf.float32)
        return packed

    def _tokenize(self, texts):
        # The text between masks, each part followed by a mask; the last mask of a row is one too
        # many.
        parts = tf.strings.split(texts, _MASK)
        tokens = self.tokenizer(parts.flat_values)
        mask = tf.fill([tokens.nrows(), 1], self.tokenizer.mask_id)
        return parts.with_flat_values(tf.concat([tokens, mask], axis=1)).merge_dims(1, 2)[:, :-1]


def positive(name, value):
    """Returns a positive int, or raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive int; received {value!r}")
    return value


def first_row(batch):
    return {name: values[0] for name, values in batch.items()}
