"""Tokenizers of model directories: which file decides, what is refused, what is written."""

import itertools
import json

import pytest
import tokenizers

from keras_bert.text.preprocessors import TextClassifierPreprocessor
from keras_bert.text.tokenizer import BertTokenizer
from keras_bert.text.tokenizer_files import read_tokenizer

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "Good", "caf", "##e", "##é"]
VOCABULARY += ["我", "爱", "我爱", "##爱", "film", "."]
TEXT = "Good café 我爱 film."
BERT = {"model_type": "bert"}
CLASS = {"tokenizer_class": "BertTokenizer"}
GENERAL = {"tokenizer_class": "PreTrainedTokenizerFast"}
UNCASED = ["good", "caf", "##e", "我", "爱", "film", "."]
CASED_WHOLE = ["Good", "caf", "##é", "我爱", "film", "."]


def cased_whole():
    """tokenizer.json as the library writes it: cased, accents kept, Chinese not split."""
    ids = {token: index for index, token in enumerate(VOCABULARY)}
    model = tokenizers.models.WordPiece(vocab=ids, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
        lowercase=False, handle_chinese_chars=False
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return json.loads(tokenizer.to_str())


def write(folder, vocabulary=None, **files):
    folder.mkdir(exist_ok=True)
    if vocabulary:
        (folder / "vocab.txt").write_text("".join(f"{t}\n" for t in vocabulary), encoding="utf-8")
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / f"{name}.json").write_text(text)
    return folder


# What transformers 5.24 does; tests/parity asks it again.
@pytest.mark.parametrize(
    ("vocabulary", "config", "model", "expected"),
    [
        (False, None, None, CASED_WHOLE),
        (False, None, BERT, UNCASED),
        (True, None, BERT, UNCASED),
        (False, CLASS, None, UNCASED),
        (False, {}, None, CASED_WHOLE),
        (False, {}, BERT, UNCASED),
        (False, GENERAL, BERT, CASED_WHOLE),
        (False, {**GENERAL, "do_lower_case": True}, BERT, CASED_WHOLE),
        (False, {"do_lower_case": False}, BERT, ["Good", "caf", "##é", "我", "爱", "film", "."]),
        (
            False,
            {**CLASS, "tokenize_chinese_chars": False, "strip_accents": False},
            BERT,
            ["good", "caf", "##é", "我爱", "film", "."],
        ),
        (
            False,
            {**CLASS, "do_lower_case": False, "strip_accents": True},
            BERT,
            ["Good", "caf", "##e", "我", "爱", "film", "."],
        ),
    ],
)
def test_which_file_decides(tmp_path, vocabulary, config, model, expected):
    files = {"tokenizer": cased_whole(), "tokenizer_config": config, "config": model}
    write(tmp_path, **{name: value for name, value in files.items() if value is not None})
    if vocabulary:  # another one, which is not heeded
        write(tmp_path, VOCABULARY[:6])
    tokenizer = BertTokenizer.from_preset(tmp_path)
    assert tokenizer.vocabulary == VOCABULARY
    assert tokenizer.tokenize_to_strings(TEXT) == expected
    ids, starts, ends = tokenizer.tokenize_with_offsets(TEXT)
    assert TEXT[starts[1].numpy() : ends[1].numpy()] == "caf"
    assert ids.numpy().tolist() == [VOCABULARY.index(token) for token in expected]


def changed(**parts):
    return {**cased_whole(), **parts}


