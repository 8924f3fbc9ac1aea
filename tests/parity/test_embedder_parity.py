"""Sentence embeddings against sentence-transformers, whose directories are read and written.

Within 1e-5 of sentence-transformers in float64.
"""

import numpy as np
import pytest

import keras_bert as kb

torch = pytest.importorskip("torch", reason="needs the extra `parity`")
sentence_transformers = pytest.importorskip(
    "sentence_transformers", reason="needs the extra `parity`"
)

TOLERANCE = 1e-5
TEXTS = [
    "I love to eat apples.",
    "我爱吃苹果，也爱看电影。",
    "Ça été créé à la façon de Dvořák, naïvement; İstanbul, Straße, ﬁn",
    "",
    "?",
    "A longer sentence about the weather, which pads all of the others when they share a batch.",
    "The quick brown fox jumps over the lazy dog. " * 60,  # far longer than 256 tokens
    "electroencephalographically 1,234.56 x² 😀 " * 40,
]


def embed(model, tokenizer, texts, length=256):
    """Our embeddings of all texts as one padded batch."""
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=length)
    return np.asarray(model(preprocess(texts))["embedding"])


@pytest.fixture(scope="module")
def ours(minilm):
    return kb.BertTextEmbedder.from_preset(minilm), kb.BertTokenizer.from_preset(minilm)


@pytest.fixture(scope="module")
def expected(minilm):
    theirs = sentence_transformers.SentenceTransformer(str(minilm), device="cpu").double()
    assert theirs.max_seq_length == 256
    return np.asarray(theirs.encode(TEXTS, convert_to_numpy=True), "float64")


def test_all_minilm_l6_v2(ours, expected, record_parity):
    model, tokenizer = ours
    assert (model.pooling, model.normalize) == ("mean", True)
    actual = embed(model, tokenizer, TEXTS)
    assert np.std(expected @ expected.T) > 0.1
    source = "sentence-transformers, all-MiniLM-L6-v2"
    record_parity(source, "sentence embeddings", np.abs(actual - expected).max())
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)
    alone = np.concatenate([embed(model, tokenizer, [text]) for text in TEXTS])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=TOLERANCE)


def test_what_we_save_loads_there(ours, expected, tmp_path):
    model, tokenizer = ours
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=256)
    kb.save_preset(tmp_path / "saved", model, preprocess)
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert theirs.max_seq_length == 256
    assert [type(module).__name__ for module in theirs] == ["Transformer", "Pooling", "Normalize"]
    actual = theirs.double().encode(TEXTS, convert_to_numpy=True)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_sqrt_len_tokens"])
def test_ways_of_pooling_both_ways(tiny_vocabulary, tmp_path, pooling, normalize):
    """A tiny model: we write, they read and write, we read; all compute the same."""
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=4,
        num_layers=2,
        max_sequence_length=20,
    )
    model = kb.BertTextEmbedder(kb.BertBackbone(config), pooling, normalize)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        center = 1.0 if weight.path.endswith("gamma") else 0.0
        weight.assign(center + rng.normal(0, 0.3, weight.shape))
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    texts = ["the cat sat on a mat.", "我爱吃苹果", "a", "good film, bad film " * 10]
    actual = embed(model, tokenizer, texts, length=12)

    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=12)
    kb.save_preset(tmp_path / "ours", model, preprocess)
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "ours"), device="cpu")
    assert len(theirs) == 2 + normalize
    expected = theirs.double().encode(texts, convert_to_numpy=True)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)
    lengths = np.linalg.norm(expected, axis=-1)
    assert np.allclose(lengths, 1) == normalize

    theirs.float().save(str(tmp_path / "theirs"))
    again = kb.BertTextEmbedder.from_preset(tmp_path / "theirs")
    assert (again.pooling, again.normalize) == (pooling, normalize)
    read = kb.BertTokenizer.from_preset(tmp_path / "theirs")
    np.testing.assert_array_equal(embed(again, read, texts, length=12), actual)
