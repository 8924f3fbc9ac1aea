"""Run by test_vocabulary.py in a process of its own, with KERAS_BACKEND=jax.

Changes the tables of a model that TensorFlow saved and trains the copies; writes what came out.
"""

import json
import sys

import keras
import numpy as np

import keras_bert as kb

folder = sys.argv[1]
model = keras.models.load_model(f"{folder}/model.keras")
before = [np.array(weight) for weight in model.weights]
inputs = dict(np.load(f"{folder}/inputs.npz"))
expected = {key: np.array(output) for key, output in model(inputs).items()}
with open(f"{folder}/vocabulary.json") as file:
    tokenizer = kb.BertTokenizer(json.load(file))

extended, new_tokenizer = kb.extend_vocabulary(model, tokenizer, ["covid", "##omics"])
replaced = kb.replace_vocabulary(extended, new_tokenizer, tokenizer)
longer = kb.lengthen(model, 30)
tables = {
    "token_table": extended.backbone.embeddings.token_table,
    "bias": extended.masked_lm_head.bias,
    "back": replaced.backbone.embeddings.token_table,
    "position_table": longer.backbone.embeddings.position_table,
}
tables = {name: np.array(table) for name, table in tables.items()}

# JAX's training step takes the memory of the weights it is given: these must be the copies' own.
labels = {"masked_lm": np.full((4, 2), 18), "next_sentence": np.array([0, 1, 1, 0])}
for copy in (extended, longer):
    copy.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
    copy.fit(inputs, {**labels, "masked_lm": labels["masked_lm"] % 18}, epochs=2, verbose=0)
for weight, old in zip(model.weights, before, strict=True):
    np.testing.assert_array_equal(np.asarray(weight), old)
for key, output in model(inputs).items():
    np.testing.assert_array_equal(np.asarray(output), expected[key])
moved = np.abs(np.asarray(longer.backbone.pooler.dense.kernel) - model.backbone.pooler.dense.kernel)
# And the other way round.
trained = [np.array(weight) for weight in longer.weights]
model.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
model.fit(inputs, {**labels, "masked_lm": labels["masked_lm"] % 18}, verbose=0)
for weight, old in zip(longer.weights, trained, strict=True):
    np.testing.assert_array_equal(np.asarray(weight), old)
np.savez(f"{folder}/outputs.npz", backend=keras.backend.backend(), moved=moved, **tables)