def template(*pieces):
    """A TemplateProcessing of one text; of two as BERT does it."""
    two = [("[CLS]", 0), ("A", 0), ("[SEP]", 0), ("B", 1), ("[SEP]", 1)]

    def build(pieces):
        return [
            {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": segment}}
            for name, segment in pieces
        ]

    return {"type": "TemplateProcessing", "single": build(pieces), "pair": build(two)}


NORMALIZER = {"type": "BertNormalizer", "lowercase": True}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"normalizer": None}, "the normalizer is None; only BertNormalizer is supported"),
        ({"normalizer": {"type": "Lowercase"}}, "the normalizer is 'Lowercase'"),
        (
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, NORMALIZER]}},
            "the normalizer is 'Sequence' of NFC, BertNormalizer",
        ),
        ({"normalizer": {**NORMALIZER, "lowercase": 1}}, "normalizer.lowercase is 1"),
        ({"normalizer": {**NORMALIZER, "clean_text": False}}, "clean_text is false"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "the pre_tokenizer is 'Whitespace'"),
        ({"post_processor": {"type": "RobertaProcessing"}}, "the post_processor is 'Roberta"),
        ({"post_processor": template(("A", 0), ("[SEP]", 0))}, "the post_processor packs"),
        (
            {"post_processor": {"type": "BertProcessing", "cls": ["<s>", 2], "sep": ["[SEP]", 3]}},
            "packs .*<s>",
        ),
    ],
)
def test_parts_that_are_not_berts(tmp_path, parts, message):
    write(tmp_path, tokenizer=changed(**parts), tokenizer_config=CLASS)
    with pytest.raises(ValueError, match=message):
        BertTokenizer.from_preset(tmp_path)


def test_packing_of_its_own(tmp_path):
    bert = template(("[CLS]", 0), ("A", 0), ("[SEP]", 0))
    write(tmp_path, tokenizer=changed(post_processor=bert))
    assert BertTokenizer.from_preset(tmp_path).lowercase is False
    # Without any, the general class packs nothing; BERT's packs as BERT does.
    write(tmp_path, tokenizer=changed(post_processor=None))
    with pytest.raises(ValueError, match="the post_processor is None"):
        BertTokenizer.from_preset(tmp_path)
    write(tmp_path, config=BERT)
    assert BertTokenizer.from_preset(tmp_path).lowercase is True


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"do_lower_case": "yes"}, "sets do_lower_case to 'yes'; expected true or false"),
        ({"strip_accents": 0}, "sets strip_accents to 0"),
        ({"tokenize_chinese_chars": []}, r"sets tokenize_chinese_chars to \[\]"),
        ({"do_basic_tokenize": False}, "sets do_basic_tokenize to False"),
        ({"mask_token": "<mask>"}, "sets mask_token to '<mask>'"),
        ({"model_max_length": "long"}, "sets model_max_length to 'long'"),
        ({"tokenizer_class": "T5Tokenizer"}, "names tokenizer_class 'T5Tokenizer'"),
        (GENERAL, "general class needs tokenizer.json"),
        (
            {"split_special_tokens": True, "extra_special_tokens": ["good"]},
            "sets split_special_tokens, but there are added tokens: good",
        ),
        # At the end of the vocabulary an added token is no piece; this one is.
        ({"extra_special_tokens": ["film", "."]}, "'film' is a piece of the vocabulary"),
    ],
)
def test_configurations_that_are_refused(tmp_path, config, message):
    write(tmp_path, VOCABULARY, tokenizer_config=config, config=BERT)
    with pytest.raises(ValueError, match=message):
        BertTokenizer.from_preset(tmp_path)


def test_missing_special_tokens(tmp_path):
    write(tmp_path, ["[PAD]", "[UNK]", "a"], config=BERT)
    with pytest.raises(ValueError, match=r"lacks \[CLS\], \[SEP\], \[MASK\]"):
        BertTokenizer.from_preset(tmp_path)


