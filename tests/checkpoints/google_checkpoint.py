"""Writes TensorFlow 1 checkpoints by hand, sharing no code with the product."""

import json
import pathlib

import numpy as np
import tensorflow as tf

# Each line: Hugging Face's piece of a name, Google's.
_PIECES = (
    ("encoder.layer.", "encoder/layer_"),
    ("_embeddings.weight", "_embeddings"),
    ("LayerNorm.weight", "LayerNorm/gamma"),
    ("LayerNorm.bias", "LayerNorm/beta"),
    ("cls.predictions.bias", "cls/predictions/output_bias"),
    ("cls.seq_relationship.", "cls/seq_relationship/output_"),
    ("qa_outputs.", "cls/squad/output_"),
    ("classifier.", "output_"),
    ("output_weight", "output_weights"),
    (".weight", "/kernel"),
    (".", "/"),
)


def google_config(values):
    """bert_config.json with the sizes of a config.json."""
    kept = {
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "type_vocab_size",
        "initializer_range",
    }
    return {key: value for key, value in values.items() if key in kept}


def google_variables(tensors, slots=False):
    """Hugging Face's tensors by Google's names; with the slots that training leaves beside them."""
    variables = {}
    for name, value in tensors.items():
        for theirs, googles in _PIECES:
            name = name.replace(theirs, googles)
        variables[name] = np.ascontiguousarray(value.T) if name.endswith("/kernel") else value
    if slots:
        for name, value in list(variables.items()):
            variables[f"{name}/adam_m"] = value + 1
            variables[f"{name}/adam_v"] = value + 2
        variables["global_step"] = np.int64(123)
    return variables


def write_checkpoint(prefix, variables):
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=[tf.constant(value) for value in variables.values()],
    )


def write_google(folder, config, variables, checkpoint="bert_model.ckpt", vocabulary=None):
    """Writes a folder as Google published them; `config` is of Google's or Hugging Face's keys."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "bert_config.json").write_text(json.dumps(google_config(config)))
    write_checkpoint(folder / checkpoint, variables)
    if vocabulary is not None:
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary))
    return folder
