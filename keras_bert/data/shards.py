"""A prepared corpus: shards whose windows are read in any order, tokens already made."""

import bisect
import os
from typing import NamedTuple

import numpy as np

from keras_bert.atomic import find_directory
from keras_bert.data import shard_files
from keras_bert.data.fingerprint import of_tokenizer

# English text has about so many bytes a token; sizes of windows are in bytes of text.
_TOKEN_BYTES = 4


def is_prepared(path):
    """Whether this is a folder that `keras-bert prepare` made."""
    return isinstance(path, (str, os.PathLike)) and os.path.isfile(
        os.path.join(find_directory(path), shard_files.MANIFEST)
    )


class TokenWindow(NamedTuple):
    """The documents of a window: the number of its shard, and the arrays of
    `keras_bert.data.shard_files`, `continues_word` where a word segmenter was asked for."""

    file: int
    arrays: dict


class ShardCorpus:
    """Folders written by `keras-bert prepare`, with what the stream needs of a corpus.

    Opening looks at the manifest, and at the presence and size of every shard; what is in a window
    is checked against its checksum whenever it is read.

    Args:
        directories: str or path-like, or a list of these.
        tokenizer: the `keras_bert.BertTokenizer` the model is trained with.
        word_segmenter: str; `"jieba"` where its marks are needed, or None.

    Attributes:
        paths: list of str, the shards.
        num_windows: int.

    Raises:
        FileNotFoundError: a shard is missing.
        ValueError: a manifest or shard is damaged, or the folder was prepared with another
            tokenizer or without the word segmenter.

    Example:
        >>> import pathlib, tempfile, keras_bert as kb
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("a b\\nb c\\n\\nc c\\nb a\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> _ = kb.data.prepare(folder / "a.txt", tokenizer, folder / "out", workers=1)
        >>> corpus = ShardCorpus(folder / "out", tokenizer)
        >>> corpus.num_windows, corpus.window_sizes().tolist()
        (1, [32])
        >>> corpus.read(0).arrays["lengths"].tolist()
        [2, 2, 2, 2]
    """

    has_tokens = True

    def __init__(self, directories, tokenizer, word_segmenter=None):
        if isinstance(directories, (str, os.PathLike)):
            directories = [directories]
        self.paths, self._windows = [], []
        for directory in map(find_directory, directories):
            manifest = shard_files.read_manifest(directory)
            _check_tokenizer(directory, manifest, tokenizer)
            _check_segmenter(directory, manifest, word_segmenter)
            for shard in manifest["shards"]:
                self.paths.append(os.path.join(directory, shard["name"]))
                self._windows.append(shard_files.read_windows(directory, shard))
        self._first_windows = np.cumsum([0, *map(len, self._windows)]).tolist()
        self.num_windows = self._first_windows[-1]
        # What lies before each window of a shard.
        self._before = [
            np.cumsum(windows[:, :3], axis=0) - windows[:, :3] for windows in self._windows
        ]
        self._has_words = word_segmenter is not None

    def window_sizes(self):
        """About the bytes of text of each window, int64 `(num_windows,)`."""
        return np.concatenate(self._windows)[:, 2] * _TOKEN_BYTES

    def read(self, window):
        """Reads window number `window`; returns a `TokenWindow`."""
        shard = bisect.bisect_right(self._first_windows, window) - 1
        number = window - self._first_windows[shard]
        before, row = self._before[shard][number], self._windows[shard][number]
        arrays = shard_files.read_window(self.paths[shard], before.tolist(), row.tolist())
        if not self._has_words:
            arrays.pop("continues_word", None)
        return TokenWindow(shard, arrays)


def _check_tokenizer(directory, manifest, tokenizer):
    fingerprint = of_tokenizer(tokenizer)
    if manifest["tokenizer"] != fingerprint:
        made = manifest.get("settings", {})
        raise ValueError(
            f"{directory} was prepared with another tokenizer: its fingerprint is "
            f"{manifest['tokenizer']} ({made.get('vocabulary_size')} tokens, lowercase="
            f"{made.get('lowercase')}, strip_accents={made.get('strip_accents')}), and that of the "
            f"one given is {fingerprint} ({tokenizer.vocabulary_size} tokens, lowercase="
            f"{tokenizer.lowercase}, strip_accents={tokenizer.strip_accents}). Give the "
            "vocabulary and options it was prepared with, or prepare the text anew."
        )


def _check_segmenter(directory, manifest, word_segmenter):
    found = manifest.get("settings", {}).get("word_segmenter")
    if word_segmenter is not None and found != word_segmenter:
        raise ValueError(
            f"word_segmenter={word_segmenter!r} needs the text, and {directory} holds tokens "
            f"prepared with word_segmenter={found!r}. Prepare the text anew with "
            f"--word_segmenter={word_segmenter}."
        )
