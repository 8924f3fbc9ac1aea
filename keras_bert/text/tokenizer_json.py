"""`tokenizer.json`, the format of the `tokenizers` library: BERT's options, and nothing else."""

from keras_bert.added_token_files import SPECIAL_TOKENS
from keras_bert.text import literals

_NORMALIZER = "BertNormalizer"
_PRE_TOKENIZER = "BertPreTokenizer"
_FIRST = [("[CLS]", 0), ("A", 0), ("[SEP]", 0)]
_PAIR = [*_FIRST, ("B", 1), ("[SEP]", 1)]


def read_options(path, values, packs):
    """Checks that the parts are BERT's and reads the normalizer's options.

    Args:
        path: str, for errors.
        values: dict, the content of the file. The model's part is checked with the vocabulary.
        packs: bool, whether its reader packs rows by itself, so that `post_processor` may be null.

    Returns:
        Dict: `lowercase` (bool), `strip_accents` (bool or None) and `split_chinese` (bool).

    Raises:
        ValueError: a part is not BERT's.
    """
    normalizer = _part(path, values, "normalizer", (_NORMALIZER,))
    _part(path, values, "pre_tokenizer", (_PRE_TOKENIZER,))
    if not (packs and values.get("post_processor") is None):
        _check_packing(path, values)
    options = {}
    for key, default, name in (
        ("lowercase", True, "lowercase"),
        ("strip_accents", None, "strip_accents"),
        ("handle_chinese_chars", True, "split_chinese"),
        ("clean_text", True, "clean_text"),
    ):
        value = normalizer.get(key, default)
        if not isinstance(value, bool) and not (value is None and default is None):
            raise ValueError(f"{path!r}: normalizer.{key} is {value!r}; expected true or false")
        options[name] = value
    if not options.pop("clean_text"):
        raise ValueError(f"{path!r}: normalizer.clean_text is false; only true is supported")
    return options


def _part(path, values, key, supported):
    part = values.get(key)
    kind = part.get("type") if isinstance(part, dict) else part
    if kind not in supported:
        found = repr(kind)
        if isinstance(part, dict) and isinstance(inner := part.get(f"{key}s"), list):
            types = [str(one.get("type")) for one in inner if isinstance(one, dict)]
            found += f" of {', '.join(types)}"
        raise ValueError(
            f"{path!r}: the {key} is {found}; only {' or '.join(supported)} is supported, as "
            "transformers' BertTokenizer writes it"
        )
    return part


def _check_packing(path, values):
    part = _part(path, values, "post_processor", ("TemplateProcessing", "BertProcessing"))
    if part["type"] == "BertProcessing":
        tokens = [part.get("cls"), part.get("sep")]
        found = [token[0] if isinstance(token, list) and token else token for token in tokens]
        fits = found == ["[CLS]", "[SEP]"]
    else:
        found = [_template(part.get("single")), _template(part.get("pair"))]
        fits = found == [_FIRST, _PAIR]
    if not fits:
        raise ValueError(
            f"{path!r}: the post_processor packs {found}; only [CLS] A [SEP] and "
            "[CLS] A [SEP] B [SEP], BERT's, are supported"
        )


def _template(pieces):
    found = []
    for piece in pieces if isinstance(pieces, list) else []:
        for value in piece.values() if isinstance(piece, dict) else [piece]:
            value = value if isinstance(value, dict) else {}
            found.append((value.get("id"), value.get("type_id")))
    return found


def build(vocabulary, lowercase, strip_accents, split_chinese, added_tokens):
    """The content of a file that tokenizes as `BertTokenizer` does, a dict.

    Args:
        vocabulary: list of str.
        lowercase, strip_accents, split_chinese: bool.
        added_tokens: dict of str to bool.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    first, pair = (
        [
            {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": segment}}
            for name, segment in template
        ]
        for template in (_FIRST, _PAIR)
    )
    normalized = {**dict.fromkeys(SPECIAL_TOKENS, False), **added_tokens}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": ids[token],
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": normalized[token],
                "special": not normalized[token],
            }
            for token in sorted(normalized, key=ids.get)
        ],
        "normalizer": {
            "type": _NORMALIZER,
            "clean_text": True,
            "handle_chinese_chars": split_chinese,
            "strip_accents": strip_accents,
            "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": _PRE_TOKENIZER},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": first,
            "pair": pair,
            "special_tokens": {
                token: {"id": token, "ids": [ids[token]], "tokens": [token]}
                for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {
                token: ids[token]
                for token in vocabulary[: literals.count_pieces(vocabulary, added_tokens)]
            },
        },
    }
