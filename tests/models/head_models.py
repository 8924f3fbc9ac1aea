"""A tiny model of every head with data on which weights fall unevenly, for tests of training.

Used in processes on TensorFlow, on JAX and under strategies: imports neither backend.
"""

import keras
import numpy as np

import keras_bert as kb

CONFIG = kb.BertConfig(
    vocabulary_size=30,
    num_layers=1,
    hidden_dim=12,
    num_heads=3,
    max_sequence_length=9,
    dropout=0.0,
    attention_dropout=0.0,
)
LENGTH, CHOICES = 7, 3

# Makes a model of a backbone; its compile arguments.
HEADS = {
    "text": (lambda b: kb.BertTextClassifier(b, ["a", "b", "c"]), kb.losses.classification),
    "multi_label": (
        lambda b: kb.BertTextClassifier(b, ["a", "b", "c"], problem_type="multi_label"),
        kb.losses.multi_label_classification,
    ),
    "regression": (
        lambda b: kb.BertTextClassifier(b, ["x", "y"], problem_type="regression"),
        kb.losses.regression,
    ),
    "score": (
        lambda b: kb.BertTextClassifier(b, ["x"], problem_type="regression"),
        kb.losses.regression,
    ),
    "token": (lambda b: kb.BertTokenClassifier(b, ["a", "b"]), kb.losses.token_classification),
    "chain": (
        lambda b: kb.BertTokenClassifier(b, ["a", "b"], crf=True),
        lambda: kb.losses.token_classification(crf=True),
    ),
    "span": (kb.BertSpanClassifier, kb.losses.span),
    "choice": (kb.BertMultipleChoice, kb.losses.multiple_choice),
    "relation": (
        lambda b: kb.BertRelationClassifier(b, ["a", "b", "c"]),
        kb.losses.relation_classification,
    ),
    "next_sentence": (kb.BertNextSentence, kb.losses.next_sentence),
}

# Those of different losses and shapes, to be trained where that takes long.
TRAINED = ("multi_label", "score", "token", "chain", "choice")


def make(name, seed=3, **options):
    """A model far from its start, so that its gradients are large; not compiled."""
    keras.utils.set_random_seed(seed)
    model = HEADS[name][0](kb.BertBackbone(CONFIG, **options))
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 8)
        if weight.path.startswith("crf/"):  # all 0
            weight.assign(keras.random.normal(weight.shape, seed=seed + len(weight.shape)))
    return model


def arrays(name, rows, seed=0):
    """Inputs, labels and weights, dicts of arrays; the later rows weigh little, the last ones 0."""
    rng = np.random.default_rng(seed)
    shape = (rows, CHOICES, LENGTH) if name == "choice" else (rows, LENGTH)
    lengths = rng.integers(3, LENGTH + 1, (*shape[:-1], 1))
    x = {
        "token_ids": rng.integers(0, 30, shape),
        "segment_ids": rng.integers(0, 2, shape),
        "padding_mask": np.arange(LENGTH) < lengths,
    }
    if name == "relation":
        x["entity_positions"] = rng.integers(0, 3, (rows, 2))
    of_row = np.linspace(2, 0, rows)
    if name == "multi_label":
        y = {"classification": rng.integers(0, 2, (rows, 3))}
        w = {"classification": of_row[:, None] * rng.choice([0, 1], (rows, 3))}
    elif name == "regression":
        y, w = {"regression": rng.normal(0, 2, (rows, 2))}, {"regression": of_row}
    elif name == "score":
        y, w = {"regression": rng.normal(0, 2, rows)}, {"regression": of_row}
    elif name in ("token", "chain"):
        y = {"token_classification": rng.integers(0, 2, (rows, LENGTH))}
        labelled = x["padding_mask"] & (rng.random((rows, LENGTH)) < of_row[:, None] / 2)
        w = {"token_classification": labelled}
    elif name == "span":
        y = {key: rng.integers(0, 3, rows) for key in ("span_start", "span_end")}
        w = {"span_start": of_row, "span_end": of_row[::-1]}
    else:
        output = {"text": "classification", "choice": "multiple_choice"}.get(name, name)
        classes = 2 if name == "next_sentence" else 3
        y, w = {output: rng.integers(0, classes, rows)}, {output: of_row}
    return (
        {key: value.astype("int32") for key, value in x.items()},
        {
            key: value.astype("float32" if value.dtype == "float64" else "int32")
            for key, value in y.items()
        },
        {key: value.astype("float32") for key, value in w.items()},
    )


def difference(model, other):
    """The largest difference of two models' weights (or of lists of arrays)."""
    pairs = zip(*(getattr(m, "get_weights", lambda m=m: m)() for m in (model, other)), strict=True)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)
