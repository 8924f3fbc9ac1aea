"""Search by meaning: the texts whose embeddings are nearest to a query's."""

import json
import os

import numpy as np

from keras_bert import atomic
from keras_bert.training.nearest import nearest

_VECTORS_FILE = "embeddings.npy"
_TEXTS_FILE = "texts.jsonl"
_AT_ONCE = 4096


class SemanticIndex:
    """Texts with their embeddings, searched exactly.

    Every query is compared with every text, by matrix products in chunks: some hundred thousand
    texts are a matter of milliseconds. For many millions an approximate index of a library such as
    FAISS takes `vectors` as they are.

    Args:
        encode: what makes embeddings: `kb.SentenceEncoder`, a `kb.Predictor` of an exported
            embedder, or any function of a list of str that returns `(texts, dim)` numbers.
        texts: list of str.

    Attributes:
        texts: list of str.
        vectors: float32 `(texts, dim)`, of length 1.

    Raises:
        ValueError: there are no texts, or `encode` does not return a vector of finite numbers for
            each.
        TypeError: something that is no text.

    Example:
        >>> encode = lambda texts: [[len(text), text.count("a")] for text in texts]
        >>> SemanticIndex(encode, ["aa", "xy"]).search("a", top_k=1)
        [{'text': 'aa', 'score': 1.0, 'place': 0}]
    """

    def __init__(self, encode, texts):
        if isinstance(texts, str):
            raise TypeError("texts: expected a list of str; received one str")
        texts = list(texts)
        if not texts:
            raise ValueError("a search needs texts; received none")
        # Portions: a predictor answers in lists of numbers, which take much more memory.
        parts = [_vectors(encode, texts[i : i + _AT_ONCE]) for i in range(0, len(texts), _AT_ONCE)]
        self._encode = encode
        self.texts = texts
        self.vectors = np.concatenate(parts)

    def search(self, queries, top_k=10):
        """Finds the nearest texts.

        Args:
            queries: str, or a list of str.
            top_k: int, how many texts for each query; fewer where the index holds fewer.

        Returns:
            For each query, or the one that was given, a list of dicts, nearest first: `text` (str),
            `score` (float, the cosine), `place` (int, its number among the index's texts).

        Raises:
            ValueError: `top_k` is below 1; embeddings of another dimension than the index's.
            TypeError: something that is no text.
        """
        if isinstance(queries, str):
            return self.search([queries], top_k)[0]
        queries = list(queries)
        vectors = (
            _vectors(self._encode, queries) if queries else np.zeros((0, self.vectors.shape[1]))
        )
        places, scores = nearest(vectors, self.vectors, top_k)
        return [
            [
                {"text": self.texts[place], "score": float(score), "place": int(place)}
                for place, score in zip(*row, strict=True)
            ]
            for row in zip(places, scores, strict=True)
        ]

    def save(self, directory, overwrite=False):
        """Writes the index as `embeddings.npy` and `texts.jsonl`; it appears when it is complete.

        Args:
            directory: str or path-like, the folder to make.
            overwrite: bool, whether an index that exists is replaced. Default False.

        Raises:
            FileExistsError: the folder exists and `overwrite` is False, or it is no index.
            OSError: something cannot be written; a former folder stays whole.
        """
        with atomic.atomic_directory(directory, overwrite, marker=_VECTORS_FILE) as new:
            np.save(os.path.join(new, _VECTORS_FILE), self.vectors)
            with open(os.path.join(new, _TEXTS_FILE), "w", encoding="utf-8", newline="\n") as file:
                file.writelines(json.dumps(text) + "\n" for text in self.texts)

    @classmethod
    def load(cls, directory, encode):
        """Reads an index; its embeddings stay on disk until they are searched.

        Args:
            directory: str or path-like, the folder that `save` wrote.
            encode: what made its embeddings; see `SemanticIndex`.

        Raises:
            FileNotFoundError: there is no such folder, or a file is missing.
            ValueError: the files do not fit each other, or are no index.
        """
        directory = atomic.find_directory(directory)
        path = os.path.join(directory, _TEXTS_FILE)
        vectors = np.load(os.path.join(directory, _VECTORS_FILE), mmap_mode="r", allow_pickle=False)
        try:
            with open(path, encoding="utf-8", newline="\n") as file:
                texts = [json.loads(line) for line in file]
        except ValueError as error:
            raise ValueError(f"{path} is not JSON Lines: {error}") from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not len(texts):
            raise ValueError(
                f"{directory} holds {len(texts)} texts and embeddings of the shape "
                f"{vectors.shape}; expected one row for each text. Make the index again"
            )
        index = cls.__new__(cls)
        index._encode, index.texts, index.vectors = encode, texts, vectors
        return index


def _vectors(encode, texts):
    """Embeddings of length 1, float32 `(texts, dim)`."""
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts: expected str only; received {text!r} at place {place}")
    vectors = np.asarray(encode(texts), "float32")
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise ValueError(
            f"expected an embedding for each of {len(texts)} texts; received the shape "
            f"{vectors.shape}. Give a SentenceEncoder, or a Predictor of an exported embedder"
        )
    if not np.isfinite(vectors).all():
        place = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise ValueError(f"the embedding of {texts[place]!r} is not finite")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
