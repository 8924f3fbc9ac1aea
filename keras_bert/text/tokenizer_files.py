"""The tokenizer in a model directory: read from all kinds, written as Hugging Face's.

**Which file decides** in a Hugging Face directory: the same as in `transformers` 5, so that ids
are equal. The vocabulary is that of `tokenizer.json`; without one, that of `vocab.txt`. Options
(lower-casing, accents, Chinese characters) are those of `tokenizer_config.json`, with BERT's
defaults (all True) where it says nothing or is missing; the `normalizer` of `tokenizer.json` is
then not heeded, even where it says otherwise. It is where `tokenizer_class` is a general one
(`PreTrainedTokenizerFast`, `TokenizersBackend`), or where there is neither a `tokenizer_class` nor
a `config.json`. Added tokens: see `keras_bert.added_token_files`.

Two differences remain, both for the sake of Google's original: words of 101 to 200 characters are
split here and one [UNK] there; the five special tokens are found in raw text there and split as
punctuation here.
"""

import json
import os
import re

from keras_bert import added_token_files, preset_kind, vocabulary_files
from keras_bert.preset_folder import find_preset
from keras_bert.text import files as files_lib
from keras_bert.text import keras_hub_files, literals, tokenizer_json
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
# These classes tokenize as BERT does; general ones need a tokenizer.json that says so.
_KNOWN_CLASSES = {"Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "RetriBert"}
# A key of our own, which others pass over.
_PREPROCESSOR = "keras_bert_preprocessor"
# A token with a capital letter that is a word: "<S>" and "[CLS]" are none.
_CAPITALIZED = re.compile(r"(##)?[A-Za-z]*[A-Z][A-Za-z]*")
_SYMBOL = re.compile(r"[\s!-/:-@\[-`{-~]")


def write_tokenizer(
    directory,
    vocabulary,
    lowercase,
    strip_accents,
    split_chinese=True,
    added_tokens=None,
    model_max_length=None,
    preprocessor=None,
):
    """Writes the files, each whole or not at all; the folder is made where it is missing.

    Those are `vocab.txt` and `tokenizer_config.json`; with added tokens also `tokenizer.json`,
    which alone can say that WordPiece does not make them. A `tokenizer.json` that is there without
    a need goes, for it would be read first.

    Args:
        directory: str or path-like.
        vocabulary: list of str, added tokens included.
        lowercase, strip_accents, split_chinese: bool.
        added_tokens: dict of str to bool, as `BertTokenizer.added_tokens`, or None.
        model_max_length: int, tokens in the model's longest input, or None to leave it out.
        preprocessor: dict of plain values, what a preprocessor of this package says of itself, or
            None to leave it out. Hugging Face passes over it.

    Raises:
        OSError: a file cannot be written.
    """
    directory = os.fspath(directory)
    os.makedirs(directory, exist_ok=True)
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_chinese,
        "do_basic_tokenize": True,
        **_SPECIAL_KEYS,
    }
    if model_max_length is not None:
        config["model_max_length"] = int(model_max_length)
    if preprocessor is not None:
        config[_PREPROCESSOR] = preprocessor
    path = os.path.join(directory, added_token_files.TOKENIZER_FILE)
    if added_tokens:
        values = tokenizer_json.build(
            vocabulary, lowercase, strip_accents, split_chinese, added_tokens
        )
        config["added_tokens_decoder"] = {
            str(entry.pop("id")): entry for entry in map(dict, values["added_tokens"])
        }
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        files_lib.write_atomically(path, text)
    elif os.path.lexists(path):
        os.remove(path)
    vocabulary_lib.save_vocabulary(vocabulary, os.path.join(directory, VOCABULARY_FILE))
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    files_lib.write_atomically(os.path.join(directory, CONFIG_FILE), text)


def read_tokenizer(directory, lowercase=None):
    """Reads the tokenizer of a model directory.

    - Hugging Face: see above.
    - Google's TF1 release names no options: it is taken for cased where the vocabulary holds words
      with capital letters, as Google's do; accents are stripped where it is not. A
      `tokenizer_config.json` beside it, as `export_checkpoint` writes, is heeded.
    - KerasHub: see `keras_bert.text.keras_hub_files`.
    - sentence-transformers: as Hugging Face, with `max_seq_length` and `do_lower_case` of
      `sentence_bert_config.json`.

    Args:
        directory: str or path-like, or an `hf://` name.
        lowercase: bool, in place of what the directory says; accents go along where it does not
            speak of them. Default None: what it says.

    Returns:
        Dict: `vocabulary` (list of str, added tokens included), `lowercase` (bool),
        `strip_accents` (bool or None: as `lowercase`), `split_chinese` (bool), `added_tokens`
        (dict of str to bool), `model_max_length` (int, or None where none is set), and
        `preprocessor` (dict as it was written, or None).

    Raises:
        FileNotFoundError: no such directory, or no vocabulary in it.
        ValueError: a file is damaged, or asks for something that this tokenizer does not do.
    """
    directory = find_preset(directory)
    kind = preset_kind.preset_kind(directory)
    entries = vocabulary_files.read_entries(directory)
    found = {
        "vocabulary": entries.tokens,
        "lowercase": True,
        "strip_accents": None,
        "split_chinese": True,
        "added_tokens": entries.added,
        "model_max_length": None,
        "preprocessor": None,
    }
    if kind == "google":
        found["lowercase"] = not any(map(_CAPITALIZED.fullmatch, entries.tokens))
        if os.path.isfile(os.path.join(directory, CONFIG_FILE)):
            found.update(_read_options(directory, entries, found["lowercase"]))
    elif kind == "keras_hub":
        found.update(keras_hub_files.read_options(directory))
    elif kind == "huggingface":
        found.update(_read_options(directory, entries))
    else:
        folder = preset_kind.transformer_folder(directory)
        found.update(_read_options(folder, entries))
        _limit(found, folder)
    if lowercase is not None:
        found["lowercase"] = bool(lowercase)
    return found


