"""Google's TensorFlow 1 release of a BERT: `bert_config.json`, `bert_model.ckpt.*`, `vocab.txt`."""

import json
import logging
import os

import numpy as np

from keras_bert.checkpoints import google_names, limits, names
from keras_bert.checkpoints.google_files import CHECKPOINT, CheckpointFiles, find_checkpoint
from keras_bert.checkpoints.source import Source
from keras_bert.config import BertConfig
from keras_bert.preset_kind import read_json

CONFIG_FILE = "bert_config.json"

# Google's -> ours, and Google's default where the file lacks the key.
_FIELDS = {
    "vocab_size": ("vocabulary_size", None),
    "hidden_size": ("hidden_dim", 768),
    "num_hidden_layers": ("num_layers", 12),
    "num_attention_heads": ("num_heads", 12),
    "intermediate_size": ("intermediate_dim", 3072),
    "hidden_dropout_prob": ("dropout", 0.1),
    "attention_probs_dropout_prob": ("attention_dropout", 0.1),
    "max_position_embeddings": ("max_sequence_length", 512),
    "type_vocab_size": ("num_segments", 16),
    "initializer_range": ("initializer_range", 0.02),
}
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_tanh": "gelu_tanh",
    "relu": "relu",
    "tanh": "tanh",
}
# "gelu" alone would be read as the erf form by this package and by Hugging Face's converter, and as
# the tanh form by Google's file of 2019. Of "gelu_new" a reader knows what it means, or refuses.
_WRITTEN_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu", "tanh": "tanh"}
# Hugging Face's classes whose heads Google's scripts have.
_HEADS = (
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForQuestionAnswering",
)
_SYSTEM = "google-research/bert"

_logger = logging.getLogger(__name__)


def open_folder(folder, given):
    """Opens a folder as Google published BERT, or as its training scripts leave it.

    Args:
        folder: str, a folder on this machine.
        given: str, what the user named; see `find_checkpoint`.

    Returns:
        `Source`.

    Raises:
        FileNotFoundError: the configuration or the checkpoint is missing.
        ValueError: as `config_of`, `find_checkpoint` and `CheckpointFiles`.
    """
    path = os.path.join(folder, CONFIG_FILE)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{folder} holds a TensorFlow checkpoint but no {CONFIG_FILE}; put that of the model "
            "which the training started from beside it"
        )
    config = config_of(read_json(path), path)
    tensors = CheckpointFiles(find_checkpoint(folder, given))
    values = {"architectures": [_architecture(tensors)]}
    return Source("google", folder, config, path, tensors, values, ignored=tensors.ignored)


