"""Run by test_heads.py in a process of its own, with KERAS_BACKEND=jax.

Loads every head that TensorFlow saved, predicts, trains, and writes what came out.
"""

import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from models.head_models import HEADS, TRAINED, arrays

import keras_bert as kb

folder = sys.argv[1]
assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
results = {}
for name in [*HEADS, "embedder", "ensemble"]:
    model = keras.models.load_model(f"{folder}/{name}.keras")
    x, y, w = arrays(name, 8)
    for key, value in model.predict(x, verbose=0).items():
        results[f"{name}/output/{key}"] = value
    if name in TRAINED:
        model.compile(optimizer=kb.optimizers.adamw(1e-2), **HEADS[name][1]())
        history = model.fit(
            x, y, sample_weight=w, epochs=3, batch_size=4, shuffle=False, verbose=0
        ).history
        results |= {f"{name}/log/{key}": value for key, value in history.items()}
        results |= {f"{name}/weight/{v.path}": np.asarray(v) for v in model.weights}
np.savez(f"{folder}/results.npz", **results)
