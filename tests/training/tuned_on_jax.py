"""Run by test_tuned_on_jax.py on Keras's JAX backend: ways to fine-tune, from given weights."""

import os
import pathlib
import sys

if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import keras
import numpy as np
from training.tuned import arrays, classifier

import keras_bert as kb


def tuned(weights):
    """A model after three steps with frozen layers, falling rates, a penalty and averages."""
    model = classifier()
    model.set_weights(weights)
    kb.freeze(model, layers=1)
    kb.regularize(model, l2=1e-3)
    optimizer = kb.optimizers.adamw(1e-2, weight_decay=0.1, layer_decay=0.7, average=0.5)
    model.compile(optimizer, **kb.losses.classification())
    x, y, w = arrays(24)
    history = model.fit(
        x,
        y,
        sample_weight=w,
        batch_size=8,
        shuffle=False,
        validation_data=arrays(8, seed=1),
        callbacks=[kb.AveragedWeights(), kb.EarlyStopping("val_loss")],
        verbose=0,
    ).history
    return model.get_weights(), [history["loss"][0], history["val_loss"][0]]


def others(weights):
    """LoRA merged, against it unmerged; R-Drop's losses over some epochs."""
    model = classifier(dropout=0.2)
    model.set_weights(weights)
    kb.add_lora(model, rank=2)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    x, y, w = arrays(8)
    losses = model.fit(x, y, sample_weight=w, epochs=12, r_drop=1.0, verbose=0).history["loss"]
    unmerged = model.predict(x, verbose=0)["classification"]
    kb.merge_lora(model)
    merged = model.predict(x, verbose=0)["classification"]
    return losses, unmerged, merged


if __name__ == "__main__":
    assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
    with np.load(sys.argv[1]) as file:
        start = [file[str(i)] for i in range(len(file))]
    end, logs = tuned(start)
    losses, unmerged, merged = others(start)
    try:
        model = classifier()
        model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
        model.fit(*arrays(8), fgm=1.0)
        error = ""
    except ValueError as found:
        error = str(found)
    np.savez(
        sys.argv[2],
        *end,
        logs=logs,
        losses=losses,
        unmerged=unmerged,
        merged=merged,
        error=error,
    )
