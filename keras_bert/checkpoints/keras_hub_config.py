"""`config.json` and `task.json` of a KerasHub preset: what its BERT and the tasks on it say."""

import os

from keras_bert.config import BertConfig
from keras_bert.preset_kind import read_json

CONFIG_FILE = "config.json"
TASK_FILE = "task.json"

# What KerasHub's BertBackbone takes, and its defaults; it has no other options.
FIELDS = {
    "vocabulary_size": None,
    "num_layers": None,
    "num_heads": None,
    "hidden_dim": None,
    "intermediate_dim": None,
    "dropout": 0.1,
    "max_sequence_length": 512,
    "num_segments": 2,
}
_OF_KERAS = ("name", "trainable", "dtype")

# What KerasHub's classes fix: the tanh form of GELU and this epsilon in the encoder; under the
# masked-LM head (bert_masked_lm.py, masked_lm_head.py) the erf form and another epsilon.
ENCODER = {"activation": "gelu_tanh", "layer_norm_epsilon": 1e-12}
MASKED_LM_HEAD = {"head_activation": "gelu", "head_layer_norm_epsilon": 1e-5}

# KerasHub's tasks on BERT -> Hugging Face's class with the same head.
TASKS = {
    "BertMaskedLM": "BertForMaskedLM",
    "BertTextClassifier": "BertForSequenceClassification",
    "BertClassifier": "BertForSequenceClassification",
    "BertTextEmbedder": "BertModel",
}
# The activation of a KerasHub classifier's output -> what its outputs are; ours are logits.
_PROBLEM_TYPES = {
    None: None,
    "linear": None,
    "softmax": "single_label_classification",
    "sigmoid": "multi_label_classification",
}
_FLOATS = ("float32", "float16", "bfloat16", "float64")


def read_backbone(folder):
    """Reads what the backbone of a preset is made of.

    Args:
        folder: str.

    Returns:
        Path, str, and options, dict.

    Raises:
        ValueError: it is another class, or has options that this package does not know.
    """
    path = os.path.join(folder, CONFIG_FILE)
    options = _options(path, ("BertBackbone",))[1]
    unknown = sorted(set(options) - {*FIELDS, *_OF_KERAS})
    if unknown:
        raise ValueError(
            f"{path}: unknown options {', '.join(unknown)} of BertBackbone; expected "
            f"{', '.join(FIELDS)}"
        )
    return path, options


def read_task(folder):
    """Reads which task a preset holds.

    Args:
        folder: str.

    Returns:
        One of `TASKS` and its options, dict; None and {} where it is a backbone alone.

    Raises:
        ValueError: it is another class.
    """
    path = os.path.join(folder, TASK_FILE)
    return _options(path, tuple(TASKS)) if os.path.isfile(path) else (None, {})


def config_of(options, path, task=None):
    """Makes of a backbone's options the sizes and rates of a model.

    Args:
        options: dict, as `read_backbone` gives it.
        path: str, the file, for messages.
        task: str, one of `TASKS`. Default None, a backbone alone.

    Returns:
        `BertConfig`. KerasHub has one rate for dropout everywhere.

    Raises:
        ValueError: a value is missing or out of range.
    """
    fields = {name: options.get(name, default) for name, default in FIELDS.items()}
    missing = [name for name in FIELDS if fields[name] is None]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}; expected numbers")
    head = MASKED_LM_HEAD if task == "BertMaskedLM" else {}
    try:
        return BertConfig(attention_dropout=fields["dropout"], **fields, **ENCODER, **head)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def task_values(task, options, path):
    """What a task says of its head, in Hugging Face's words; see `Source.values`.

    Args:
        task, options: as `read_task` gives them.
        path: str, the file, for messages.

    Raises:
        ValueError: a classifier that is none of ours.
    """
    values = {"architectures": [TASKS.get(task, "BertModel")]}
    if values["architectures"] == ["BertForSequenceClassification"]:
        activation, size = options.get("activation"), options.get("num_classes")
        if not isinstance(activation, (str, type(None))) or activation not in _PROBLEM_TYPES:
            raise ValueError(
                f"{path}: the classifier's activation is {activation!r}; expected linear, softmax "
                "or sigmoid"
            )
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{path}: num_classes is {size!r}; expected a positive int")
        values["classifier_dropout"] = options.get("dropout", 0.1)
        values["problem_type"] = _PROBLEM_TYPES[activation]
    return values


def stored_type(options, path):
    """The type of a preset's weights, as NumPy names it.

    Raises:
        ValueError: they are quantized.
    """
    policy = options.get("dtype") or "float32"
    if isinstance(policy, dict):
        plain = policy.get("class_name") == "DTypePolicy" and isinstance(policy.get("config"), dict)
        policy = policy["config"].get("name") if plain else policy.get("class_name")
    policy = "float32" if str(policy).startswith("mixed_") else policy
    if policy not in _FLOATS:
        raise ValueError(
            f"{path}: dtype is {policy}; only {', '.join(_FLOATS)} are read, no quantized weights"
        )
    return policy


def _options(path, classes):
    """Reads an object of KerasHub's, of one of some classes: its class and its options."""
    values = read_json(path)
    name, module = str(values.get("class_name")), str(values.get("module"))
    if name not in classes or module.split(".")[0] not in ("keras_hub", "keras_nlp"):
        raise ValueError(
            f"{path} holds a {name} of {module}; this package reads KerasHub's "
            f"{', '.join(classes)} only, for other kinds of model compute something else"
        )
    if not isinstance(values.get("config"), dict):
        raise ValueError(f"{path}: config is {values.get('config')!r}; expected a JSON object")
    return name, values["config"]