def config_of(values, path):
    """Makes of the content of `bert_config.json` the sizes and rates of a model.

    `"gelu"` is the exact erf form: that is what `modeling.py` computed when the models were trained
    and published in 2018, and what Hugging Face's conversions of them compute. In 2019 the same
    file was changed to the tanh approximation under the same name; a model that was trained with
    it since says so only when its `hidden_act` is written as `"gelu_new"` (or `"gelu_tanh"`). The
    two differ by less than 5e-4 for any input.

    Args:
        values: dict.
        path: str, the file, for messages.

    Returns:
        `BertConfig`. Keys that are missing have Google's defaults.

    Raises:
        ValueError: a value is of a wrong type or out of range, or not supported.
    """
    if "vocab_size" not in values:
        raise ValueError(f"{path} lacks vocab_size; expected Google's {CONFIG_FILE}")
    name = values.get("hidden_act", "gelu")
    activation = _ACTIVATIONS.get(name.lower()) if isinstance(name, str) else None
    if activation is None:
        raise ValueError(
            f"{path}: hidden_act is {name!r}; expected one of {', '.join(_ACTIVATIONS)}"
        )
    fields = {ours: values.get(key, default) for key, (ours, default) in _FIELDS.items()}
    for key, (ours, _) in _FIELDS.items():
        if fields[ours] is None:
            raise ValueError(f"{path}: {key} is null; expected a number")
    try:
        return BertConfig(activation=activation, **fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _architecture(tensors):
    """The class of Hugging Face's that has the heads of a checkpoint."""
    for name, architecture in (
        ("classifier.bias", "BertForSequenceClassification"),
        ("qa_outputs.bias", "BertForQuestionAnswering"),
        ("cls.predictions.bias", "BertForMaskedLM"),
        ("cls.seq_relationship.bias", "BertForNextSentencePrediction"),
    ):
        if name in tensors:
            both = name == "cls.predictions.bias" and "cls.seq_relationship.bias" in tensors
            return "BertForPreTraining" if both else architecture
    return "BertModel"


def write_folder(folder, model, tokenizer):
    """Writes `bert_config.json`, `bert_model.ckpt.*` and the tokenizer's files.

    The files are those of google-research/bert, whose scripts restore them; labels, how sentences
    are embedded and a classifier's dropout have no place there, and a warning lists what was lost.
    `tokenizer_config.json` goes beside them, since Google's layout does not say either whether text
    is lower-cased.

    Args:
        folder: str or path-like, a folder that exists.
        model: a model of this package.
        tokenizer: `BertTokenizer`.

    Raises:
        ValueError: Google's BERT has no such variant or head.
        OSError: a file cannot be written.
    """
    _check(model)
    variables = _variables(model)
    with open(os.path.join(folder, CONFIG_FILE), "w", encoding="utf-8") as file:
        file.write(json.dumps(_config_values(model.config), indent=2) + "\n")
    _write_checkpoint(os.path.join(folder, CHECKPOINT), variables)
    tokenizer.save(folder, model_max_length=model.config.max_sequence_length)
    if lost := _lost(model):
        _logger.warning(
            "Google's files have no place for %s; whoever reads them has to be told",
            "; ".join(lost),
        )


def _check(model):
    """Refuses what Google's scripts would compute otherwise, or not at all."""
    config = model.config
    limits.check_variants(config, _SYSTEM)
    if config.activation not in _WRITTEN_ACTIVATIONS:
        raise ValueError(
            f"a model of activation={config.activation!r} cannot be written for {_SYSTEM}, which "
            f"knows {', '.join(_WRITTEN_ACTIVATIONS)}; {limits.ADVICE}"
        )
    head = (config.head_activation, config.head_layer_norm_epsilon)
    if hasattr(model, "masked_lm_head") and head != (config.activation, config.layer_norm_epsilon):
        raise ValueError(
            f"a model of head_activation={head[0]!r} and head_layer_norm_epsilon={head[1]} cannot "
            f"be written for {_SYSTEM}, whose head is as its encoder; {limits.ADVICE}"
        )
    limits.check_head(model, _HEADS, _SYSTEM)
    problem = getattr(model, "problem_type", "single_label")
    if problem != "single_label":
        raise ValueError(
            f"{_SYSTEM} has classifiers of classes that exclude each other only, and this one is "
            f"{problem}; {limits.ADVICE}, and model.backbone can be written without the head"
        )


def _variables(model):
    """Google's name of each variable -> its value, without a pooler that nothing trained."""
    variables = {}
    for tensor in names.model_tensors(model):
        name = names.canonical(tensor.name)
        if name.startswith("pooler.") and names.has_unused_pooler(model):
            continue
        variable, value = google_names.variable_name(name), np.asarray(tensor.variable, "float32")
        # Kernels lie as Keras's do, (inputs, outputs); weights of Google's heads the other way.
        is_turned = tensor.transposed and not google_names.is_kernel(variable)
        variables[variable] = value.T if is_turned else value
    return variables


def _write_checkpoint(prefix, variables):
    import tensorflow as tf

    try:
        with tf.device("CPU:0"):
            tf.raw_ops.SaveV2(
                prefix=prefix,
                tensor_names=list(variables),
                shape_and_slices=[""] * len(variables),
                tensors=list(variables.values()),
            )
    except tf.errors.OpError as error:
        raise OSError(f"{prefix}: {error.message}") from error


def _config_values(config):
    values = {key: getattr(config, ours) for key, (ours, _) in _FIELDS.items()}
    values["hidden_act"] = _WRITTEN_ACTIVATIONS[config.activation]
    return dict(sorted(values.items()))


def _lost(model):
    """What a model has and Google's files have not, in words."""
    lost = limits.lost_labels(model)
    if getattr(model, "dropout_rate", model.config.dropout) != model.config.dropout:
        lost.append(f"dropout {model.dropout_rate} before the classifier")
    if hasattr(model, "pooling"):
        lost.append(f"{model.pooling} pooling, normalize={model.normalize}")
    return lost
