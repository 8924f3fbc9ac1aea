"""A preset of KerasHub's BERT: `config.json`, `model.weights.h5`, a task, a tokenizer."""

import logging
import os

import numpy as np

from keras_bert.checkpoints import keras_hub_config as config_lib
from keras_bert.checkpoints import keras_hub_weights, limits, names
from keras_bert.checkpoints.keras_hub_variables import KerasHubVariables, places
from keras_bert.checkpoints.source import Source
from keras_bert.config import BertConfig

MARKER = "metadata.json"  # in every preset, and in no other model directory
_SYSTEM = "KerasHub"
_HEADS = ("BertModel", "BertForMaskedLM", "BertForSequenceClassification")
_POOLINGS = ("mean", "cls", "max")
_GELUS = ("gelu", "gelu_tanh")

_logger = logging.getLogger(__name__)


def open_folder(folder, given=None):
    """Opens a folder as KerasHub's `save_to_preset` writes it.

    KerasHub itself loads the weights, for its files differ from version to version: memory holds
    its model beside ours as long as the source is there.

    Args:
        folder: str, a folder on this machine.
        given: not read; see `huggingface.open_folder`.

    Returns:
        `Source`.

    Raises:
        FileNotFoundError: the weights are missing.
        ValueError: it is another class than KerasHub's `BertBackbone` and tasks on it, or its
            files are damaged or do not fit together.
    """
    path, options = config_lib.read_backbone(folder)
    task, task_options = config_lib.read_task(folder)
    config = config_lib.config_of(options, path, task)
    dtype = config_lib.stored_type(options, path)
    task_path = os.path.join(folder, config_lib.TASK_FILE)
    values = config_lib.task_values(task, task_options, task_path)
    embedding = None
    if task == "BertTextEmbedder":
        embedding = {
            "pooling": task_options.get("pooling_mode", "mean"),
            "normalize": task_options.get("normalize", True),
        }
    model, weights = keras_hub_weights.load(folder, options, task, task_options)
    tensors = KerasHubVariables(model, weights, dtype)
    return Source("keras_hub", folder, config, path, tensors, values, embedding)


def write_folder(folder, model, tokenizer, sequence_length, approximate_gelu=False):
    """Writes a preset as KerasHub's `save_to_preset` does, with tokenizer and preprocessor.

    Names of classes have no place in it, nor have added tokens, or a rate of attention dropout
    that differs from the other rate; a warning lists what was lost. A masked-LM model's pooler,
    which nothing trains, starts anew there.

    Args:
        folder: str or path-like, a folder that exists.
        model: a model of this package.
        tokenizer: `BertTokenizer`.
        sequence_length: int, of the preprocessor.
        approximate_gelu: bool, whether a model is written that KerasHub computes with another form
            of GELU, or another epsilon in the masked-LM head. Default False.

    Raises:
        ValueError: KerasHub's BERT has no such variant or head, or computes it otherwise.
        OSError: a file cannot be written.
    """
    _check(model, approximate_gelu)
    preset, hub_tokenizer = _counterpart(model, tokenizer, sequence_length)
    ours = {names.canonical(tensor.name): tensor for tensor in names.model_tensors(model)}
    if names.has_unused_pooler(model):
        ours = {name: tensor for name, tensor in ours.items() if not name.startswith("pooler.")}
    for place in places(preset):
        if place.name in ours:
            value = ours[place.name].variable
            place.variable.assign(np.asarray(value, "float32").reshape(place.variable.shape))
    preset.save_to_preset(folder)
    hub_tokenizer.save_to_preset(folder)
    if lost := _lost(model, tokenizer):
        _logger.warning("a preset of KerasHub has no place for %s", "; ".join(lost))


