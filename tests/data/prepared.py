"""A corpus to prepare, in which each document can be told from its tokens."""

import gzip

import numpy as np

import keras_bert as kb

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Small windows, so that a small corpus has many of everything.
SETTINGS = {"window_bytes": 4096, "window_tokens": 256, "shards": 4}


class Source:
    """Documents of sentences of words, each word in one document only, and some documents twice.

    Attributes:
        documents: list of documents, each a list of str, in the order of the files.
        files: list of paths, the second one gzipped.
        tokenizer: of a vocabulary that holds every word.
        document_of: int array, token id -> number of the document it is from.
    """

    def __init__(self, folder, documents=400, copies=40):
        rng = np.random.default_rng(1)
        words, self.document_of, self.documents = [], [-1] * len(SPECIAL), []
        for number in range(documents):
            document = []
            for _ in range(rng.integers(2, 9)):
                new = [f"w{len(words) + i}" for i in range(rng.integers(2, 12))]
                words += new
                self.document_of += [number] * len(new)
                document.append(" ".join(new))
            self.documents.append(document)
        self.documents += [self.documents[number * 7] for number in range(copies)]
        self.copies = copies
        self.document_of = np.array(self.document_of)
        self.tokenizer = kb.BertTokenizer(SPECIAL + words)
        texts = ["\n".join(document) for document in self.documents]
        half = len(texts) // 2
        (folder / "a.txt").write_text("\n\n".join(texts[:half]) + "\n")
        (folder / "b.txt.gz").write_bytes(gzip.compress("\n\n\n".join(texts[half:]).encode()))
        self.files = [folder / "a.txt", folder / "b.txt.gz"]

    def tokenized(self):
        """Every document as a tuple of tuples of ids, in the order of the files."""
        return [tuple(map(tuple, self.tokenizer(d).to_list())) for d in self.documents]


def read_back(corpus):
    """The documents of a `ShardCorpus` as tuples of tuples of ids, in the order of the shards."""
    documents = []
    for window in range(corpus.num_windows):
        arrays = corpus.read(window).arrays
        sentences = np.split(arrays["tokens"], np.cumsum(arrays["lengths"])[:-1])
        ends = np.cumsum(arrays["sentences"]).tolist()
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            documents.append(tuple(tuple(s.tolist()) for s in sentences[begin:end]))
    return documents


def contents(folder):
    """The files of a folder: name -> bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
