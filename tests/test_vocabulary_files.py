"""Vocabularies of model directories, from whichever files hold them."""

import json

import pytest

from keras_bert.vocabulary_files import read_entries, read_vocabulary

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "\u2028", "film"]
IDS = {token: index for index, token in enumerate(TOKENS)}
BERT = {"model_type": "bert"}


def entry(content, special=True, **options):
    return {"content": content, "special": special, "normalized": not special, **options}


def tokenizer_json(vocab=None, added=(), **model):
    model = {"type": "WordPiece", "unk_token": "[UNK]", "vocab": vocab or IDS, **model}
    return {"model": model, "added_tokens": list(added)}


@pytest.fixture
def write(tmp_path):
    """A function that writes a folder: JSON for values, text for str; names with `__` for dots."""

    def write(**files):
        for name, value in files.items():
            path = tmp_path / name.replace("__", ".").replace("--", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            text = value if isinstance(value, str) else json.dumps(value)
            path.write_text(text, encoding="utf-8", newline="")
        return tmp_path

    return write


LINES = "".join(f"{token}\n" for token in TOKENS)


@pytest.mark.parametrize(
    "files",
    [
        {"vocab__txt": LINES},
        {"vocab__txt": LINES.replace("\n", "\r\n"), "config__json": BERT},
        {"vocab__txt": LINES[:-1], "bert_config__json": {}},
        {"vocab__txt": LINES, "bert_model__ckpt__index": ""},
        {"tokenizer__json": tokenizer_json()},
        # The order in the file does not count, and tokenizer.json comes before vocab.txt.
        {"tokenizer__json": tokenizer_json(dict(reversed(IDS.items()))), "vocab__txt": "[PAD]\n"},
        {
            "tokenizer__json": {"module": "keras_hub", "class_name": "BertTokenizer"},
            "assets--tokenizer--vocabulary__txt": LINES,
        },
        {
            "modules__json": [{"type": "sentence_transformers.Transformer", "path": "0_T"}],
            "0_T--vocab__txt": LINES,
        },
    ],
)
def test_every_kind(write, files):
    assert read_vocabulary(write(**files)) == TOKENS


def read(write, added_files, **files):
    found = read_entries(write(config__json=BERT, vocab__txt=LINES, **files, **added_files))
    assert found.num_pieces == len(TOKENS)
    return found.tokens[len(TOKENS) :], found.added


@pytest.mark.parametrize(
    ("files", "tokens", "added"),
    [
        ({"added_tokens__json": {"<e1>": 8, "x": 9}}, ["<e1>", "x"], {"<e1>": True, "x": True}),
        (
            {
                "added_tokens__json": {"y": 9, "x": 8},
                "special_tokens_map__json": {"extra_special_tokens": ["x"]},
            },
            ["x", "y"],
            {"x": False, "y": True},
        ),
        # So transformers 5 has it: of the map, only the newer key makes a listed token special.
        (
            {
                "added_tokens__json": {"x": 8},
                "special_tokens_map__json": {"additional_special_tokens": ["x", "y"]},
            },
            ["x", "y"],
            {"x": True, "y": False},
        ),
        # An entry of the vocabulary is found literally too; the five special ones are not.
        (
            {"tokenizer_config__json": {"extra_special_tokens": ["film", {"content": "z"}]}},
            ["z"],
            {"film": False, "z": False},
        ),
        (
            {
                "tokenizer_config__json": {
                    "unk_token": "[UNK]",
                    "bos_token": {"content": "<s>", "__type": "AddedToken"},
                    "my_token": "<m>",
                    "add_bos_token": True,
                    "additional_special_tokens": ["<x>"],
                }
            },
            ["<s>", "<m>", "<x>"],
            {"<s>": False, "<m>": False, "<x>": False},
        ),
        # added_tokens_decoder rules out the older files.
        (
            {
                "tokenizer_config__json": {
                    "added_tokens_decoder": {
                        "0": entry("[PAD]"),
                        "9": entry("b", special=False),
                        "8": entry("a"),
                    }
                },
                "added_tokens__json": {"other": 8},
                "special_tokens_map__json": {"additional_special_tokens": ["more"]},
            },
            ["a", "b"],
            {"a": False, "b": True},
        ),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("[PAD]", id=0), entry("c", id=8)])},
            ["c"],
            {"c": False},
        ),
        (
            {
                "tokenizer__json": tokenizer_json(added=[entry("c", id=8)]),
                "tokenizer_config__json": {"added_tokens_decoder": {"8": entry("d")}},
            },
            ["d"],
            {"d": False},
        ),
        # A general class takes tokenizer.json as it is, and the decoder's besides.
        (
            {
                "tokenizer__json": tokenizer_json(added=[entry("c", id=8)]),
                "tokenizer_config__json": {
                    "tokenizer_class": "PreTrainedTokenizerFast",
                    "added_tokens_decoder": {"9": entry("d")},
                },
            },
            ["c", "d"],
            {"c": False, "d": False},
        ),
    ],
)
def test_added_tokens(write, files, tokens, added):
    assert read(write, files) == (tokens, added)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer__json": "{"}, r"tokenizer\.json' is not JSON"),
        ({"tokenizer__json": {}}, "expected an object under `model`; received None"),
        ({"tokenizer__json": {"model": {"type": "BPE"}}}, "holds a BPE tokenizer; only WordPiece"),
        ({"tokenizer__json": {"model": {"merges": []}}}, "holds a BPE tokenizer"),
        ({"tokenizer__json": tokenizer_json(unk_token="<unk>")}, "sets unk_token to '<unk>'"),
        (
            {"tokenizer__json": tokenizer_json(continuing_subword_prefix="")},
            "sets continuing_subword_prefix to ''",
        ),
        ({"tokenizer__json": tokenizer_json({"a": 0, "b": 2})}, r"\[2\], while \[1\] are missing"),
        ({"tokenizer__json": tokenizer_json({"a": 0, "b": 0})}, "'a' and 'b' share the id 0"),
        ({"tokenizer__json": tokenizer_json({"a": -1})}, r"ids such as \[-1\]"),
        ({"tokenizer__json": tokenizer_json({"a": "0"})}, "the id of 'a' is '0'; expected an int"),
        ({"tokenizer__json": tokenizer_json({"a": True})}, "the id of 'a' is True"),
        ({"tokenizer__json": {"model": {"vocab": ["a"]}}}, "expected tokens with their ids"),
        ({"tokenizer__json": tokenizer_json(added=["a"])}, "expected objects under added_tokens"),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("a", id=9)])},
            r"tokenizer\.json' gives the added token 'a' the id 9, .* 8 is the next free one",
        ),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("a", id=5)])},
            "'a' the id 5, but .* 'good' has it",
        ),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("good", id=8)])},
            "'good' the id 8, but .* has the id 5",
        ),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("a", id=8), entry("b", id=8)])},
            "gives the id 8 to the added token 'b', but .* gives it to 'a'",
        ),
        ({"tokenizer__json": tokenizer_json(added=[entry("a")])}, "'a' has the id None"),
        ({"tokenizer__json": tokenizer_json(added=[entry("", id=8)])}, "with its content"),
        (
            {"tokenizer__json": tokenizer_json(added=[entry("a", id=8, single_word=True)])},
            "'a' has single_word set",
        ),
        ({"added_tokens__json": {"a": 9}}, r"added_tokens\.json' gives the added token 'a'"),
        ({"added_tokens__json": []}, "holds a list; expected a JSON object"),
        (
            {"tokenizer_config__json": {"added_tokens_decoder": []}},
            None,
        ),
        ({"tokenizer_config__json": {"added_tokens_decoder": ["a"]}}, "expected an object under"),
        ({"tokenizer_config__json": {"added_tokens_decoder": {"x": entry("a")}}}, "the id 'x'"),
        ({"tokenizer_config__json": {"extra_special_tokens": "a"}}, "expected a list under extra"),
        ({"tokenizer_config__json": {"extra_special_tokens": [3]}}, "received 3"),
        ({"vocab__txt": ""}, "is empty"),
    ],
)
def test_bad_files(write, files, message):
    folder = write(**{"config__json": BERT, "vocab__txt": LINES, **files})
    if message is None:
        assert read_vocabulary(folder) == TOKENS
        return
    with pytest.raises(ValueError, match=message):
        read_vocabulary(folder)


def test_not_utf8_and_missing(write):
    folder = write(config__json=BERT)
    with pytest.raises(FileNotFoundError, match=r"no vocab\.txt in .* or tokenizer\.json"):
        read_vocabulary(folder)
    (folder / "vocab.txt").write_bytes(b"[PAD]\n\xff\n")
    with pytest.raises(ValueError, match="is not UTF-8"):
        read_vocabulary(folder)
    (folder / "config.json").write_text('{"module": "keras_hub", "class_name": "BertBackbone"}')
    with pytest.raises(FileNotFoundError, match=r"no assets/tokenizer/vocabulary\.txt in"):
        read_vocabulary(folder)