def _check(model, approximate_gelu):
    """Refuses what KerasHub would compute otherwise, or not at all."""
    config = model.config
    limits.check_variants(config, _SYSTEM)
    if hasattr(model, "next_sentence_head"):
        raise ValueError(
            "KerasHub has no next-sentence head; save_preset keeps it. To leave it behind, read "
            "what save_preset wrote by BertMaskedLM.from_preset and export that"
        )
    limits.check_head(model, _HEADS, _SYSTEM)
    pooling = getattr(model, "pooling", "mean")
    if pooling not in _POOLINGS:
        raise ValueError(
            f"KerasHub pools by {', '.join(_POOLINGS)}; this model's pooling is {pooling!r}; "
            f"{limits.ADVICE}"
        )
    fixed = dict(config_lib.ENCODER)
    if hasattr(model, "masked_lm_head"):
        fixed.update(config_lib.MASKED_LM_HEAD)
    differing = [name for name, value in fixed.items() if getattr(config, name) != value]
    for name in differing:
        value = getattr(config, name)
        if name.endswith("activation") and value not in _GELUS:
            raise ValueError(
                f"a model of {name}={value!r} cannot be written for KerasHub, whose BERT has GELU "
                f"only; {limits.ADVICE}"
            )
    if differing:
        listed = ", ".join(
            f"{name}={getattr(config, name)!r}, KerasHub's is {fixed[name]!r}" for name in differing
        )
        message = (
            f"KerasHub computes this model otherwise ({listed}). The two forms of GELU differ by "
            "up to 4.8e-4 at each activation, which makes up to 5e-3 in the sequence_output of "
            "all-MiniLM-L6-v2"
        )
        if not approximate_gelu:
            raise ValueError(
                f"{message}. Pass approximate_gelu=True to write it all the same; {limits.ADVICE}"
            )
        _logger.warning("%s", message)


def _counterpart(model, tokenizer, sequence_length):
    """KerasHub's model, with preprocessor where it is a task, and its tokenizer."""
    import keras
    import keras_hub

    theirs = keras_hub.models
    hub_tokenizer = theirs.BertTokenizer(
        vocabulary=tokenizer.vocabulary,
        lowercase=tokenizer.lowercase,
        strip_accents=tokenizer.strip_accents,
    )
    fields = {name: getattr(model.config, name) for name in config_lib.FIELDS}
    with keras.device("cpu"):  # it is written from only
        backbone = theirs.BertBackbone(**fields, dtype="float32")

        def preprocessor(cls):
            return cls(hub_tokenizer, sequence_length=sequence_length)

        if hasattr(model, "masked_lm_head"):
            processor = preprocessor(theirs.BertMaskedLMPreprocessor)
            return theirs.BertMaskedLM(backbone, processor), hub_tokenizer
        if hasattr(model, "classifier"):
            is_multi = getattr(model, "problem_type", None) == "multi_label"
            preset = theirs.BertTextClassifier(
                backbone,
                len(model.labels),
                preprocessor(theirs.BertTextClassifierPreprocessor),
                activation="sigmoid" if is_multi else None,
                dropout=model.dropout_rate,
            )
            return preset, hub_tokenizer
        if hasattr(model, "pooling"):
            processor = preprocessor(theirs.BertTextEmbedderPreprocessor)
            preset = theirs.BertTextEmbedder(backbone, processor, model.pooling, model.normalize)
            return preset, hub_tokenizer
        return backbone, hub_tokenizer


def _lost(model, tokenizer):
    """What a model has and a preset has not, in words."""
    lost = limits.lost_labels(model)
    config = model.config
    if config.attention_dropout != config.dropout:
        lost.append(f"attention_dropout={config.attention_dropout}")
    if config.initializer_range != BertConfig().initializer_range:
        lost.append(f"initializer_range={config.initializer_range}")
    if getattr(model, "problem_type", None) == "regression" and len(model.labels) > 1:
        lost.append("the outputs being numbers, not classes")
    if not tokenizer.split_chinese:
        lost.append("Chinese words that are kept whole")
    if tokenizer.added_tokens:
        lost.append(f"tokens that are found in raw text, {', '.join(tokenizer.added_tokens)}")
    return lost
