"""One of two workers of test_workers.py, or the whole batch alone: trains, writes what it became.

Arguments: a folder, and the name of the file to write there. TF_CONFIG says which worker it is.
"""

import json
import pathlib
import sys

import keras
import masked_batches
import numpy as np

import keras_bert as kb

if __name__ == "__main__":
    strategy = kb.strategy("auto")

import tensorflow as tf

from keras_bert.training.distribution import worker_index
from keras_bert.training.exchange import (
    from_chief,
    gather_over_workers,
    plain_from_chief,
)

CONFIG = kb.BertConfig(
    vocabulary_size=40,
    num_layers=1,
    hidden_dim=16,
    num_heads=2,
    max_sequence_length=12,
    dropout=0.0,
    attention_dropout=0.0,
)
STEPS, BATCH, LENGTH = 20, 8, masked_batches.LENGTH


def pretraining_data():
    """Batches whose first half, one worker's, has nearly all of the masks."""
    return masked_batches.dataset(STEPS * BATCH, BATCH)


def classification_data():
    """21 rows in batches of 4: the last one is a row alone, which leaves a worker without any."""
    rng = np.random.default_rng(4)
    ids = rng.integers(1, 40, (21, LENGTH)).astype("int32")
    inputs = {"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids * 0 + 1}
    labels = {"classification": rng.integers(0, 2, 21)}
    return tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(4)


def train(strategy, model_class, data, losses, epochs=1):
    keras.utils.set_random_seed(11)
    with strategy.scope():
        backbone = kb.BertBackbone(CONFIG)
        model = model_class(backbone)
        for weight in model.trainable_weights:  # far from the start, so that gradients are large
            if len(weight.shape) > 1:
                weight.assign(weight * 10)
        model.compile(
            kb.optimizers.adamw(1e-2, warmup_steps=3, total_steps=40, clip_norm=0.3), **losses()
        )
    history = model.fit(data(), validation_data=data(), epochs=epochs, verbose=0).history
    evaluation = model.evaluate(data(), verbose=0, return_dict=True)
    predictions = model.predict(data().map(lambda *batch: batch[0]), verbose=0)
    weights = {
        f"weight/{i}{v.path}": keras.ops.convert_to_numpy(v) for i, v in enumerate(model.variables)
    }
    moments = {
        f"moment/{i}": keras.ops.convert_to_numpy(v)
        for i, v in enumerate(model.optimizer.variables)
    }
    return {**weights, **moments, **predictions}, {"history": history, "evaluation": evaluation}


def everything(strategy):
    """Arrays and logs of both models."""
    arrays, logs = train(
        strategy, kb.BertPretrainer, pretraining_data, kb.losses.pretraining, epochs=1
    )
    more, logs["classification"] = train(
        strategy,
        lambda backbone: kb.BertTextClassifier(backbone, labels=["a", "b"]),
        classification_data,
        kb.losses.classification,
        epochs=2,
    )
    return {**arrays, **{f"classifier/{name}": value for name, value in more.items()}}, logs


def exchanges():
    """What the workers tell each other, in ways that would show a mistake."""
    index = worker_index()
    mine = np.array([[1.5, -0.0, np.nan], [index, 2.0, 3.0]], "float32")
    sent = from_chief(mine if index == 0 else np.zeros_like(mine))
    return {
        "gathered": gather_over_workers(np.array([index, 7 * index + 1])).tolist(),
        "sent": sent.tobytes().hex(),
        "mine": mine.tobytes().hex(),
        "plain": plain_from_chief({"step": 3, "text": "字"} if index == 0 else None),
        "nothing": plain_from_chief(None),
    }


def main(folder, name):
    arrays, logs = everything(strategy)
    logs["exchanges"] = exchanges()
    np.savez(pathlib.Path(folder) / f"{name}.npz", **arrays)
    (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps(logs, default=float))


if __name__ == "__main__":
    main(*sys.argv[1:])
