"""Ids equal `transformers`' on directories that it wrote, and on those that we write."""

import itertools
import json
import shutil

import pytest

from keras_bert.text.span_preprocessor import SpanPreprocessor
from keras_bert.text.tokenizer import BertTokenizer
from keras_bert.text.tokenizer_files import read_tokenizer
from keras_bert.vocabulary_files import read_vocabulary

torch = pytest.importorskip("torch", reason="needs PyTorch and transformers: make parity")
transformers = pytest.importorskip("transformers", reason="needs transformers: make parity")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the quick film good Good caf cafe resume Resume E1 e1 Word naive über Über uber".split()
LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éüÉ我爱吃苹果中国"]
VOCABULARY = [*SPECIAL, *WORDS, *LETTERS, *("##" + c for c in LETTERS), *"[](){}<>.,!?;:'\"/-&。，"]
VOCABULARY += ["我爱", "##苹果", "苹果", "##ing"]
VOCABULARY = list(dict.fromkeys(VOCABULARY))

TEXTS = [
    "The quick Café, a résumé: naïve ÜBER Über uber.",
    "我爱吃苹果。I爱苹果 good, 中国Film",
    "[E1]Good[/E1] films <e2> word WORD Wörd swords",
    "crispr CRISPR-Cas9 Crispr 苹果电脑 New York, new  york new\tyork",
    "  spaces\u00a0and\u3000tabs\t\nzero\u200bwidth soft\u00adhyphen e\u0301 E\u0301 ",
    "",
    "İstanbul ﬁne ① ½ x² Ⅷ 😀 don't state-of-the-art 3.5 $5 `a` ^b",
    "a" * 99 + " " + "b" * 100,
]
OPTIONS = list(itertools.product([True, False], [None, True, False], [True, False]))
RAW = ["[E1]", "[/E1]", "New York", "苹果电脑"]
NORMALIZED = ["<e2>", "CRISPR", "Wörd"]


def write_vocabulary(folder, vocabulary=VOCABULARY):
    folder.mkdir(exist_ok=True)
    path = folder / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8", newline="")
    return path


def assert_equal(folder, texts=TEXTS):
    """Both read the folder, and give the same ids."""
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder))
    ours = BertTokenizer.from_preset(folder)
    assert len(theirs) == ours.vocabulary_size
    names = {**theirs.get_vocab(), **theirs.added_tokens_encoder}
    assert [token for token in ours.vocabulary if names[token] != ours.token_to_id(token)] == []
    assert read_vocabulary(folder) == ours.vocabulary
    expected = [theirs(text, add_special_tokens=False)["input_ids"] for text in texts]
    found = ours(texts).to_list()
    for text, *ids in zip(texts, found, expected, strict=True):
        assert ids[0] == ids[1], text
    assert ours.tokenize_with_offsets(texts)[0].to_list() == expected
    return ours, theirs


