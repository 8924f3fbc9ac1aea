"""The vocabulary of a model directory, from whichever files hold it, added tokens included.

Standard library only: a model that checks how long its embedding table must be needs no tokenizer.
"""

import os
from typing import NamedTuple

from keras_bert import added_token_files
from keras_bert.added_token_files import SPECIAL_TOKENS, TOKENIZER_FILE
from keras_bert.preset_kind import preset_kind, read_json, transformer_folder

VOCABULARY_FILE = "vocab.txt"
OPTIONS_FILE = "tokenizer_config.json"
KERAS_HUB_VOCABULARY_FILE = os.path.join("assets", "tokenizer", "vocabulary.txt")


class Vocabulary(NamedTuple):
    """What the files of a directory say.

    Attributes:
        tokens: list of str; the place of a token is its id.
        num_pieces: int, the first so many are WordPiece's; the others are added tokens.
        added: dict of str to bool: tokens that are found literally in a text, before WordPiece
            sees it, and whether they are looked for in the normalized text (True) or in the raw
            one. The five special tokens are none of them.
    """

    tokens: list
    num_pieces: int
    added: dict


def read_vocabulary(folder):
    """Reads the tokens of a model directory of any kind that `preset_kind` knows.

    Args:
        folder: str or path-like, a folder on this machine.

    Returns:
        List of str in the order of their ids, added tokens included.

    Raises:
        FileNotFoundError: no folder, or no vocabulary in it.
        ValueError: a file is damaged, or ids have gaps or collide.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with open(os.path.join(folder, "vocab.txt"), "w") as file:
        ...     _ = file.write("[PAD]\\n[UNK]\\napple\\n")
        >>> read_vocabulary(folder)
        ['[PAD]', '[UNK]', 'apple']
    """
    return read_entries(folder).tokens


def read_entries(folder):
    """As `read_vocabulary`; returns the tokens and what sort they are, a `Vocabulary`."""
    kind = preset_kind(folder)
    if kind == "sentence_transformers":
        folder = transformer_folder(folder)
    elif kind != "huggingface" and not _has_options(folder, kind):
        name = {"google": VOCABULARY_FILE, "keras_hub": KERAS_HUB_VOCABULARY_FILE}[kind]
        tokens = load_lines(_find(folder, name))
        return Vocabulary(tokens, len(tokens), {})
    folder = os.fspath(folder)
    path = os.path.join(folder, TOKENIZER_FILE)
    if os.path.isfile(path):
        values = read_json(path)
        tokens = _word_pieces(path, values)
    else:
        values = {}
        path = _find(folder, VOCABULARY_FILE)
        tokens = load_lines(path)
    return _with_added(path, tokens, *added_token_files.read_added(folder, values))


def _has_options(folder, kind):
    """Whether a folder of Google's has a tokenizer of Hugging Face's beside it, as ours have."""
    return kind == "google" and os.path.isfile(os.path.join(folder, OPTIONS_FILE))


def load_lines(path):
    """Reads a vocabulary file, one token a line; see `keras_bert.text.load_vocabulary`."""
    with open(path, "rb") as file:
        return split_lines(path, file.read())


def split_lines(path, data):
    """The tokens in the bytes of a vocabulary file; `path` is for errors.

    Lines end at `\\n` alone, for some vocabularies hold other line ends as tokens.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"vocabulary: {path!r} is not UTF-8: {error}") from error
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise ValueError(f"vocabulary: {path!r} is empty; expected one token a line")
    return [line.removesuffix("\r") for line in lines]


def _find(folder, name):
    path = os.path.join(os.fspath(folder), name)
    if not os.path.isfile(path):
        wanted = f"{name} or {TOKENIZER_FILE}" if name == VOCABULARY_FILE else name
        raise FileNotFoundError(
            f"from_preset: no {name} in {os.fspath(folder)!r}; expected the model directory of a "
            f"BERT, with a WordPiece vocabulary in {wanted}"
        )
    return path


def _word_pieces(path, values):
    model = values.get("model")
    if not isinstance(model, dict):
        raise ValueError(f"{path!r}: expected an object under `model`; received {model!r:.80}")
    # Old files name no type; WordPiece alone has a prefix for continuations and no merges.
    kind = model.get("type", "WordPiece" if "merges" not in model else "BPE")
    if kind != "WordPiece":
        raise ValueError(f"{path!r} holds a {kind} tokenizer; only WordPiece, BERT's, is supported")
    for key, wanted in (("unk_token", "[UNK]"), ("continuing_subword_prefix", "##")):
        if model.get(key, wanted) != wanted:
            raise ValueError(f"{path!r} sets {key} to {model[key]!r}; only {wanted!r} is supported")
    ids = model.get("vocab")
    if not isinstance(ids, dict) or not ids:
        raise ValueError(f"{path!r}: expected tokens with their ids under `model.vocab`")
    return _in_order(path, ids)


def _in_order(path, ids):
    """The keys of a dict from token to id, in the order of the ids, which must have no gap."""
    tokens = [None] * len(ids)
    outside = []
    for token, index in ids.items():
        if not isinstance(index, int) or isinstance(index, bool):
            raise ValueError(f"{path!r}: the id of {token!r} is {index!r}; expected an int")
        if not 0 <= index < len(ids):
            outside.append(index)
        elif tokens[index] is not None:
            raise ValueError(f"{path!r}: {tokens[index]!r} and {token!r} share the id {index}")
        else:
            tokens[index] = token
    if outside:
        gaps = [index for index, token in enumerate(tokens) if token is None]
        raise ValueError(
            f"{path!r} holds {len(ids)} tokens, but ids such as {sorted(outside)[:3]}, while "
            f"{gaps[:3]} are missing; expected 0 to {len(ids) - 1} without a gap"
        )
    return tokens


def _with_added(path, tokens, listed, named):
    tokens, num_pieces, added = list(tokens), len(tokens), {}
    ids = {token: index for index, token in enumerate(tokens)}
    for index, entry in [*sorted(listed.items()), *((None, entry) for entry in named)]:
        token = entry.content
        if index not in (None, ids.get(token, len(tokens))):
            if token in ids:
                where = f"has the id {ids[token]}"
            elif index < len(tokens):
                where = f"{tokens[index]!r} has it"
            else:
                where = f"{len(tokens)} is the next free one"
            raise ValueError(
                f"{entry.path!r} gives the added token {token!r} the id {index}, but by {path!r} "
                f"{where}; expected ids that follow the vocabulary without a gap"
            )
        if token not in ids:
            ids[token] = len(tokens)
            tokens.append(token)
        if token not in SPECIAL_TOKENS:
            added.setdefault(token, entry.normalized)
    return Vocabulary(tokens, num_pieces, added)