def _read_options(folder, entries, lowercase=True):
    """The options of a Hugging Face tokenizer; `lowercase` where its files do not say it."""
    path = os.path.join(folder, CONFIG_FILE)
    config = _read_config(folder, path)
    tokenizer = added_token_files.read_if_there(folder, added_token_files.TOKENIZER_FILE)
    stands = added_token_files.stands_as_it_is(folder)
    options = {}
    if tokenizer:
        where = os.path.join(folder, added_token_files.TOKENIZER_FILE)
        options = tokenizer_json.read_options(where, tokenizer, packs=not stands)
    if not stands:
        options = {
            "lowercase": _flag(path, config, "do_lower_case", lowercase),
            "strip_accents": _flag(path, config, "strip_accents", None),
            "split_chinese": _flag(path, config, "tokenize_chinese_chars", True),
        }
    _check_added(path, config, entries)
    # Hugging Face writes 1e30 where the tokenizer sets no limit.
    length = config.get("model_max_length")
    if length is not None and (isinstance(length, bool) or not isinstance(length, (int, float))):
        raise ValueError(f"from_preset: {path!r} sets model_max_length to {length!r}; expected int")
    options["model_max_length"] = int(length) if length is not None and length < 1e9 else None
    preprocessor = config.get(_PREPROCESSOR)
    if preprocessor is not None and not (
        isinstance(preprocessor, dict) and isinstance(preprocessor.get("class"), str)
    ):
        raise ValueError(
            f"from_preset: {path!r} sets {_PREPROCESSOR} to {preprocessor!r}; expected an object "
            "with `class`, as save_preset writes it"
        )
    options["preprocessor"] = preprocessor
    return options


def _flag(path, config, key, default):
    value = config.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"from_preset: {path!r} sets {key} to {value!r}; expected true or false")
    return default if value is None else value


def _read_config(folder, path):
    config = added_token_files.read_if_there(folder, CONFIG_FILE)
    for key, value in {"do_basic_tokenize": True, **_SPECIAL_KEYS}.items():
        received = config.get(key, value)
        if isinstance(received, dict):  # a special token with its options
            received = received.get("content")
        if received is not None and received != value:
            raise ValueError(
                f"from_preset: {path!r} sets {key} to {received!r}; only {value!r} is supported"
            )
    name = str(config.get("tokenizer_class") or "BertTokenizer").removesuffix("Fast")
    is_general = name in added_token_files.GENERAL_CLASSES
    if is_general and added_token_files.stands_as_it_is(folder):
        return config
    if name.removesuffix("Tokenizer") not in _KNOWN_CLASSES:
        raise ValueError(
            f"from_preset: {path!r} names tokenizer_class {config['tokenizer_class']!r}; only "
            "BertTokenizer and tokenizers that work as it does are supported"
            + (" (a general class needs tokenizer.json beside it)" if is_general else "")
        )
    return config


def _check_added(path, config, entries):
    if entries.added and config.get("split_special_tokens"):
        raise ValueError(
            f"from_preset: {path!r} sets split_special_tokens, but there are added tokens: "
            f"{', '.join(entries.added)}; only those that are found in texts are supported"
        )
    number = literals.count_pieces(entries.tokens, entries.added)
    for token in entries.tokens[min(number, entries.num_pieces) : max(number, entries.num_pieces)]:
        if not entries.added.get(token, True) and _may_be_piece(token):
            sort = "a piece of" if number < entries.num_pieces else "no piece of"
            raise ValueError(
                f"from_preset: in {os.path.dirname(path)!r}, the added token {token!r} is {sort} "
                "the vocabulary, which is not supported at this place; set its `normalized` to true"
            )


def _may_be_piece(token):
    """Whether WordPiece can come to make a token: it makes words, and single symbols."""
    return len(token) == 1 or not _SYMBOL.search(token)


def _limit(found, folder):
    """Heeds what sentence-transformers adds to the tokenizer."""
    path = os.path.join(folder, "sentence_bert_config.json")
    config = added_token_files.read_if_there(folder, "sentence_bert_config.json")
    length = config.get("max_seq_length")
    if length is not None:
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise ValueError(f"from_preset: {path!r} sets max_seq_length to {length!r}")
        found["model_max_length"] = min(length, found["model_max_length"] or length)
    if _flag(path, config, "do_lower_case", False) and not found["lowercase"]:
        # It lower-cases first and leaves the tokenizer's own options alone.
        found["strip_accents"] = bool(found["strip_accents"])
        found["lowercase"] = True
