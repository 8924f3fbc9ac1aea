"""Run by test_jax.py in a process of its own, with KERAS_BACKEND=jax.

Loads the model that TensorFlow saved, predicts, trains, and writes what came out.
"""

import json
import sys

import keras

import keras_bert as kb

folder = sys.argv[1]
model = keras.models.load_model(f"{folder}/model.keras")
config = kb.BertConfig(vocabulary_size=5, num_layers=1, hidden_dim=4, num_heads=2)
kb.BertTextClassifier(kb.BertBackbone(config), ["a", "b"])
kb.BertMaskedLM(kb.BertBackbone(config))
logs = {
    "backend": keras.backend.backend(),
    "text": "tensorflow_text" in sys.modules,
    "tensorflow": "tensorflow" in sys.modules,
}

import numpy as np  # noqa: E402

data = dict(np.load(f"{folder}/data.npz"))
inputs = {name: data[name] for name in model.input}
labels = {name: data[f"label/{name}"] for name in model.output}
weights = {name: data[f"weight/{name}"] for name in model.output}
outputs = model.predict(inputs, verbose=0)

model.compile(
    optimizer=kb.optimizers.adamw(1e-2, warmup_steps=2, total_steps=40, clip_norm=0.5),
    **kb.losses.pretraining(),
)
history = model.fit(
    inputs,
    labels,
    sample_weight=weights,
    epochs=5,
    shuffle=False,
    verbose=0,
    callbacks=[kb.Throughput()],
    batch_size=4,
).history
trained = {f"trained/{weight.path}": np.asarray(weight) for weight in model.weights}
# The schedule above has come to its end, where nothing is learnt any more: on with a steady rate.
model.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
logs |= model.fit(
    inputs, labels, sample_weight=weights, epochs=20, shuffle=False, verbose=0, batch_size=4
).history
logs["first"] = history
try:
    kb.strategy("mirrored")
except ValueError as error:
    logs["strategy"] = str(error)
try:
    model({**inputs, "token_ids": inputs["token_ids"] + 100})
except ValueError as error:
    logs["bad_ids"] = str(error)
np.savez(f"{folder}/outputs.npz", **outputs, **trained)
with open(f"{folder}/logs.json", "w") as file:
    json.dump(logs, file, default=float)
