"""BERT in plain NumPy and float64, over Hugging Face's tensor names: what tests compare with.

Written from the paper and google-research/bert `modeling.py`, sharing no code with the product.
"""

import math

import numpy as np

_erf = np.vectorize(math.erf)


def activation(name):
    return {
        "gelu": lambda x: x * 0.5 * (1.0 + _erf(x / math.sqrt(2.0))),
        "gelu_new": lambda x: (
            0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
        ),
        "relu": lambda x: np.maximum(x, 0.0),
        "silu": lambda x: x / (1.0 + np.exp(-x)),
        "tanh": np.tanh,
    }[name]


class NumpyBert:
    def __init__(self, config, tensors, prefix="bert."):
        self.config, self.prefix = config, prefix
        self.tensors = {name: np.asarray(value, np.float64) for name, value in tensors.items()}

    def dense(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def norm(self, name, x):
        deviation = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((deviation**2).mean(-1, keepdims=True) + self.config["layer_norm_eps"])
        return deviation / scale * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def __call__(self, token_ids, segment_ids, padding_mask):
        """int (batch, sequence) each -> float64 sequence_output, pooled_output."""
        p, config = self.prefix, self.config
        heads = config["num_attention_heads"]
        table = {
            kind: self.tensors[f"{p}embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "token_type", "position")
        }
        x = table["word"][token_ids] + table["token_type"][segment_ids]
        x = x + table["position"][: token_ids.shape[1]]
        x = self.norm(f"{p}embeddings.LayerNorm", x)
        batch, _, hidden = x.shape
        for i in range(config["num_hidden_layers"]):
            start = f"{p}encoder.layer.{i}."
            context = np.zeros_like(x)
            query, key, value = (
                self.dense(f"{start}attention.self.{kind}", x) for kind in ("query", "key", "value")
            )
            size = hidden // heads
            for b in range(batch):
                real = padding_mask[b] == 1
                for h in range(heads):
                    part = slice(h * size, (h + 1) * size)
                    scores = query[b][:, part] @ key[b][real][:, part].T / math.sqrt(size)
                    scores = np.exp(scores - scores.max(-1, keepdims=True))
                    scores = scores / scores.sum(-1, keepdims=True)
                    context[b][:, part] = scores @ value[b][real][:, part]
            attended = self.dense(f"{start}attention.output.dense", context)
            x = self.norm(f"{start}attention.output.LayerNorm", x + attended)
            inner = activation(config["hidden_act"])(self.dense(f"{start}intermediate.dense", x))
            x = self.norm(f"{start}output.LayerNorm", x + self.dense(f"{start}output.dense", inner))
        pooled = None
        if f"{p}pooler.dense.weight" in self.tensors:
            pooled = np.tanh(self.dense(f"{p}pooler.dense", x[:, 0]))
        return x, pooled

    def masked_lm(self, sequence_output, mask_positions):
        """-> float64 logits (batch, masks, vocabulary)."""
        x = np.stack([row[p] for row, p in zip(sequence_output, mask_positions, strict=True)])
        x = self.dense("cls.predictions.transform.dense", x)
        x = activation(self.config["hidden_act"])(x)
        x = self.norm("cls.predictions.transform.LayerNorm", x)
        table = self.tensors[f"{self.prefix}embeddings.word_embeddings.weight"]
        return x @ table.T + self.tensors["cls.predictions.bias"]

    def next_sentence(self, **x):
        return self.dense("cls.seq_relationship", self(**x)[1])

    def classification(self, **x):
        return self.dense("classifier", self(**x)[1])

    def token_classification(self, **x):
        return self.dense("classifier", self(**x)[0])

    def span(self, **x):
        """-> two of float64 (batch, sequence): start and end."""
        logits = self.dense("qa_outputs", self(**x)[0])
        return logits[..., 0], logits[..., 1]

    def multiple_choice(self, **x):
        """int (batch, choices, sequence) each -> float64 (batch, choices)."""
        rows = [
            self.classification(**{name: value[i] for name, value in x.items()})[:, 0]
            for i in range(len(x["token_ids"]))
        ]
        return np.stack(rows)

    def embedding(self, pooling, normalize, **x):
        """-> float64 (batch, hidden), of real tokens only."""
        pool = {
            "mean": lambda rows: rows.mean(0),
            "cls": lambda rows: rows[0],
            "max": lambda rows: rows.max(0),
            "mean_sqrt_len_tokens": lambda rows: rows.sum(0) / math.sqrt(len(rows)),
        }[pooling]
        pairs = zip(self(**x)[0], x["padding_mask"], strict=True)
        result = np.stack([pool(rows[mask == 1]) for rows, mask in pairs])
        length = np.linalg.norm(result, axis=-1, keepdims=True)
        return result / length if normalize else result


def hf_config(**changes):
    """The config.json of a tiny model, without a word on its heads."""
    return {
        "model_type": "bert",
        "vocab_size": 23,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 12,
        "type_vocab_size": 2,
        "max_position_embeddings": 10,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.2,
        "layer_norm_eps": 1e-12,
        "initializer_range": 0.02,
        "hidden_act": "gelu",
        **changes,
    }


def hf_tensors(config, seed=0, prefix="bert.", labels=3):
    """Random float32 tensors, all heads, by Hugging Face's names and shapes."""
    rng = np.random.default_rng(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    tensors = {}

    def dense(name, outputs, inputs):
        tensors[name + ".weight"] = rng.normal(0, 0.4, (outputs, inputs))
        tensors[name + ".bias"] = rng.normal(0, 0.4, outputs)

    def norm(name):
        tensors[name + ".weight"] = rng.normal(1, 0.2, hidden)
        tensors[name + ".bias"] = rng.normal(0, 0.2, hidden)

    p = prefix
    for kind, size in (
        ("word", "vocab_size"),
        ("position", "max_position_embeddings"),
        ("token_type", "type_vocab_size"),
    ):
        tensors[f"{p}embeddings.{kind}_embeddings.weight"] = rng.normal(
            0, 0.5, (config[size], hidden)
        )
    norm(f"{p}embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        start = f"{p}encoder.layer.{i}."
        for kind in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{start}attention.{kind}", hidden, hidden)
        norm(f"{start}attention.output.LayerNorm")
        dense(f"{start}intermediate.dense", inner, hidden)
        dense(f"{start}output.dense", hidden, inner)
        norm(f"{start}output.LayerNorm")
    dense(f"{p}pooler.dense", hidden, hidden)
    if prefix:
        dense("cls.predictions.transform.dense", hidden, hidden)
        norm("cls.predictions.transform.LayerNorm")
        tensors["cls.predictions.bias"] = rng.normal(0, 0.4, config["vocab_size"])
        dense("cls.seq_relationship", 2, hidden)
        dense("classifier", labels, hidden)
        dense("qa_outputs", 2, hidden)
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def inputs(config, seed=0, batch=3, length=7):
    """Random token ids, segment ids and padding masks (1 = real), rows of different lengths."""
    rng = np.random.default_rng(seed)
    token_ids = rng.integers(0, config["vocab_size"], (batch, length))
    lengths = rng.integers(1, length + 1, batch)
    lengths[0] = length
    padding_mask = (np.arange(length) < lengths[:, None]).astype("int32")
    segment_ids = (np.arange(length) >= lengths[:, None] // 2) * padding_mask
    return {
        "token_ids": (token_ids * padding_mask).astype("int32"),
        "segment_ids": segment_ids.astype("int32"),
        "padding_mask": padding_mask,
    }


def choice_inputs(config, seed=0, batch=2, choices=3, length=7):
    """As `inputs`, `(batch, choices, length)`."""
    rows = inputs(config, seed, batch * choices, length)
    return {name: value.reshape(batch, choices, length) for name, value in rows.items()}
