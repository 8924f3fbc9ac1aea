"""The tokenizer in a Hugging Face model directory: `vocab.txt` and `tokenizer_config.json`."""

import json
import os

from keras_bert.preset_folder import find_preset
from keras_bert.text import files as files_lib
from keras_bert.text import vocabulary as vocabulary_lib

VOCABULARY_FILE = "vocab.txt"
CONFIG_FILE = "tokenizer_config.json"

_SPECIAL_KEYS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
# Options of BertTokenizer that have one value here, and it.
_FIXED = {"tokenize_chinese_chars": True, "do_basic_tokenize": True}
# These classes tokenize as BERT does.
_KNOWN_CLASSES = {"Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "RetriBert"}


def write_tokenizer(directory, vocabulary, lowercase, strip_accents, model_max_length=None):
    """Writes the two files, each whole or not at all; the folder is made where it is missing.

    Args:
        directory: str or path-like.
        vocabulary: list of str.
        lowercase: bool.
        strip_accents: bool.
        model_max_length: int, tokens in the model's longest input, or None to leave it out.

    Raises:
        OSError: a file cannot be written.
    """
    directory = os.fspath(directory)
    os.makedirs(directory, exist_ok=True)
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        **_FIXED,
        **_SPECIAL_KEYS,
    }
    if model_max_length is not None:
        config["model_max_length"] = int(model_max_length)
    vocabulary_lib.save_vocabulary(vocabulary, os.path.join(directory, VOCABULARY_FILE))
    files_lib.write_atomically(
        os.path.join(directory, CONFIG_FILE), json.dumps(config, indent=2) + "\n"
    )


def read_tokenizer(directory):
    """Reads what `write_tokenizer` or Hugging Face wrote.

    Args:
        directory: str or path-like, with `vocab.txt`, or an `hf://` name; without
            `tokenizer_config.json` Hugging Face's defaults hold (lower-casing, accents stripped).

    Returns:
        Dict: `vocabulary` (path, str), `lowercase` (bool), `strip_accents` (bool or None),
        `model_max_length` (int, or None where none is set).

    Raises:
        FileNotFoundError: no such directory, or no `vocab.txt` in it.
        ValueError: the configuration asks for something that this tokenizer does not do.
    """
    directory = find_preset(directory)
    path = os.path.join(directory, VOCABULARY_FILE)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"from_preset: no {VOCABULARY_FILE} in {directory!r}; expected a Hugging Face model "
            "directory of a BERT (with WordPiece, not SentencePiece, vocabulary)"
        )
    config = _read_config(os.path.join(directory, CONFIG_FILE))
    # Hugging Face writes 1e30 where the tokenizer sets no limit.
    length = config.get("model_max_length")
    return {
        "vocabulary": path,
        "lowercase": bool(config.get("do_lower_case", True)),
        "strip_accents": config.get("strip_accents"),
        "model_max_length": int(length) if length is not None and length < 1e9 else None,
    }


def _read_config(path):
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        try:
            config = json.load(file)
        except ValueError as error:
            raise ValueError(f"from_preset: {path!r} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"from_preset: {path!r} does not hold a JSON object")
    wanted = {**_FIXED, **_SPECIAL_KEYS}
    for key, value in wanted.items():
        received = config.get(key, value)
        if isinstance(received, dict):  # a special token with its options
            received = received.get("content")
        if received is not None and received != value:
            raise ValueError(
                f"from_preset: {path!r} sets {key} to {received!r}; only {value!r} is supported"
            )
    name = config.get("tokenizer_class") or "BertTokenizer"
    if name.removesuffix("Fast").removesuffix("Tokenizer") not in _KNOWN_CLASSES:
        raise ValueError(
            f"from_preset: {path!r} names tokenizer_class {name!r}; only BertTokenizer and "
            "tokenizers that work as it does are supported"
        )
    return config
