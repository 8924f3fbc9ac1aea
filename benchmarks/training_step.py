"""One pretraining step, masked LM and next sentence, rows of 128: useful GFLOP a second.

Useful arithmetic is 6 x parameters x tokens for the encoder, and 6 x parameters x masked positions
for the head: scoring the vocabulary where nothing is masked counts for nothing. All are trained on
the same batch again and again, with AdamW and clipping by global norm; KerasHub has no next
sentence to learn, Hugging Face's model scores the vocabulary at every position.
"""

from functools import partial

import numpy as np

from benchmarks import peers
from benchmarks.groups import Group

VOCABULARY_SIZE = 30_522
SEQUENCE_LENGTH = 128
MASKS = 20
# layers, hidden size, heads, batch, steps measured in a repeat
SIZES = {
    "4x256": (4, 256, 4, 32, 8),
    "4x512": (4, 512, 8, 16, 8),
    "12x768": (12, 768, 12, 8, 3),
}


def useful_gflop(size):
    """The arithmetic of one step, forward and backward, in GFLOP."""
    layers, hidden, _, batch, _ = SIZES[size]
    encoder = layers * (12 * hidden * hidden + 13 * hidden)
    head = VOCABULARY_SIZE * hidden + hidden * hidden
    return 6e-9 * batch * (encoder * SEQUENCE_LENGTH + head * MASKS)


def batch_of(batch):
    """The same `batch` rows for all: (inputs, mask ids, mask weights, next-sentence labels)."""
    rng = np.random.default_rng(0)
    token_ids = rng.integers(1_000, VOCABULARY_SIZE, (batch, SEQUENCE_LENGTH)).astype("int32")
    places = rng.permuted(np.tile(np.arange(1, SEQUENCE_LENGTH - 1), (batch, 1)), axis=1)
    positions = np.sort(places[:, :MASKS]).astype("int32")
    inputs = {
        "token_ids": token_ids,
        "segment_ids": np.zeros_like(token_ids),
        "padding_mask": np.ones_like(token_ids),
        "mask_positions": positions,
    }
    mask_ids = np.take_along_axis(token_ids, positions, 1)
    return inputs, mask_ids, np.ones((batch, MASKS), "float32"), rng.integers(0, 2, batch)


def element_of(batch):
    """The same as an element of a dataset of ours: (inputs, labels, sample weights)."""
    inputs, mask_ids, weights, following = batch_of(batch)
    labels = {"masked_lm": mask_ids, "next_sentence": following}
    return inputs, labels, {"masked_lm": weights, "next_sentence": np.ones(batch, "float32")}


def _steps(size, setting):
    """Steps of a repeat; the first is not measured."""
    return 1 + (1 if setting.quick else SIZES[size][4])


def _keras_repeat(model, element, size, setting):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensors(element).repeat()
    steps = _steps(size, setting)
    peers.fit_steps(model, data, 2)
    gflop = useful_gflop(size) * (steps - 1)
    return lambda: peers.fit_steps(model, data, steps).rate(gflop)


def _ours(size, dtype, setting):
    import keras_bert as kb

    config = peers.our_config(*SIZES[size][:3], VOCABULARY_SIZE)
    model = kb.BertPretrainer(kb.BertBackbone(config, dtype=peers.keras_policy(dtype)))
    model.compile(
        optimizer=kb.optimizers.adamw(1e-4, total_steps=100_000), **kb.losses.pretraining()
    )
    return _keras_repeat(model, element_of(SIZES[size][3]), size, setting)


def _kerashub(size, dtype, jit, setting):
    import keras
    import keras_hub

    backbone = peers.kerashub_backbone(*SIZES[size][:3], VOCABULARY_SIZE, dtype)
    model = keras_hub.models.BertMaskedLM(backbone, preprocessor=None)
    model.compile(
        optimizer=peers.kerashub_optimizer(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy()],
        jit_compile=jit,
    )
    return _keras_repeat(model, batch_of(SIZES[size][3])[:3], size, setting)


def _huggingface(size, dtype, setting):
    import torch
    import transformers

    config = peers.huggingface_config(*SIZES[size][:3], VOCABULARY_SIZE)
    model = transformers.BertForPreTraining(config).train()
    optimizer = peers.torch_adamw(model, 1e-4)
    inputs, mask_ids, _, following = batch_of(SIZES[size][3])
    labels = np.full(inputs["token_ids"].shape, -100)
    np.put_along_axis(labels, inputs["mask_positions"].astype("int64"), mask_ids, 1)
    batch = {
        "input_ids": torch.from_numpy(inputs["token_ids"].astype("int64")),
        "labels": torch.from_numpy(labels),
        "next_sentence_label": torch.from_numpy(following),
    }
    steps = _steps(size, setting)
    peers.torch_steps(model, optimizer, [batch] * 2, dtype)
    gflop = useful_gflop(size) * (steps - 1)
    return lambda: peers.torch_steps(model, optimizer, [batch] * steps, dtype).rate(gflop)


GROUPS = [
    Group(
        name=f"training step {size}, batch {SIZES[size][3]}, {dtype}",
        unit="GFLOP/s",
        contenders={
            "ours": partial(_ours, size, dtype),
            "KerasHub": partial(_kerashub, size, dtype, False),
            "KerasHub, XLA": partial(_kerashub, size, dtype, True),
            "HF PyTorch": partial(_huggingface, size, dtype),
        },
        goal_ratios={"KerasHub": 1, "HF PyTorch": 2},
    )
    for size in SIZES
    for dtype in peers.DTYPES
]
