"""BERT's tokenizer, in the TensorFlow graph."""

import re

import numpy as np
import tensorflow as tf

from keras_bert.text import detokenization, encoding, normalization, tokenizer_files
from keras_bert.text import vocabulary as vocabulary_lib

_UNUSED = re.compile(r"\[unused\d+\]")


class BertTokenizer:
    """Splits text into WordPiece ids, exactly as Google's BERT does.

    Source: `tokenization.py` of google-research/bert; Wu et al. 2016,
    https://arxiv.org/abs/1609.08144, for WordPiece; Song et al. 2021,
    https://arxiv.org/abs/2012.15524, for the linear-time algorithm of TF Text. Equal to Google's
    on every assigned Unicode code point (`tests/text/test_tokenizer_exact.py`).

    The same call works eagerly, in `tf.data` maps and in an exported graph; the vocabulary is a
    constant of the graph, so a SavedModel needs no file beside it. No special tokens are added:
    packing does that.

    Args:
        vocabulary: list of str, or the path of a `vocab.txt` (one token a line). Holds [PAD],
            [UNK], [CLS], [SEP] and [MASK], and no token twice.
        lowercase: bool, default True; False for cased vocabularies.
        strip_accents: bool, default None: as `lowercase`.
        split_chinese: bool, whether each Chinese character is a word, as with Google. Default True.
        added_tokens: list of str, entries of the vocabulary that are found literally in the raw
            text, before anything else and within words too, longest first: `[E1]`, `<e1>`. Or a
            dict of str to bool: True for those that are looked for in the normalized text instead,
            so that case and accents do not matter where they do not to other words. Google's
            tokenizer has none. One at the end of the vocabulary is found literally only; one
            before may be made by WordPiece too. Default: none.

    Call arguments:
        texts: str, list of str, or string tensor of rank 0 or 1. Invalid UTF-8 is replaced.

    Returns of a call:
        int32 `tf.RaggedTensor` `(batch, tokens)`; for a single text, an int32 tensor `(tokens,)`.

    Attributes:
        vocabulary: list of str; the place of a token is its id.
        vocabulary_size: int.
        lowercase, strip_accents, split_chinese: bool.
        added_tokens: dict of str to bool.
        options: dict, the arguments but the vocabulary, to make the same tokenizer elsewhere.
        pad_id, unk_id, cls_id, sep_id, mask_id: int.
        special_ids: sorted tuple of the five.
        ordinary_ids: int32 array, the ids that are neither special nor `[unusedN]` nor an added
            token of the raw text: those a random replacement may be drawn from.
        is_continuation: bool array over the vocabulary, True where a token starts with `##`.

    Raises:
        ValueError: the vocabulary is empty, lacks a special token or holds a token twice; an added
            token is not in it, is a special one, or cannot be found in texts.
        FileNotFoundError: there is no file of that name.
        TypeError: the vocabulary or a text is of another type.

    Example:
        >>> tokenizer = BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "love", "app", "##les", "."])
        >>> tokenizer(["I love apples.", "Pears"]).to_list()
        [[5, 6, 7, 8, 9], [1]]
        >>> tokenizer.detokenize([2, 5, 6, 7, 8, 9, 3])
        'i love apples.'
    """

    def __init__(
        self,
        vocabulary,
        lowercase=True,
        strip_accents=None,
        split_chinese=True,
        added_tokens=(),
    ):
        if isinstance(vocabulary, (list, tuple)):
            self.vocabulary = list(vocabulary)
        else:
            self.vocabulary = vocabulary_lib.load_vocabulary(vocabulary)
        self._ids = _index(self.vocabulary)
        self.lowercase = bool(lowercase)
        self.strip_accents = self.lowercase if strip_accents is None else bool(strip_accents)
        self.split_chinese = bool(split_chinese)
        self.added_tokens = _added(added_tokens, self._ids)
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (
            self._ids[token] for token in vocabulary_lib.SPECIAL_TOKENS
        )
        self.special_ids = tuple(
            sorted((self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id))
        )
        self.ordinary_ids = np.array(
            [
                index
                for index, token in enumerate(self.vocabulary)
                if index not in self.special_ids
                and not _UNUSED.fullmatch(token)
                and self.added_tokens.get(token, True)
            ],
            np.int32,
        )
        self.is_continuation = np.array([token.startswith("##") for token in self.vocabulary])
        self._encoder = encoding.Encoder(
            self.vocabulary, self.unk_id, self.is_continuation, **self.options
        )

    @property
    def options(self):
        """Dict, the arguments but the vocabulary, as plain values."""
        return {
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "split_chinese": self.split_chinese,
            "added_tokens": dict(self.added_tokens),
        }

    @property
    def vocabulary_size(self):
        """int, entries of the vocabulary."""
        return len(self.vocabulary)

    def __call__(self, texts):
        return self.tokenize(texts)

    def tokenize(self, texts):
        """The same as a call: ids of one text or of a batch."""
        texts = as_strings(texts)
        if texts.shape.rank == 0:
            return self.tokenize(texts[tf.newaxis])[0]
        return self._encoder.encode(texts)

    def tokenize_with_offsets(self, texts):
        """Ids, and where in the raw text each token stands; like a call, works in a graph too.

        Offsets count characters (Python's: Unicode code points) of the raw text and hold through
        lower-casing, stripped accents and removed control characters: `text[start:end]` is what
        the token was made of. Two tokens may share a character that normalization made two of.

        Args:
            texts: as for a call.

        Returns:
            ids, starts, ends: int32 `tf.RaggedTensor` `(batch, tokens)` each; for a single text,
            int32 tensors `(tokens,)`. Ends are exclusive.

        Example:
            >>> tokenizer = BertTokenizer(
            ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "no", "##ir"])
            >>> text = "Café NOIR"
            >>> ids, starts, ends = tokenizer.tokenize_with_offsets(text)
            >>> [text[start:end] for start, end in zip(starts.numpy(), ends.numpy())]
            ['Café', 'NO', 'IR']
        """
        texts = as_strings(texts)
        if texts.shape.rank == 0:
            batch = self.tokenize_with_offsets(texts[tf.newaxis])
            return tuple(values[0] for values in batch)
        return self._encoder.encode_with_offsets(texts)

    def tokenize_to_strings(self, text):
        """The tokens of one text as a list of str, for looking at (eager).

        Example: `tokenizer.tokenize_to_strings("I love apples.")` gives
        `["i", "love", "app", "##les", "."]`.
        """
        return [self.vocabulary[index] for index in self.tokenize(text).numpy()]

    def token_to_id(self, token):
        """The id (int) of a token; `ValueError` where the vocabulary does not hold it."""
        if token not in self._ids:
            raise ValueError(
                f"BertTokenizer: {token!r} is not in the vocabulary of {self.vocabulary_size:,} "
                "tokens; `tokenize` splits text that is not a token"
            )
        return self._ids[token]

    def id_to_token(self, index):
        """The token (str) of an id; `ValueError` where the id is out of range."""
        if not 0 <= index < self.vocabulary_size:
            raise ValueError(
                f"BertTokenizer: ids run from 0 to {self.vocabulary_size - 1}; received {index}"
            )
        return self.vocabulary[index]

    def detokenize(self, ids):
        """Turns ids back into text (eager): pieces joined, usual spacing, special tokens dropped.

        `[UNK]` stays, for text was there. Case, accents and original spacing are not in the ids.

        Args:
            ids: list, array or tensor of int, `(tokens,)`; or a batch of these, ragged or padded.

        Returns:
            str; for a batch, list of str.

        Raises:
            ValueError: an id is out of range.
        """
        if hasattr(ids, "to_list"):
            ids = ids.to_list()
        elif hasattr(ids, "numpy"):
            ids = ids.numpy()
        ids = [row if np.ndim(row) == 0 else self.detokenize(row) for row in ids]
        if ids and isinstance(ids[0], str):
            return ids
        dropped = set(self.special_ids) - {self.unk_id}
        return detokenization.join_tokens(
            [self.id_to_token(int(index)) for index in ids if int(index) not in dropped]
        )

    def with_vocabulary(self, vocabulary):
        """A tokenizer with another vocabulary and the same options.

        Args:
            vocabulary: list of str or path, as for `BertTokenizer`.

        Raises:
            ValueError, FileNotFoundError, TypeError: as `BertTokenizer`.
        """
        return type(self)(vocabulary, **self.options)

    def save(self, directory, model_max_length=None, preprocessor=None):
        """Writes `vocab.txt` and `tokenizer_config.json` as Hugging Face reads them; with added
        tokens `tokenizer.json` too.

        Args:
            directory: str or path-like, made where it is missing.
            model_max_length: int, tokens in the model's longest input. Default None: left out.
            preprocessor: dict, what a preprocessor says of itself; see `Preprocessor.save`.
                Default None: left out.

        Raises:
            OSError: a file cannot be written; former files stay whole.
        """
        tokenizer_files.write_tokenizer(
            directory,
            self.vocabulary,
            **self.options,
            model_max_length=model_max_length,
            preprocessor=preprocessor,
        )

    @classmethod
    def from_preset(cls, directory, lowercase=None):
        """Reads the tokenizer of a model directory: Hugging Face's, Google's, KerasHub's or one of
        sentence-transformers.

        Args:
            directory: str or path-like, or an `hf://` name.
            lowercase: bool, in place of what the directory says. Default None: what it says; a
                directory of Google's says nothing and is taken for cased where the vocabulary
                holds words with capital letters.

        Raises:
            FileNotFoundError: no directory, or no vocabulary in it.
            ValueError: a file is damaged, or asks for something that is not supported.
        """
        preset = tokenizer_files.read_tokenizer(directory, lowercase)
        del preset["model_max_length"], preset["preprocessor"]
        return cls(**preset)


