"""Run by test_jax_devices.py in a process of its own: JAX with eight virtual CPU devices.

Trains one model from the same weights on one device, with data and with model parallelism, and
writes weights, histories and how variables lie on the devices.
"""

import contextlib
import json
import sys

import jax
import keras
import numpy as np

import keras_bert as kb
from keras_bert.training.stopping import StopAfter

folder = sys.argv[1]
CONFIG = kb.BertConfig(
    vocabulary_size=32,
    num_layers=2,
    hidden_dim=16,
    num_heads=4,
    intermediate_dim=24,
    max_sequence_length=12,
    dropout=0.0,
    attention_dropout=0.0,
)
BATCH, STEPS, LENGTH, MASKS = 8, 10, 10, 4


def data():
    """Rows of uneven lengths, the first batches with nearly all of the masks."""
    rng = np.random.default_rng(0)
    rows = BATCH * STEPS
    lengths = rng.integers(4, LENGTH + 1, rows)
    real = (np.arange(LENGTH) < lengths[:, None]).astype("int32")
    weights = (rng.random((rows, MASKS)) < rng.random((rows, 1)) ** 3).astype("float32")
    inputs = {
        "token_ids": rng.integers(0, 32, (rows, LENGTH)).astype("int32"),
        "segment_ids": (np.arange(LENGTH) > lengths[:, None] // 2).astype("int32") * real,
        "padding_mask": real,
        "mask_positions": (rng.integers(1, 4, (rows, MASKS)) * weights).astype("int32"),
    }
    labels = {
        "masked_lm": rng.integers(0, 32, (rows, MASKS)),
        "next_sentence": rng.integers(0, 2, rows),
    }
    return inputs, labels, {"masked_lm": weights, "next_sentence": np.ones(rows, "float32")}


def parts_of(variable):
    """The shape of a variable's part on each of the devices."""
    return sorted({tuple(shard.data.shape) for shard in variable.value.addressable_shards})


def train(distribution, config=CONFIG):
    with distribution.scope() if distribution else contextlib.nullcontext():
        keras.utils.set_random_seed(3)
        model = kb.BertPretrainer(kb.BertBackbone(config))
        start = np.random.default_rng(1)
        for weight in model.weights:
            weight.assign(weight + start.normal(0, 0.3, weight.shape))
        model.compile(
            optimizer=kb.optimizers.adamw(1e-2, warmup_steps=2, total_steps=40, clip_norm=0.5),
            **kb.losses.pretraining(),
        )
        inputs, labels, weights = data()
        log = kb.Throughput(peak=1e12)
        arguments = {"sample_weight": weights, "batch_size": BATCH, "verbose": 0}
        history = model.fit(inputs, labels, shuffle=False, callbacks=[log], **arguments).history
        evaluation = model.evaluate(inputs, labels, return_dict=True, **arguments)
        outputs = model.predict(inputs, batch_size=BATCH, verbose=0)
    return model, {"history": history, "evaluation": evaluation}, outputs


logs = {"devices": len(jax.devices())}
for name, distribution in {
    "one": None,
    "data": kb.distribution("data"),
    "model": kb.distribution("model", model_shards=4),
}.items():
    model, logs[name], outputs = train(distribution)
    weights = {f"weight/{weight.path}": np.asarray(weight) for weight in model.weights}
    np.savez(f"{folder}/{name}.npz", **weights, **outputs)
    logs[name]["parts"] = {weight.path: parts_of(weight) for weight in model.weights}
    logs[name]["moments"] = {v.path: parts_of(v) for v in model.optimizer.variables}
    logs[name]["devices"] = [len(w.value.sharding.device_set) for w in model.weights]

# A vocabulary that four devices do not divide.
odd_config = CONFIG.replace(vocabulary_size=33)
odd, logs["odd"], _ = train(kb.distribution("model", model_shards=4), odd_config)
logs["odd"]["parts"] = {weight.path: parts_of(weight) for weight in odd.weights}
logs["odd alone"] = train(None, odd_config)[1]

# A last batch that eight devices do not divide is refused, and the model is whole afterwards.
inputs = data()[0]
first, truth, weighed = ({k: v[:12] for k, v in part.items()} for part in data())
with kb.distribution("data").scope():
    model, _, outputs = train(kb.distribution("data"))
    try:
        model.evaluate(first, truth, sample_weight=weighed, batch_size=BATCH, verbose=0)
    except ValueError as error:
        logs["indivisible"] = str(error)
    again = model.predict(inputs, batch_size=BATCH, verbose=0)
    logs["whole afterwards"] = all(np.array_equal(again[name], outputs[name]) for name in outputs)

logs["errors"] = []
for arguments in (("both",), ("data", 2), ("model", 3)):
    try:
        kb.distribution(*arguments)
    except ValueError as error:
        logs["errors"].append(str(error))

# From text files, through tf.data, to a run's folder and a model directory.
tokenizer = kb.BertTokenizer(f"{folder}/vocab.txt")
stream = kb.data.pretraining(
    f"{folder}/corpus.txt", tokenizer, sequence_length=LENGTH, batch_size=BATCH
)
with kb.distribution("model", model_shards=2).scope():
    config = CONFIG.replace(vocabulary_size=tokenizer.vocabulary_size)
    model = kb.BertPretrainer(kb.BertBackbone(config))
    model.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
    callbacks = [kb.RunLog(f"{folder}/run", peak=1e12), StopAfter(14)]
    model.fit(stream, steps_per_epoch=5, epochs=3, verbose=0, callbacks=callbacks)
    kb.save_preset(f"{folder}/model", model, tokenizer)
    read = kb.BertPretrainer.from_preset(f"{folder}/model")
    logs["read back"] = [
        np.array_equal(one, other) and parts_of(one) == parts_of(other)
        for one, other in zip(model.weights, read.weights, strict=True)
    ]
with open(f"{folder}/logs.json", "w") as file:
    json.dump(logs, file, default=float)