@pytest.mark.parametrize(
    ("words", "lowercase"),
    [
        (["good", "film"], True),
        (["good", "Film"], False),
        (["##ING"], False),
        (["I"], False),
        # bert-base-chinese holds these two, which are no words.
        (["<S>", "<T>", "我"], True),
        (["[unused1]", "É"], True),
    ],
)
def test_google_folders_tell_case_by_their_words(tmp_path, words, lowercase):
    write(tmp_path, [*VOCABULARY[:5], *words], bert_config={})
    tokenizer = BertTokenizer.from_preset(tmp_path)
    assert (tokenizer.lowercase, tokenizer.strip_accents) == (lowercase, lowercase)
    other = BertTokenizer.from_preset(tmp_path, lowercase=not lowercase)
    assert (other.lowercase, other.strip_accents) == (not lowercase, not lowercase)
    # As a Hugging Face directory, its defaults hold.
    write(tmp_path, config=BERT)
    assert BertTokenizer.from_preset(tmp_path).lowercase is True
    assert BertTokenizer.from_preset(tmp_path, lowercase=False).strip_accents is False


def test_googles_own_vocabularies(tmp_path, shared_data, chinese_vocabulary):
    found = read_tokenizer(shared_data / "tiny_tf1_checkpoint")
    assert found["lowercase"] is True and found["vocabulary"][5:8] == ["all", "work", "and"]
    write(tmp_path, chinese_vocabulary, bert_config={})
    assert BertTokenizer.from_preset(tmp_path).lowercase is True
    multilingual = shared_data / "vocabs" / "bert-base-multilingual-cased" / "vocab.txt"
    (tmp_path / "vocab.txt").write_bytes(multilingual.read_bytes())
    assert BertTokenizer.from_preset(tmp_path).lowercase is False


def test_explicit_lower_casing_leaves_what_is_said_of_accents(tmp_path):
    write(tmp_path, VOCABULARY, config=BERT, tokenizer_config={"strip_accents": False})
    tokenizer = BertTokenizer.from_preset(tmp_path, lowercase=True)
    assert (tokenizer.lowercase, tokenizer.strip_accents) == (True, False)


def test_sentence_transformers(tmp_path):
    module = {"idx": 0, "name": "0", "type": "sentence_transformers.models.Transformer"}
    write(tmp_path / "new", modules=[{**module, "path": ""}], config=BERT)
    write(tmp_path / "new", VOCABULARY, tokenizer_config={**CLASS, "model_max_length": 512})
    assert read_tokenizer(tmp_path / "new")["model_max_length"] == 512
    write(tmp_path / "new", sentence_bert_config={"max_seq_length": 64, "do_lower_case": False})
    assert read_tokenizer(tmp_path / "new")["model_max_length"] == 64
    assert TextClassifierPreprocessor.from_preset(tmp_path / "new").sequence_length == 64
    write(tmp_path / "new", sentence_bert_config={"max_seq_length": 1024})
    assert read_tokenizer(tmp_path / "new")["model_max_length"] == 512
    write(tmp_path / "new", sentence_bert_config={"max_seq_length": "64"})
    with pytest.raises(ValueError, match="sets max_seq_length to '64'"):
        read_tokenizer(tmp_path / "new")

    write(tmp_path / "old", modules=[{**module, "path": "0_Transformer"}])
    inner = write(tmp_path / "old" / "0_Transformer", VOCABULARY, config=BERT)
    write(inner, tokenizer_config={"do_lower_case": False}, sentence_bert_config={})
    assert BertTokenizer.from_preset(tmp_path / "old").lowercase is False
    # It lower-cases before the tokenizer, whose accents stay.
    write(inner, sentence_bert_config={"do_lower_case": True, "max_seq_length": 32})
    found = read_tokenizer(tmp_path / "old")
    assert (found["lowercase"], found["strip_accents"]) == (True, False)
    assert found["model_max_length"] == 32


def keras_hub(folder, **config):
    assets = folder / "assets" / "tokenizer"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "vocabulary.txt").write_text("".join(f"{t}\n" for t in VOCABULARY), encoding="utf-8")
    values = {"module": "keras_hub.src.models.bert.bert_tokenizer", "class_name": "BertTokenizer"}
    return write(folder, tokenizer={**values, "config": config})


