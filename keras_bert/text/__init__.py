"""Text: vocabulary, tokenizer, sentences, and packing into what a model reads.

What stands here loads on first use, so that `kb.text.train_vocabulary` needs no TensorFlow.
"""

import importlib

# Public name -> module that holds it.
_PUBLIC = {
    "BertTokenizer": "keras_bert.text.tokenizer",
    "EntityDecoder": "keras_bert.text.entities",
    "join_history": "keras_bert.text.history",
    "load_vocabulary": "keras_bert.text.vocabulary",
    "save_vocabulary": "keras_bert.text.vocabulary",
    "split_sentences": "keras_bert.text.sentences",
    "train_vocabulary": "keras_bert.text.vocabulary",
}

__all__ = [*_PUBLIC]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'keras_bert.text' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
