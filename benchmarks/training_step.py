"""One pretraining step, ours beside KerasHub and Hugging Face on PyTorch; useful GFLOP/s.

Useful arithmetic is 6 x parameters x tokens for the encoder, and 6 x parameters x masked positions
for the head: scoring the vocabulary where nothing is masked counts for nothing.
"""

import time

import numpy as np

from benchmarks.peers import huggingface_config, kerashub_policy, torch_dtype

VOCABULARY_SIZE = 30_522
SEQUENCE_LENGTH = 128
MASKS = 20
# layers, hidden size, heads, batch
SIZES = {"4x256": (4, 256, 4, 32), "4x512": (4, 512, 8, 16), "12x768": (12, 768, 12, 8)}


def useful_gflop(size):
    """Returns the arithmetic of one step, forward and backward, in GFLOP."""
    layers, hidden, _, batch = SIZES[size]
    encoder = layers * (12 * hidden * hidden + 13 * hidden)
    head = VOCABULARY_SIZE * hidden + hidden * hidden
    return 6e-9 * batch * (encoder * SEQUENCE_LENGTH + head * MASKS)


def batch_of(size):
    """Returns the same batch for all: (token_ids, positions, ids, weights, next sentence)."""
    rng = np.random.default_rng(0)
    batch = SIZES[size][3]
    token_ids = rng.integers(1_000, VOCABULARY_SIZE, (batch, SEQUENCE_LENGTH)).astype("int32")
    positions = np.sort(rng.permuted(np.tile(np.arange(1, 127), (batch, 1)), axis=1)[:, :MASKS])
    mask_ids = np.take_along_axis(token_ids, positions, 1).astype("int32")
    weights = np.ones((batch, MASKS), "float32")
    return token_ids, positions.astype("int32"), mask_ids, weights, rng.integers(0, 2, batch)


def prepare(peer, size, dtype, jit=False):
    """Returns a function that trains `steps` steps and returns the seconds they took."""
    return {"ours": _ours, "kerashub": _kerashub, "huggingface": _huggingface}[peer](
        size, dtype, jit
    )


def _keras_runner(model, x, y, weights):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensors((x, y, weights)).repeat()

    def run(steps):
        start = time.perf_counter()
        model.fit(data, steps_per_epoch=steps, verbose=0)
        return time.perf_counter() - start

    run(3)
    return run


def _ours(size, dtype, jit):
    import keras_bert as kb

    layers, hidden, heads, _ = SIZES[size]
    config = kb.BertConfig(num_layers=layers, hidden_dim=hidden, num_heads=heads)
    model = kb.BertPretrainer(kb.BertBackbone(config, dtype=kerashub_policy(dtype)))
    model.compile(
        optimizer=kb.optimizers.adamw(1e-4, total_steps=100_000),
        jit_compile=jit,
        **kb.losses.pretraining(),
    )
    token_ids, positions, mask_ids, weights, following = batch_of(size)
    x = {
        "token_ids": token_ids,
        "segment_ids": np.zeros_like(token_ids),
        "padding_mask": np.ones_like(token_ids),
        "mask_positions": positions,
    }
    y = {"masked_lm": mask_ids, "next_sentence": following}
    ones = np.ones(len(following), "float32")
    return _keras_runner(model, x, y, {"masked_lm": weights, "next_sentence": ones})


def _kerashub(size, dtype, jit):
    import keras
    import keras_hub

    layers, hidden, heads, _ = SIZES[size]
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY_SIZE,
        num_layers=layers,
        num_heads=heads,
        hidden_dim=hidden,
        intermediate_dim=4 * hidden,
        dropout=0.1,
        max_sequence_length=512,
        dtype=kerashub_policy(dtype),
    )
    model = keras_hub.models.BertMaskedLM(backbone, preprocessor=None)
    optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy()],
        jit_compile=jit,
    )
    token_ids, positions, mask_ids, weights, _ = batch_of(size)
    x = {
        "token_ids": token_ids,
        "segment_ids": np.zeros_like(token_ids),
        "padding_mask": np.ones_like(token_ids),
        "mask_positions": positions,
    }
    return _keras_runner(model, x, mask_ids, weights)


def _huggingface(size, dtype, jit):
    import torch
    import transformers

    layers, hidden, heads, _ = SIZES[size]
    config = huggingface_config(layers, hidden, heads)
    model = transformers.BertForPreTraining(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    token_ids, positions, mask_ids, _, following = batch_of(size)
    labels = np.full(token_ids.shape, -100, "int64")
    np.put_along_axis(labels, positions.astype("int64"), mask_ids.astype("int64"), 1)
    inputs = {
        "input_ids": torch.from_numpy(token_ids.astype("int64")),
        "labels": torch.from_numpy(labels),
        "next_sentence_label": torch.from_numpy(following),
    }

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            with torch.autocast("cpu", torch_dtype(dtype), enabled=dtype != "float32"):
                loss = model(**inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return time.perf_counter() - start

    run(2)
    return run
