"""Added tokens in the files of a Hugging Face directory, by the rules of `transformers` 5.

Four files may list them. `added_tokens_decoder` of `tokenizer_config.json` has the say where it is
there; without it, `added_tokens.json` and the `added_tokens` of `tokenizer.json` do. Special
tokens that `tokenizer_config.json` or `special_tokens_map.json` merely names join in, behind the
vocabulary where it has them not. Standard library only.
"""

import os
from typing import NamedTuple

from keras_bert.preset_kind import read_json

TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
_MAP_FILE = "special_tokens_map.json"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# `transformers` reads a directory of these classes from tokenizer.json as it stands, and one of
# BERT's own by building the tokenizer anew from tokenizer_config.json.
GENERAL_CLASSES = {
    "ConvBertTokenizer",
    "PreTrainedTokenizer",
    "RetriBertTokenizer",
    "TokenizersBackend",
}
# Named special tokens, in the order in which new ones get their ids; others follow.
_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")
_EXTRA = ("extra_special_tokens", "additional_special_tokens")


class Added(NamedTuple):
    """An added token: the file that lists it, its text, and whether normalized text is searched."""

    path: str
    content: str
    normalized: bool


def read_if_there(folder, name):
    """Reads a JSON object, or returns an empty one where the folder has no such file."""
    path = os.path.join(folder, name)
    return read_json(path) if os.path.isfile(path) else {}


def stands_as_it_is(folder):
    """Whether `transformers` takes all options from `tokenizer.json`, not `tokenizer_config.json`.

    So it does where the configuration names a general class, or where nothing names any: no
    `tokenizer_class`, and no `config.json` that tells the model.

    Args:
        folder: str, a Hugging Face directory.

    Returns:
        bool; False without `tokenizer.json`.
    """
    if not os.path.isfile(os.path.join(folder, TOKENIZER_FILE)):
        return False
    model = read_if_there(folder, "config.json")
    name = read_if_there(folder, CONFIG_FILE).get("tokenizer_class")
    name = name or model.get("tokenizer_class")
    if name is None:
        return not model.get("model_type")
    return str(name).removesuffix("Fast") in GENERAL_CLASSES


def read_added(folder, tokenizer):
    """Reads the added tokens, the five special ones among them.

    Args:
        folder: str, a Hugging Face directory.
        tokenizer: dict, the content of its `tokenizer.json`; empty without one.

    Returns:
        Dict of int to `Added`, those with ids; list of `Added` without, in the order of their ids.

    Raises:
        ValueError: a file is not what `transformers` writes, or two tokens have one id.
    """
    config = read_if_there(folder, CONFIG_FILE)
    paths = {name: os.path.join(folder, name) for name in (CONFIG_FILE, TOKENIZER_FILE)}
    decides = "added_tokens_decoder" in config
    found = {}
    named, special = _named(folder, [CONFIG_FILE] if decides else [CONFIG_FILE, _MAP_FILE])
    if not decides:
        path = os.path.join(folder, "added_tokens.json")
        for token, index in read_if_there(folder, "added_tokens.json").items():
            _enter(found, index, _entry(path, {"content": token, "special": token in special}))
    if not decides or stands_as_it_is(folder):
        entries = tokenizer.get("added_tokens") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError(f"{paths[TOKENIZER_FILE]!r}: expected objects under added_tokens")
        for entry in entries:
            _enter(found, entry.get("id"), _entry(paths[TOKENIZER_FILE], entry))
    entries = config.get("added_tokens_decoder") or {}
    if not isinstance(entries, dict):
        raise ValueError(f"{paths[CONFIG_FILE]!r}: expected an object under added_tokens_decoder")
    for index, entry in entries.items():
        index = int(index) if index.isascii() and index.isdigit() else index
        _enter(found, index, _entry(paths[CONFIG_FILE], entry))
    return found, named


def _named(folder, names):
    """Special tokens that the configuration names without an id.

    Returns:
        List of `Added`; set of str, those that `added_tokens.json` lists as special ones. The map's
        older key is not among them, by an oddity of `transformers`.
    """
    named, extra, older = {}, [], []
    for name in names:
        path = os.path.join(folder, name)
        config = read_if_there(folder, name)
        for key, value in config.items():
            if key in _EXTRA and value:
                if not isinstance(value, (list, dict)):
                    raise ValueError(f"{path!r}: expected a list under {key}; got {value!r:.80}")
                found = value.values() if isinstance(value, dict) else value
                found = [_entry(path, token, special=True) for token in found]
                if isinstance(value, dict):
                    named.update(zip(value, found, strict=True))
                elif key == _EXTRA[0] or (name == CONFIG_FILE and not config.get(_EXTRA[0])):
                    extra += [entry for entry in found if entry not in extra]
                else:
                    older = found
            elif key.endswith("_token") and isinstance(value, (str, dict)):
                named[key] = _entry(path, value, special=True)
    first = [named.pop(key) for key in _NAMED if key in named]
    special = {entry.content for entry in [*first, *extra]}
    # Where both keys are there, the newer one is heeded.
    return [*first, *named.values(), *(extra or older)], special


def _entry(path, value, special=False):
    values = {"content": value} if isinstance(value, str) else value
    content = values.get("content") if isinstance(values, dict) else None
    if not isinstance(content, str) or not content:
        raise ValueError(f"{path!r}: expected an added token with its content; received {value!r}")
    if values.get("single_word") and content not in SPECIAL_TOKENS:
        raise ValueError(
            f"{path!r}: the added token {content!r} has single_word set; only tokens that are "
            "found anywhere in a text are supported. Set it to false"
        )
    special = values.get("special", special)
    return Added(path, content, bool(values.get("normalized", not special)))


def _enter(found, index, entry):
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ValueError(
            f"{entry.path!r}: the added token {entry.content!r} has the id {index!r}; expected an "
            "int of at least 0"
        )
    other = found.get(index, entry)
    if other.content != entry.content:
        raise ValueError(
            f"{entry.path!r} gives the id {index} to the added token {entry.content!r}, but "
            f"{other.path!r} gives it to {other.content!r}"
        )
    found[index] = entry