def as_strings(texts):
    """Makes a string tensor of rank 0 or 1 from str, list of str or tensor.

    Lone surrogates, which Python strings may hold and UTF-8 may not, become U+FFFD.

    Raises:
        TypeError: not text.
        ValueError: a tensor of another rank.
    """
    if isinstance(texts, (list, tuple)):
        for index, text in enumerate(texts):
            if not isinstance(text, (str, bytes)) and not tf.is_tensor(text):
                raise TypeError(
                    f"texts: expected str; received {type(text).__name__} at place {index}"
                )
        if not texts:
            return tf.constant([], tf.string)
        try:
            texts = tf.convert_to_tensor(texts, tf.string)
        except ValueError:  # TensorFlow's word for a string that is not UTF-8
            texts = tf.convert_to_tensor([_without_surrogates(text) for text in texts])
    elif isinstance(texts, str):
        texts = tf.constant(_without_surrogates(texts))
    else:
        texts = tf.convert_to_tensor(texts)
    if texts.dtype != tf.string:
        raise TypeError(
            f"texts: expected str, a list of str or a string tensor; received {texts.dtype.name}"
        )
    if texts.shape.rank not in (0, 1):
        raise ValueError(
            f"texts: expected a tensor of rank 0 or 1; received shape {texts.shape}. "
            "Reshape it to one text an entry"
        )
    return texts


