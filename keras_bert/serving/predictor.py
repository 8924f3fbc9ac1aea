"""Answers from an exported SavedModel, in this process."""

import os

import tensorflow as tf
import tensorflow_text  # noqa: F401 - its ops are in the graph

from keras_bert import atomic
from keras_bert.serving import items
from keras_bert.serving.answers import find_answer


class Predictor:
    """Loads a SavedModel of `export_saved_model` and answers texts.

    Args:
        path: str or path-like, the folder of the SavedModel, or the folder above it with numbered
            versions, of which the highest is taken.

    Call arguments:
        texts: str, or a list of str. For pairs, and for a question and its text, a tuple of two
            str, or a list of such tuples, and likewise: for multiple choice (str, list of str, the
            choices); for the roles of a predicate (str, start, end), its characters, end
            exclusive; for relations (str, (start, end), (start, end)), where the two entities
            stand, or a str with `<e1>...</e1>` and `<e2>...</e2>` in it.
        batch_size: int, most texts at once. Default 32. Texts are sorted by length inside, so
            that batches hold little padding.

    Returns of a call: a list with an answer for each text, in the order of the texts; for a single
        text or tuple the answer alone. By the model's task an answer is
        - classification, relations: dict `label` (str), `score` (float, its probability);
        - several labels: list of such dicts, likeliest first;
        - regression: dict `score` (float), or several numbers by their names;
        - tokens: list of entities in order, dicts `text`, `label` (str), `start`, `end` (int,
          characters of the text, end exclusive), `score` (float, mean probability of its words);
        - questions: dict `answer` (str, "" for none), `start`, `end` (int, its characters in the
          text, -1 for none), `score` (float, its probability);
        - sequence to sequence: dict `text` (str), what the model wrote, `score` (float, the
          geometric mean of the probabilities of its tokens);
        - fill-mask: list with one entry a `[MASK]`, a list of dicts `token` (str), `score`
          (float), likeliest first;
        - multiple choice: dict `choice` (str), `index` (int, from 0), `score` (float);
        - next sentence: dict `is_next` (bool), `score` (float, the probability that it is);
        - embeddings: list of `hidden_dim` floats.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder is no SavedModel of this package; items of another kind than the
            model takes; `batch_size` below 1.
        TypeError: something that is no such item.

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
        self._answer = find_answer(outputs)
        if self._answer is None:
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
        inputs = {
            name: set(signature.structured_input_signature[1])
            for name, signature in self.signatures.items()
        }
        try:
            name, columns = items.columns(texts, inputs)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        answers = [None] * len(texts)
        for places in items.batches(columns, batch_size):
            batch = {key: items.tensor([c[i] for i in places]) for key, c in columns.items()}
            outputs = self.signatures[name](**batch)
            outputs = {key: value.numpy() for key, value in outputs.items()}
            for row, place in enumerate(places):
                answers[place] = self._answer({key: value[row] for key, value in outputs.items()})
        return answers


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
