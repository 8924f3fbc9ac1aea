"""A tiny embedding trainer, batches for each of its losses, and the losses in NumPy.

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
LENGTH = 7


def make(pooling="mean", normalize=False, **options):
    """A trainer far from its start, not compiled; its embeddings are of several lengths."""
    keras.utils.set_random_seed(3)
    model = kb.BertEmbeddingTrainer(
        kb.BertTextEmbedder(kb.BertBackbone(CONFIG, **options), pooling, normalize)
    )
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 8)
    return model


def arrays(name, rows, seed=0):
    """Inputs, labels and weights for a loss; the later rows weigh little, the last one 0."""
    rng = np.random.default_rng(seed)
    texts = 2 if name == "cosine_regression" else 3
    lengths = rng.integers(3, LENGTH + 1, (rows, texts, 1))
    x = {
        "token_ids": rng.integers(0, 30, (rows, texts, LENGTH)),
        "segment_ids": np.zeros((rows, texts, LENGTH)),
        "padding_mask": np.arange(LENGTH) < lengths,
    }
    y = np.arange(rows * texts).reshape(rows, texts).astype("int32")
    if name == "cosine_regression":
        y = rng.uniform(0, 1, rows).astype("float32")
    return (
        {key: value.astype("int32") for key, value in x.items()},
        {"embeddings": y},
        {"embeddings": np.linspace(2, 0, rows).astype("float32")},
    )


def cosine(x, y):
    """The cosine of two vectors, in float64."""
    x, y = np.float64(x), np.float64(y)
    return x @ y / np.sqrt((x @ x) * (y @ y))


def expected(name, y, vectors, weights, **options):
    """The loss of a batch, row by row, by its definition."""
    values = [_VALUES[name](row, y, vectors, weights, **options) for row in range(len(vectors))]
    return float(np.dot(values, weights) / np.sum(weights))


def _cosine_regression(row, y, vectors, weights):
    return (cosine(*vectors[row]) - y[row]) ** 2


def _triplet(row, y, vectors, weights, margin=1.0):
    anchor, positive, negative = np.float64(vectors[row])
    distance = np.linalg.norm(anchor - positive) - np.linalg.norm(anchor - negative)
    return max(0.0, distance + margin)


def _in_batch(row, y, vectors, weights, temperature=0.05, symmetric=True):
    """Candidates are listed one by one; y numbers the texts."""
    own = {y[row][0], y[row][1]}
    others = [i for i in range(len(y)) if i != row and weights[i] > 0 and weights[row] > 0]
    # Of each other row (its anchor, its positive), where neither is mixed up with this one.
    apart = [i for i in others if y[i][0] != y[row][0] and y[i][1] not in own]
    texts = [vectors[i][1] for i in apart]
    for i in [row, *others] if weights[row] > 0 else []:
        texts += [vectors[i][k] for k in range(2, len(y[i])) if y[i][k] not in own]
    right = cosine(vectors[row][0], vectors[row][1]) / temperature
    forward = [right, *(cosine(vectors[row][0], text) / temperature for text in texts)]
    loss = np.logaddexp.reduce(forward) - right
    if not symmetric:
        return loss
    apart = [
        i for i in others if y[i][0] != y[row][0] and y[i][1] != y[row][1] and y[i][0] != y[row][1]
    ]
    backward = [right, *(cosine(vectors[i][0], vectors[row][1]) / temperature for i in apart)]
    return (loss + np.logaddexp.reduce(backward) - right) / 2


_VALUES = {
    "cosine_regression": _cosine_regression,
    "triplet": _triplet,
    "in_batch_negatives": _in_batch,
}