def _without_surrogates(text):
    if isinstance(text, str):
        return re.sub("[\ud800-\udfff]", normalization.REPLACEMENT, text)
    return text


def _index(vocabulary):
    """Token -> id, after checking that the vocabulary can serve."""
    if not vocabulary:
        raise ValueError("BertTokenizer: the vocabulary is empty; expected a list of tokens")
    ids = {}
    for index, token in enumerate(vocabulary):
        if not isinstance(token, str):
            raise TypeError(
                f"BertTokenizer: expected tokens of type str; received {token!r} at place {index}"
            )
        if token in ids:
            raise ValueError(
                f"BertTokenizer: the vocabulary holds {token!r} twice, on lines {ids[token] + 1} "
                f"and {index + 1}; remove one, for ids are line numbers"
            )
        ids[token] = index
    missing = [token for token in vocabulary_lib.SPECIAL_TOKENS if token not in ids]
    if missing:
        raise ValueError(
            f"BertTokenizer: the vocabulary lacks {', '.join(missing)}; expected all of "
            f"{', '.join(vocabulary_lib.SPECIAL_TOKENS)}"
        )
    return ids


def _added(tokens, ids):
    """Dict of the added tokens, after checking that they can be."""
    if isinstance(tokens, (str, bytes)) or not hasattr(tokens, "__iter__"):
        raise TypeError(
            "BertTokenizer: expected a list of str, or a dict of str to bool, as added_tokens; "
            f"received {tokens!r}"
        )
    added = dict(tokens) if hasattr(tokens, "keys") else dict.fromkeys(tokens, False)
    for token, normalized in added.items():
        if not isinstance(token, str) or not isinstance(normalized, bool):
            raise TypeError(
                "BertTokenizer: expected str as added tokens, and bool as their values in a dict; "
                f"received {token!r}: {normalized!r}"
            )
        if token in vocabulary_lib.SPECIAL_TOKENS:
            raise ValueError(
                f"BertTokenizer: {token!r} cannot be an added token; in texts, the five special "
                "tokens are split as Google does"
            )
        if token not in ids:
            raise ValueError(
                f"BertTokenizer: the added token {token!r} is not in the vocabulary of "
                f"{len(ids):,} tokens; append it to the list, and a row to the model's table"
            )
    return added
