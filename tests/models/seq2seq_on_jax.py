"""Run by test_seq2seq_lm.py in a process of its own, with KERAS_BACKEND=jax."""

import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from models.seq2seq_rows import PAD, SEP, packed, packed_sources, rows

import keras_bert as kb

folder = sys.argv[1]
assert keras.backend.backend() == "jax"
model = keras.models.load_model(f"{folder}/model.keras")
assert isinstance(model, kb.BertSeq2SeqLM) and "tensorflow" not in sys.modules
sources, targets = rows()
outputs = {"logits": model.predict(packed(sources, targets)[0], verbose=0)["seq2seq"]}
for sampler in ("greedy", "beam"):
    model.sampler = sampler
    written = model.generate(packed_sources(sources), 5, SEP, PAD)["token_ids"]
    outputs[sampler] = np.asarray(written)
np.savez(f"{folder}/outputs.npz", **outputs)
