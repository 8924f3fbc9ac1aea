"""Tokens equal Google's: every assigned code point, every line of the real sets, random text."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_tokenizer import ReferenceTokenizer

from keras_bert.text.tokenizer import BertTokenizer

MODES = [(True, None), (False, None), (True, False), (False, True)]

# Characters whose handling depends on their neighbours or that tokenizers are known to get wrong.
TRICKY = (
    "aAzZ09 \t\n\r\0\x0b\x1c\x85\xa0\xad.,!'-#[]$^`~|+<=>Σσςİıß\u0130\u0301\u0307\u0327éÉñŉǅﬁﬃΐ"
    "\u1e9e\u2028\u2029\u200b\u200d\ufeff\u3000\ufffd我愛你\uf900\u2f800"
    "\U0002a700\U0002ceb0각ㄱア゙ｱ１①²Ⅷℌ\u2c2f\ua7c0\U00010570\U0001f600\u0e01\u0e34\u0915\u093f\u302e"
)


def differences(vocabulary, texts, lowercase=True, strip_accents=None):
    """The first texts whose ids differ, with what was got and what was expected."""
    tokenizer = BertTokenizer(vocabulary, lowercase, strip_accents)
    reference = ReferenceTokenizer(vocabulary, lowercase, strip_accents)
    found = []
    for begin in range(0, len(texts), 50_000):
        part = texts[begin : begin + 50_000]
        for text, ids in zip(part, tokenizer(part).to_list(), strict=True):
            expected = reference(text)
            if ids != expected:
                found.append((text[:80], ids[:20], expected[:20]))
    return found


@pytest.mark.parametrize(("lowercase", "strip_accents"), MODES)
def test_every_assigned_code_point(assigned, all_characters_vocabulary, lowercase, strip_accents):
    texts = [f"a{c}b {c}" for c in assigned]
    found = differences(all_characters_vocabulary, texts, lowercase, strip_accents)
    assert not found, f"{len(found)} of {len(texts)} differ: {found[:5]}"


def test_final_sigma_beside_every_assigned_code_point(assigned, all_characters_vocabulary):
    # All but the private planes: one text each, and every place the character may take in it.
    texts = [f"aΣ{c}b {c}Σ aΣ{c} a{c}Σ" for c in assigned if ord(c) < 0xF0000]
    found = differences(all_characters_vocabulary, texts)
    assert not found, f"{len(found)} of {len(texts)} differ: {found[:5]}"


@pytest.mark.parametrize("text", ["ΣΣΣΣ", "ΑΣΣ ΣΑΣΣΣΑ", "ΑΣ'ΑΣ'Σ", "ΑΣ.ΣΑΣ.", "ǅΣⅣΣ ªΣ", "Σ'ʰΣʰ"])
def test_sigmas_beside_sigmas(text):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary += [prefix + c for c in dict.fromkeys("σςα'.ǆdzªⅳʰ") for prefix in ("", "##")]
    assert not differences(vocabulary, [text], strip_accents=False)


@pytest.mark.parametrize("name", ["chinese", "multilingual"])
def test_every_assigned_code_point_with_real_vocabularies(assigned, request, name):
    texts = [f"a{c}b {c}" for c in assigned if ord(c) < 0xF0000]
    vocabulary = request.getfixturevalue(f"{name}_vocabulary")
    assert not differences(vocabulary, texts, lowercase=name == "chinese")


def lines(shared_data):
    """Every line of every set, once: prose, tables and JSON as they stand in the files."""
    suffixes = {".txt", ".tsv", ".csv", ".json", ".jsonl", ".md", ".conll", ".bio"}
    found = {}
    for path in sorted(shared_data.rglob("*")):
        if path.suffix in suffixes:
            for line in path.read_text("utf-8", errors="replace").split("\n"):
                # A JSON file may be one line; a part of it is a text too.
                for begin in range(0, len(line), 20_000):
                    found[line[begin : begin + 20_000]] = None
    return list(found)


def test_a_sample_of_the_lines_of_all_sets(
    shared_data, chinese_vocabulary, multilingual_vocabulary
):
    texts = lines(shared_data)[::100]
    assert len(texts) > 3_000
    assert not differences(chinese_vocabulary, texts, True)
    assert not differences(multilingual_vocabulary, texts, False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chinese", "multilingual"])
def test_every_line_of_all_sets(shared_data, request, name):
    vocabulary = request.getfixturevalue(f"{name}_vocabulary")
    found = differences(vocabulary, lines(shared_data), lowercase=name == "chinese")
    assert not found, f"{len(found)} lines differ: {found[:5]}"


@functools.lru_cache(maxsize=4)
def tricky_pair(lowercase, strip_accents):
    words = sorted(set(TRICKY + TRICKY.lower()) - {"\n"})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *("##" + c for c in words)]
    return (
        BertTokenizer(vocabulary, lowercase, strip_accents),
        ReferenceTokenizer(vocabulary, lowercase, strip_accents),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(TRICKY, max_size=40), min_size=1, max_size=8), st.sampled_from(MODES))
def test_random_text(texts, mode):
    tokenizer, reference = tricky_pair(*mode)
    assert tokenizer(texts).to_list() == [reference(text) for text in texts]


@pytest.mark.parametrize("separator", ["", ".", "我", "\u3000"])
@pytest.mark.parametrize("letter", ["a", "é", "ก", "\U00010400"])
def test_words_of_more_than_200_characters(letter, separator):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "我", "e", "##e"]
    vocabulary += ["a", "##a", "ก", "##ก", "\U00010428", "##\U00010428"]
    texts = [
        separator.join([letter * 200, letter * 3]) + separator + "a",
        separator.join([letter * 201, letter * 3]) + separator + "a",
        separator.join(["a", letter * 1_000, letter * 200, letter * 201]),
    ]
    assert not differences(vocabulary, texts)
    reference = ReferenceTokenizer(vocabulary)
    if separator:
        assert reference(texts[0]).count(1) == 0 and reference(texts[1]).count(1) == 1