@pytest.mark.parametrize("added", [False, True], ids=["plain", "added"])
@pytest.mark.parametrize(("lowercase", "strip_accents", "split_chinese"), OPTIONS)
def test_written_by_transformers(tmp_path, lowercase, strip_accents, split_chinese, added):
    theirs = transformers.BertTokenizer(
        vocab=str(write_vocabulary(tmp_path / "from")),
        do_lower_case=lowercase,
        strip_accents=strip_accents,
        tokenize_chinese_chars=split_chinese,
    )
    if added:
        theirs.add_tokens(NORMALIZED)
        theirs.add_special_tokens({"additional_special_tokens": RAW})
    theirs.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.txt").exists()
    ours, _ = assert_equal(tmp_path)
    assert (ours.lowercase, ours.split_chinese) == (lowercase, split_chinese)
    expected = {**dict.fromkeys(NORMALIZED, True), **dict.fromkeys(RAW, False)} if added else {}
    assert ours.added_tokens == expected
    # The same with the model's configuration beside it, and once more as a general class.
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert_equal(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    again, _ = assert_equal(tmp_path)
    assert again.options == ours.options


@pytest.mark.parametrize("added", [False, True], ids=["plain", "added"])
@pytest.mark.parametrize(("lowercase", "strip_accents", "split_chinese"), OPTIONS)
def test_written_by_us(tmp_path, lowercase, strip_accents, split_chinese, added):
    tokens = {**dict.fromkeys(RAW, False), **dict.fromkeys(NORMALIZED, True)} if added else {}
    # Two of them amid the vocabulary, the others at its end.
    vocabulary = [*SPECIAL, *[*tokens][:2], *VOCABULARY[5:], *[*tokens][2:]]
    tokens.update({"film": False} if added else {})
    ours = BertTokenizer(vocabulary, lowercase, strip_accents, split_chinese, tokens)
    ours.save(tmp_path, model_max_length=64)
    again, theirs = assert_equal(tmp_path)
    assert again.options == ours.options and again.vocabulary == ours.vocabulary
    assert theirs.model_max_length == 64
    assert theirs("good", "film")["input_ids"] == [2, *ours("good"), 3, *ours("film"), 3]
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert_equal(tmp_path)
    # What transformers makes of ours comes back too.
    theirs.save_pretrained(tmp_path / "again")
    final, _ = assert_equal(tmp_path / "again")
    assert final.options == ours.options


FILES = {
    "tokenizer": {"do_lower_case": False, "tokenize_chinese_chars": False},
    "added_tokens": {"<e2>": len(VOCABULARY), "New York": len(VOCABULARY) + 1},
    "special_tokens_map": {
        "additional_special_tokens": ["New York", "[E1]"],
        "bos_token": {"content": "<s>", "lstrip": False, "normalized": True},
        "mask_token": {"content": "[MASK]", "lstrip": True},
    },
}


@pytest.mark.parametrize("model", [None, {"model_type": "bert"}], ids=["alone", "model"])
@pytest.mark.parametrize("files", [("vocab",), ("tokenizer",), ("vocab", "tokenizer")])
@pytest.mark.parametrize("legacy", [(), ("added_tokens",), ("added_tokens", "special_tokens_map")])
@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"tokenizer_class": "BertTokenizer"},
        {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False, "strip_accents": True},
        {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True},
        {"tokenizer_class": "DistilBertTokenizer", "extra_special_tokens": ["中国", "[/E1]"]},
        {"additional_special_tokens": ["[/E1]", "New York"], "tokenizer_class": "BertTokenizer"},
        {"tokenizer_class": "ElectraTokenizer", "my_token": "<m>", "eos_token": "</s>"},
        {"tokenizer_class": "ConvBertTokenizer", "do_lower_case": True},
    ],
    ids=lambda config: "none" if config is None else "-".join(config) or "empty",
)
def test_files_that_disagree(tmp_path, config, legacy, files, model):
    source = write_vocabulary(tmp_path / "from")
    folder = tmp_path / "model"
    folder.mkdir()
    transformers.BertTokenizer(vocab=str(source), **FILES["tokenizer"]).save_pretrained(folder)
    (folder / "tokenizer_config.json").unlink()
    if "tokenizer" not in files:
        (folder / "tokenizer.json").unlink()
    if "vocab" in files:
        other = [*SPECIAL, *reversed(VOCABULARY[5:])]
        write_vocabulary(folder, other if "tokenizer" in files else VOCABULARY)
    for name, values in (
        ("tokenizer_config", config),
        ("config", model),
        *((name, FILES[name]) for name in legacy),
    ):
        if values is not None:
            (folder / f"{name}.json").write_text(json.dumps(values))
    try:
        transformers.AutoTokenizer.from_pretrained(str(folder))
    except ValueError as error:  # a folder that it cannot read has no ids to compare
        assert "Couldn't instantiate" in str(error) and "tokenizer" not in files
        return
    assert_equal(folder)


def lines(shared_data):
    """A few hundred lines of English, Chinese and tables."""
    names = ["wikitext2", "sst2", "squad2", "chnsenticorp", "zh_wiki", "multi30k", "wnut17"]
    found = []
    for name in names:
        paths = [p for p in sorted((shared_data / name).rglob("*")) if p.suffix in {".txt", ".tsv"}]
        for path in paths[:2]:
            text = path.read_text("utf-8", errors="replace").split("\n")
            found += [line[:2_000] for line in text[:: max(1, len(text) // 60)][:60]]
    assert len(found) > 300
    # Google's tokenizer takes words of up to 200 characters, transformers' of up to 100; and a
    # final sigma has its own letter with Google.
    return [line for line in found if max(map(len, line.split()), default=0) <= 100]


def test_all_minilm(minilm, shared_data, tmp_path):
    texts = [*TEXTS, *lines(shared_data)]
    theirs = transformers.AutoTokenizer.from_pretrained(str(minilm))
    ours = BertTokenizer.from_preset(minilm)
    assert ours.lowercase and ours.vocabulary_size == 30_522 == len(read_vocabulary(minilm))
    for text, ids in zip(texts, ours(texts).to_list(), strict=True):
        expected = theirs(text, add_special_tokens=False, truncation=False, padding=False)
        assert ids == expected["input_ids"], text
    # tokenizer.json alone, as transformers 5 writes it.
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(minilm / name, tmp_path)
    assert BertTokenizer.from_preset(tmp_path)(texts).to_list() == ours(texts).to_list()


def test_sentence_transformers(minilm, tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    model = sentence_transformers.SentenceTransformer(str(minilm), device="cpu")
    model.max_seq_length = 48
    model.save(str(tmp_path))
    assert read_tokenizer(minilm)["model_max_length"] == 256
    assert read_tokenizer(tmp_path)["model_max_length"] == 48
    ours = BertTokenizer.from_preset(tmp_path)
    for text in TEXTS[:-1]:
        ids = model.tokenize([text])["input_ids"][0].tolist()
        assert ids == [ours.cls_id, *ours(text).numpy().tolist(), ours.sep_id][: len(ids)]


def test_settings_of_a_preprocessor_are_passed_over(tmp_path):
    """What `save` adds for this package's own sake leaves the tokenizer as it is."""
    tokenizer = BertTokenizer(VOCABULARY)
    SpanPreprocessor(tokenizer, 40, stride=3).save(tmp_path)
    _, theirs = assert_equal(tmp_path)
    assert theirs.model_max_length == 40
    assert SpanPreprocessor.from_preset(tmp_path).stride == 3
