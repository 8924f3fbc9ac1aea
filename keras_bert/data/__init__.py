"""Data: from text files and labelled sets to `tf.data`.

What stands here loads on first use, as in `keras_bert` itself.
"""

import importlib

# Public name -> module that holds it.
_PUBLIC = {
    "Position": "keras_bert.data.position",
    "PretrainingStream": "keras_bert.data.stream",
    "augmented": "keras_bert.data.augmentation",
    "choices": "keras_bert.data.choice_set",
    "classification": "keras_bert.data.classification_set",
    "draw_pairs": "keras_bert.data.sentence_pairs",
    "embedding_pairs": "keras_bert.data.embedding_set",
    "masked_lm": "keras_bert.data.masked_set",
    "next_sentence": "keras_bert.data.next_sentence_set",
    "folds": "keras_bert.data.splitting",
    "mixed": "keras_bert.data.task_batches",
    "prepare": "keras_bert.data.preparation",
    "pretraining": "keras_bert.data.stream",
    "token_classification": "keras_bert.data.token_classification_set",
    "relations": "keras_bert.data.relation_set",
    "seq2seq": "keras_bert.data.seq2seq_set",
    "split": "keras_bert.data.splitting",
    "summary": "keras_bert.data.description",
    "question_answering": "keras_bert.data.question_answering_set",
}

__all__ = [*_PUBLIC]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'keras_bert.data' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