def test_keras_hub(tmp_path):
    keras_hub(tmp_path, lowercase=True, strip_accents=False, split=True)
    tokenizer = BertTokenizer.from_preset(tmp_path)
    assert (tokenizer.lowercase, tokenizer.strip_accents) == (True, False)
    assert tokenizer.tokenize_to_strings(TEXT) == ["good", "caf", "##é", "我", "爱", "film", "."]
    assert BertTokenizer.from_preset(tmp_path, lowercase=False).lowercase is False
    assert read_tokenizer(tmp_path)["model_max_length"] is None
    write(tmp_path, preprocessor={"config": {"sequence_length": 48}})
    assert TextClassifierPreprocessor.from_preset(tmp_path).sequence_length == 48
    keras_hub(tmp_path, lowercase=False, split_on_cjk=False)
    assert BertTokenizer.from_preset(tmp_path).tokenize_to_strings(TEXT) == CASED_WHOLE
    for key, value in (
        ("split", False),
        ("suffix_indicator", "@@"),
        ("oov_token", "<unk>"),
        ("special_tokens_in_strings", True),
        ("lowercase", "yes"),
    ):
        keras_hub(tmp_path, **{key: value})
        with pytest.raises(ValueError, match=f"sets {key} to"):
            BertTokenizer.from_preset(tmp_path)
    write(tmp_path, tokenizer={"module": "keras_hub", "class_name": "GPT2Tokenizer", "config": {}})
    with pytest.raises(ValueError, match="holds the class 'GPT2Tokenizer'"):
        BertTokenizer.from_preset(tmp_path)


@pytest.mark.slow
def test_keras_hub_itself(tmp_path):
    keras_hub = pytest.importorskip("keras_hub", reason="needs KerasHub")
    text = "Good films, i.e. good ones; 我爱 film.  Café?\nGOOD"
    vocabulary = [*VOCABULARY, "##s", ",", "i", "e", ";", "?", "ones", "café"]
    theirs = keras_hub.models.BertTokenizer(vocabulary, lowercase=True, strip_accents=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(theirs, sequence_length=24)
    preprocessor.save_to_preset(str(tmp_path))
    ours = BertTokenizer.from_preset(tmp_path)
    assert ours.vocabulary == vocabulary
    assert ours(text).numpy().tolist() == [int(index) for index in theirs(text)]
    assert read_tokenizer(tmp_path)["model_max_length"] == 24


OPTIONS = list(itertools.product([True, False], [None, True, False], [True, False]))
TEXTS = [
    TEXT,
    "GOOD Café 我爱film good我",
    "[E1]Good words, a [e1] Word",
    "",
    "[E1]",
    "swordÉ <e2>",
]


@pytest.mark.parametrize(("lowercase", "strip_accents", "split_chinese"), OPTIONS)
@pytest.mark.parametrize("added", [{}, {"[E1]": False, "film": False, "<e2>": True, "Wörd": True}])
def test_saved_and_read_back(tmp_path, lowercase, strip_accents, split_chinese, added):
    vocabulary = [*VOCABULARY, "a", "s", "[", "]", "e", "1", ",", "[E1]", "<e2>", "Wörd"]
    tokenizer = BertTokenizer(vocabulary, lowercase, strip_accents, split_chinese, added)
    # What was there before does not shine through.
    write(tmp_path, VOCABULARY[:6], tokenizer=cased_whole(), config=BERT)
    tokenizer.save(tmp_path, model_max_length=77)
    again = BertTokenizer.from_preset(tmp_path)
    assert again.vocabulary == vocabulary and again.options == tokenizer.options
    expected = tokenizer(TEXTS).to_list()
    assert again(TEXTS).to_list() == expected
    assert (tmp_path / "tokenizer.json").exists() == bool(added)
    if added:
        library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        assert library.get_vocab_size() == len(vocabulary)
        for text, ids in zip(TEXTS, expected, strict=True):
            found = library.encode(text)
            assert found.ids == [2, *ids, 3]
            starts, ends = again.tokenize_with_offsets(text)[1:]
            assert found.offsets[1:-1] == list(
                zip(starts.numpy().tolist(), ends.numpy().tolist(), strict=True)
            )
