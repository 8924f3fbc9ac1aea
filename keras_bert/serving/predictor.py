"""Answers from an exported SavedModel, in this process."""

import os

import tensorflow as tf
import tensorflow_text  # noqa: F401 - its ops are in the graph

from keras_bert import atomic
from keras_bert.text.entities import entities_of
from keras_bert.text.tokenizer import as_strings


class Predictor:
    """Loads a SavedModel of `export_saved_model` and answers texts.

    Args:
        path: str or path-like, the folder of the SavedModel, or the folder above it with numbered
            versions, of which the highest is taken.

    Call arguments:
        texts: str, or a list of str; for pairs a tuple of two str, or a list of such tuples; for
            the semantic roles of a predicate a tuple of the text and two int, the predicate's
            first character and the one behind its last, or a list of such tuples.
        batch_size: int, most texts at once. Default 32. Texts are sorted by length inside, so
            that batches hold little padding.

    Returns of a call: a list with an answer for each text, in the order of the texts; for a single
        text or pair the answer alone. Answers of a classifier are dicts `label` (str) and `score`
        (float, its probability). Those of a token classifier are lists of entities in order,
        dicts `text` and `label` (str), `start` and `end` (int, characters of the text, end
        exclusive) and `score` (float, the mean probability of its words). Those of a masked
        language model are lists with one entry a `[MASK]`, a list of dicts `token` (str) and
        `score` (float), likeliest first.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder is no SavedModel of this package; pairs or predicates given to a
            model that takes none; `batch_size` below 1.
        TypeError: something that is no text.

    Example: `kb.Predictor("saved_models/sst2/1")(["a gripping film"])` gives
        `[{"label": "positive", "score": 0.98}]`; a runnable one stands at `export_saved_model`.
    """

    def __init__(self, path):
        self.path = _saved_model(os.fspath(path))
        # The signatures live as long as the object that was loaded.
        self._loaded = tf.saved_model.load(self.path)
        self.signatures = dict(self._loaded.signatures)
        default = self.signatures.get("serving_default")
        outputs = set(default.structured_outputs) if default is not None else set()
        self._answers = next((f for keys, f in _ANSWERS.items() if set(keys) <= outputs), None)
        if self._answers is None:
            raise ValueError(
                f"{self.path} is a SavedModel, but not of a task that this package exports: its "
                f"signatures are {sorted(self.signatures)}, serving_default returns "
                f"{sorted(outputs)}"
            )

    def __call__(self, texts, batch_size=32):
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive int; received {batch_size!r}")
        if isinstance(texts, (str, tuple)):
            return self([texts], batch_size)[0]
        texts = list(texts)
        signature, columns = self._columns(texts)
        lengths = [sum(map(len, strings)) for strings in zip(*_strings(columns), strict=True)]
        order = sorted(range(len(texts)), key=lambda i: lengths[i])
        answers = [None] * len(texts)
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            batch = {name: _tensor([c[i] for i in places]) for name, c in columns.items()}
            outputs = {name: value.numpy() for name, value in signature(**batch).items()}
            for row, place in enumerate(places):
                answers[place] = self._answers({name: v[row] for name, v in outputs.items()})
        return answers

    def _columns(self, texts):
        """The signature for texts, and its inputs: name -> list of str or int."""
        items = [tuple(text) if isinstance(text, (list, tuple)) else (text,) for text in texts]
        kinds = [tuple(str if isinstance(p, str) else type(p) for p in parts) for parts in items]
        kind = kinds[0] if kinds else (str,)
        for place, other in enumerate(kinds):
            if other != kind or kind not in _INPUTS:
                raise TypeError(
                    "texts: expected str only, or tuples of two str only, or tuples of a str and "
                    f"two int only; received {texts[place]!r} at place {place}"
                )
        name, what, inputs = _INPUTS[kind]
        if name not in self.signatures:
            raise ValueError(f"{self.path} takes single texts; received {what}")
        if kind == (str, int, int):
            for place, (text, start, end) in enumerate(items):
                if not 0 <= start < end <= len(text):
                    raise ValueError(
                        f"texts: expected a predicate of characters 0 <= start < end <= "
                        f"{len(text)}; received {texts[place]!r} at place {place}"
                    )
        columns = zip(*items, strict=True) if items else [()] * len(inputs)
        return self.signatures[name], dict(zip(inputs, columns, strict=True))


# Types of an item's parts -> the signature, what the items are, and its inputs.
_INPUTS = {
    (str,): ("serving_default", "texts", ("text",)),
    (str, str): ("serve_pairs", "pairs", ("text", "text_pair")),
    (str, int, int): (
        "serve_predicates",
        "predicates",
        ("text", "predicate_start", "predicate_end"),
    ),
}


def _strings(columns):
    return [column for column in columns.values() if column and isinstance(column[0], str)]


def _tensor(values):
    return as_strings(values) if isinstance(values[0], str) else tf.constant(values, tf.int32)


def _classifier_answer(row):
    return {"label": row["label"].decode("utf-8"), "score": float(row["score"])}


def _masked_lm_answer(row):
    masks = zip(row["tokens"], row["scores"], strict=True)
    return [
        [
            {"token": token.decode("utf-8"), "score": float(score)}
            for token, score in zip(*mask, strict=True)
        ]
        for mask in list(masks)[: row["num_masks"]]
    ]


# Outputs of serving_default that tell a task -> what makes a row of them an answer.
_ANSWERS = {
    ("label", "score"): _classifier_answer,
    ("tokens", "scores", "num_masks"): _masked_lm_answer,
    ("num_entities", "labels", "texts", "starts", "ends", "scores"): entities_of,
}


def _saved_model(path):
    path = atomic.find_directory(path)
    if not os.path.isdir(path):
        raise FileNotFoundError(f"no such folder: {path}; expected a SavedModel")
    if os.path.isfile(os.path.join(path, "saved_model.pb")):
        return path
    versions = [name for name in os.listdir(path) if name.isdecimal()]
    found = [n for n in versions if os.path.isfile(os.path.join(path, n, "saved_model.pb"))]
    if not found:
        raise ValueError(
            f"{path} holds no saved_model.pb, so it is no SavedModel; make one with "
            "export_saved_model"
        )
    return os.path.join(path, max(found, key=int))
