"""`config.json` of a Hugging Face model directory, to and from `BertConfig`."""

import json
import os

from keras_bert.checkpoints.names import OWN_ARCHITECTURES
from keras_bert.config import BertConfig

CONFIG_FILE = "config.json"

# Ours -> Hugging Face's, where one value stands for one value.
_NAMES = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "hidden_dim": "hidden_size",
    "num_heads": "num_attention_heads",
    "intermediate_dim": "intermediate_size",
    "num_segments": "type_vocab_size",
    "max_sequence_length": "max_position_embeddings",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "layer_norm_epsilon": "layer_norm_eps",
    "initializer_range": "initializer_range",
}
# Hugging Face's BERT has no such variants, and would load the weights into another model without a
# word. With a model_type of our own it refuses.
_VARIANTS = ("pre_norm", "share_layers", "embedding_dim")
# Variants of the masked-LM head; a model without one is Hugging Face's all the same.
_HEAD_VARIANTS = ("head_activation", "head_layer_norm_epsilon")
_WITH_HEAD = ("BertForPreTraining", "BertForMaskedLM")
_OWN_TYPE = "keras_bert"
_ACTIVATIONS = {  # Hugging Face's -> ours
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}
# Ours -> Hugging Face's.
PROBLEM_TYPES = {
    "single_label": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}
# A key of our own, which others pass over.
_NO_ANSWER = "no_answer_threshold"
_WRITTEN_ACTIVATIONS = {**{name: name for name in _ACTIVATIONS.values()}, "gelu_tanh": "gelu_new"}
# Options of Hugging Face's BERT of which this package has one value.
_FIXED = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}


def config_of(values, path):
    """Makes of the content of `config.json` the sizes and rates of a model.

    Args:
        values: dict, as `read_json` gives it.
        path: str, the file, for messages.

    Returns:
        `BertConfig`. Keys that are missing have Hugging Face's defaults, which are ours too.

    Raises:
        ValueError: it is of another kind of model, or asks for something that `BertConfig` cannot
            say.
    """
    kind = values.get("model_type")
    if kind not in ("bert", _OWN_TYPE):
        raise ValueError(
            f"{path}: model_type is {kind!r}, but this package reads 'bert' only; other kinds of "
            "model compute something else with the same tensor names"
        )
    for key, expected in _FIXED.items():
        if values.get(key, expected) != expected:
            raise ValueError(f"{path}: {key} is {values[key]!r}; only {expected!r} is supported")
    activation = values.get("hidden_act", "gelu")
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"{path}: hidden_act is {activation!r}; expected one of {', '.join(_ACTIVATIONS)}"
        )
    fields = {ours: values[theirs] for ours, theirs in _NAMES.items() if theirs in values}
    fields["activation"] = _ACTIVATIONS[activation]
    if kind == _OWN_TYPE:
        fields.update({name: values[name] for name in _VARIANTS if name in values})
    fields.update({name: values[name] for name in _HEAD_VARIANTS if name in values})
    try:
        return BertConfig(**fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def problem_type_of(source):
    """Reads what the outputs of a text classifier mean.

    Args:
        source: `Source`.

    Returns:
        One of `PROBLEM_TYPES`, or None where the file does not say.

    Raises:
        ValueError: it says something else.
    """
    written = source.values.get("problem_type")
    if written is None:
        return None
    for ours, theirs in PROBLEM_TYPES.items():
        if written == theirs:
            return ours
    raise ValueError(
        f"{source.config_path}: problem_type is {written!r}; expected one of "
        f"{', '.join(PROBLEM_TYPES.values())}"
    )


def labels_of(source):
    """Reads the names of a classifier's classes.

    Args:
        source: `Source`.

    Returns:
        List of str in the order of the classes, or None where the file names none.

    Raises:
        ValueError: the numbers have gaps.
    """
    path, values = source.config_path, source.values
    names = values.get("id2label")
    if not names:
        return None
    try:
        numbered = {int(number): str(name) for number, name in names.items()}
    except (AttributeError, ValueError):
        numbered = {}
    if sorted(numbered) != list(range(len(names))):
        raise ValueError(f"{path}: id2label must number the classes from 0; received {names!r}")
    return [numbered[number] for number in range(len(names))]


def no_answer_threshold_of(source):
    """Reads when a question has no answer; see `BertSpanClassifier`.

    Args:
        source: `Source`.

    Returns:
        float, or None where the file does not say.

    Raises:
        ValueError: it is no number.
    """
    value = source.values.get(_NO_ANSWER)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError(f"{source.config_path}: {_NO_ANSWER} must be a number; received {value!r}")
    return value


def config_values(
    config,
    architecture,
    labels=None,
    problem_type=None,
    classifier_dropout=None,
    pad_token_id=0,
    no_answer_threshold=None,
):
    """Makes the content of `config.json`.

    Args:
        config: `BertConfig`.
        architecture: str, the Hugging Face class, for instance `"BertForMaskedLM"`.
        labels: list of str, a classifier's classes. Default None.
        problem_type: str, one of `PROBLEM_TYPES`. Default None: it is no text classifier.
        classifier_dropout: float, rate before the classifier. Default None, the model's rate.
        pad_token_id: int, default 0.
        no_answer_threshold: float, of a span classifier. Default None.

    Returns:
        Dict of plain values. Variants that Hugging Face's BERT lacks get the `model_type`
        `keras_bert`, which Hugging Face refuses and `config_of` reads.
    """
    plain = BertConfig()
    variants = {name: getattr(config, name) for name in _VARIANTS}
    is_bert = variants == {
        "pre_norm": plain.pre_norm,
        "share_layers": plain.share_layers,
        "embedding_dim": config.hidden_dim,
    }
    head = {name: getattr(config, name) for name in _HEAD_VARIANTS}
    is_head_plain = tuple(head.values()) == (config.activation, config.layer_norm_epsilon)
    is_bert = is_bert and (is_head_plain or architecture not in _WITH_HEAD)
    is_bert = is_bert and architecture not in OWN_ARCHITECTURES
    values = {
        "architectures": [architecture],
        "model_type": "bert" if is_bert else _OWN_TYPE,
        **{theirs: getattr(config, ours) for ours, theirs in _NAMES.items()},
        "hidden_act": _WRITTEN_ACTIVATIONS[config.activation],
        "pad_token_id": pad_token_id,
        "position_embedding_type": "absolute",
        "tie_word_embeddings": True,
        "use_cache": True,
        "dtype": "float32",
    }
    if not is_bert:
        values.update(variants)
    if not is_head_plain:
        values.update(head)
    if labels is not None:
        values["id2label"] = {str(number): label for number, label in enumerate(labels)}
        values["label2id"] = {label: number for number, label in enumerate(labels)}
    if problem_type is not None:
        values["problem_type"] = PROBLEM_TYPES[problem_type]
    if classifier_dropout is not None:
        values["classifier_dropout"] = classifier_dropout
    if no_answer_threshold is not None:
        values[_NO_ANSWER] = no_answer_threshold
    return values


def read_json(directory):
    """Reads `config.json`; returns its path and the dict it holds."""
    directory = os.fspath(directory)
    path = os.path.join(directory, CONFIG_FILE)
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            f"no such model directory: {directory!r}; expected a folder with {CONFIG_FILE}, "
            "model.safetensors and vocab.txt, as save_preset and Hugging Face write it"
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{directory} holds no {CONFIG_FILE}, so it is no Hugging Face model directory"
        )
    with open(path, encoding="utf-8") as file:
        try:
            values = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected a JSON object; received {type(values).__name__}")
    return path, values
