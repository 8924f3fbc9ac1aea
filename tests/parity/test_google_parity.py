"""A TensorFlow 1 checkpoint against a forward pass in plain NumPy and float64."""

import json

import numpy as np
import tensorflow as tf
from numpy_bert import NumpyBert, inputs

import keras_bert as kb


def test_the_tiny_checkpoint(shared_data, record_parity):
    directory = shared_data / "tiny_tf1_checkpoint"
    config = {**json.loads((directory / "bert_config.json").read_text()), "layer_norm_eps": 1e-12}
    reader = tf.train.load_checkpoint(str(directory / "bert_model.ckpt"))
    tensors = {}
    for name in reader.get_variable_to_shape_map():
        value = reader.get_tensor(name)
        *parts, last = name.replace("layer_", "layer.").split("/")
        kind = {"gamma": "weight", "beta": "bias", "output_weights": "weight"}
        kind |= {"output_bias": "bias", "kernel": "weight"}
        value = value.T if last == "kernel" else value
        ending = ".weight" if last.endswith("embeddings") else ""
        tensors[".".join([*parts, kind.get(last, last) + ending])] = value
    numpy = NumpyBert(config, {k: v for k, v in tensors.items() if "adam" not in k})
    x = inputs(config, batch=5, length=12)
    positions = np.array([[0, 1, 2]] * 5, "int32")
    sequence, pooled = numpy(**x)
    expected = {
        "masked_lm": numpy.masked_lm(sequence, positions),
        "next_sentence": numpy.dense("cls.seq_relationship", pooled),
    }
    model = kb.model_from_preset(directory)
    ours = {**model.backbone(x), **model({**x, "mask_positions": positions})}
    real = x["padding_mask"] == 1
    differences = {
        "sequence_output": np.abs(ours["sequence_output"].numpy()[real] - sequence[real]).max(),
        "pooled_output": np.abs(ours["pooled_output"] - pooled).max(),
        **{name: np.abs(ours[name] - value).max() for name, value in expected.items()},
    }
    for name, difference in differences.items():
        record_parity("Google, tiny_tf1_checkpoint (against NumPy)", name, difference)
        assert difference < 1e-6
