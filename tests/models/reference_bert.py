"""BERT's forward pass in plain NumPy, float64, row by row and head by head; slow and plain.

Written from the paper and google-research/bert `modeling.py`, sharing no code with the package.
Weights are a dict from Keras's variable paths to arrays, so that a test may also change them.
"""

import math

import numpy as np


def weights_of(model):
    """Returns the weights of a model, by path, in float64."""
    return {w.path: np.asarray(w.numpy(), "float64") for w in model.weights}


def randomize(model, seed=0):
    """Gives every weight of a model or layer a value that matters: none 0, no gain 1."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        center = 1.0 if weight.path.endswith("gamma") else 0.0
        spread = 0.5 if weight.path.endswith("_table") else 0.3
        weight.assign(center + spread * rng.standard_normal(weight.shape))
    return model


def example_inputs(config, rows=3, length=7, masks=2, seed=0):
    """Returns inputs of a model: rows of different lengths, the first one full."""
    rng = np.random.default_rng(seed)
    lengths = np.array([length, *rng.integers(2, length, size=rows - 1)])
    real = np.arange(length) < lengths[:, None]
    inputs = {
        # Padding holds ids too: they must not matter.
        "token_ids": rng.integers(0, config.vocabulary_size, (rows, length)),
        "segment_ids": rng.integers(0, config.num_segments, (rows, length)),
        "padding_mask": real,
        "mask_positions": rng.integers(0, lengths[:, None], (rows, masks)),
    }
    return {name: value.astype("int32") for name, value in inputs.items()}


def without_positions(inputs):
    """Returns the inputs of a backbone or classifier."""
    return {name: value for name, value in inputs.items() if name != "mask_positions"}


def gelu(x):
    return 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def gelu_tanh(x):
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
}


def softmax(x):
    exponents = np.exp(x - x.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def layer_norm(weights, name, x, epsilon):
    centered = x - x.mean(-1, keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + epsilon)
    return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def embed(config, weights, token_ids, segment_ids):
    """Returns the embeddings `(sequence, embedding_dim)` of one row."""
    rows = [
        weights["embeddings/token_table"][token]
        + weights["embeddings/segment_table"][segment]
        + weights["embeddings/position_table"][position]
        for position, (token, segment) in enumerate(zip(token_ids, segment_ids, strict=True))
    ]
    return layer_norm(weights, "embeddings/layer_norm", np.array(rows), config.layer_norm_epsilon)


def attend(config, weights, name, x, padding_mask):
    """Returns attention's output `(sequence, hidden_dim)` and its map `(heads, from, to)`.

    The mask is `(sequence,)`, or `(sequence, sequence)`: which token looks at which.
    """
    length, size = len(x), config.hidden_dim // config.num_heads
    masks = np.broadcast_to(padding_mask, (length, length))
    query, key, value = (dense(weights, f"{name}/{part}", x) for part in ("query", "key", "value"))
    maps = np.zeros((config.num_heads, length, length))
    context = np.zeros_like(query)
    for head in range(config.num_heads):
        columns = slice(head * size, (head + 1) * size)
        for position in range(length):
            real = np.flatnonzero(masks[position])  # only what it may see is looked at
            scores = key[real, columns] @ query[position, columns] / math.sqrt(size)
            maps[head, position, real] = softmax(scores)
            context[position, columns] = maps[head, position] @ value[:, columns]
    return dense(weights, f"{name}/projection", context), maps


def encode(config, weights, name, x, padding_mask):
    """Returns one encoder layer's output and attention map for one row."""
    epsilon, activation = config.layer_norm_epsilon, ACTIVATIONS[config.activation]

    def norm(part, x):
        return layer_norm(weights, f"{name}/{part}_norm", x, epsilon)

    def feed_forward(x):
        return dense(
            weights, f"{name}/output", activation(dense(weights, f"{name}/intermediate", x))
        )

    attention_input = norm("attention", x) if config.pre_norm else x
    attended, maps = attend(config, weights, f"{name}/attention", attention_input, padding_mask)
    x = x + attended
    if config.pre_norm:
        return x + feed_forward(norm("feed_forward", x)), maps
    x = norm("attention", x)
    return norm("feed_forward", x + feed_forward(x)), maps


def backbone(config, weights, inputs):
    """Returns what `BertBackbone.internals()` returns."""
    rows = []
    for token_ids, segment_ids, padding_mask in zip(
        inputs["token_ids"], inputs["segment_ids"], inputs["padding_mask"], strict=True
    ):
        x = embed(config, weights, token_ids, segment_ids)
        if config.embedding_dim != config.hidden_dim:
            x = dense(weights, "embedding_projection", x)
        states, maps = [x], []
        for i in range(config.num_layers):
            name = "encoder_layer" if config.share_layers else f"encoder_layer_{i}"
            x, attention_map = encode(config, weights, name, x, padding_mask)
            states.append(x)
            maps.append(attention_map)
        if config.pre_norm:
            x = layer_norm(weights, "final_norm", x, config.layer_norm_epsilon)
        rows.append((x, np.tanh(dense(weights, "pooler/dense", x[0])), states, maps))
    return {
        "sequence_output": np.stack([row[0] for row in rows]),
        "pooled_output": np.stack([row[1] for row in rows]),
        "layer_outputs": [
            np.stack(states) for states in zip(*(row[2] for row in rows), strict=True)
        ],
        "attention_maps": [np.stack(maps) for maps in zip(*(row[3] for row in rows), strict=True)],
    }


def pretrainer(config, weights, inputs):
    """Returns what `BertPretrainer` returns; `BertMaskedLM` returns its first part."""
    hidden = backbone(config, weights, inputs)
    logits = []
    for row, positions in zip(hidden["sequence_output"], inputs["mask_positions"], strict=True):
        x = dense(weights, "masked_lm/transform", np.array([row[p] for p in positions]))
        x = ACTIVATIONS[config.activation](x)
        x = layer_norm(weights, "masked_lm/layer_norm", x, config.layer_norm_epsilon)
        logits.append(x @ weights["embeddings/token_table"].T + weights["masked_lm/bias"])
    outputs = {"masked_lm": np.stack(logits)}
    if "next_sentence/kernel" in weights:
        outputs["next_sentence"] = dense(weights, "next_sentence", hidden["pooled_output"])
    return outputs


def text_classifier(config, weights, inputs):
    """Returns what `BertTextClassifier` returns."""
    pooled = backbone(config, weights, inputs)["pooled_output"]
    return {"classification": dense(weights, "classification", pooled)}
