"""Search by meaning against products written out, saved and loaded; English and Chinese."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.serving import semantic_search

TEXTS = ["good film", "我爱吃苹果", "the cat sat on the mat\nand was good", "bad", "good film", ""]


@pytest.fixture(scope="module")
def encode(tiny_vocabulary):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=16,
    )
    model = kb.BertTextEmbedder(kb.BertBackbone(config), normalize=False)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), 16)
    return kb.SentenceEncoder(model, preprocess)


def test_encoder_gives_vectors_in_the_order_of_the_texts(encode):
    vectors = encode(TEXTS, batch_size=2)
    assert vectors.dtype == np.float32 and vectors.shape == (6, 16)
    for text, vector in zip(TEXTS, vectors, strict=True):
        alone = encode.model(encode.preprocess([text]))["embedding"]
        np.testing.assert_allclose(vector, alone[0], atol=1e-5)
        np.testing.assert_allclose(encode(text), alone[0], atol=1e-5)
    assert encode([]).shape == (0, 16)


def test_search_finds_the_largest_cosines(encode, monkeypatch):
    monkeypatch.setattr(semantic_search, "_AT_ONCE", 4)
    index = kb.SemanticIndex(encode, TEXTS)
    vectors = np.float64(encode(TEXTS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = ["苹果", "good"]
    found = index.search(queries, top_k=4)
    for query, answers in zip(queries, found, strict=True):
        vector = np.float64(encode(query))
        cosines = vectors @ vector / np.linalg.norm(vector)
        assert [answer["score"] for answer in answers] == pytest.approx(
            sorted(cosines)[:1:-1], abs=1e-5
        )
        for answer in answers:
            assert answer["text"] == TEXTS[answer["place"]]
            assert cosines[answer["place"]] == pytest.approx(answer["score"], abs=1e-5)
    assert found[0] != found[1]
    assert index.search("good film", top_k=2) == index.search(["good film"], top_k=2)[0]
    # Both of two equal texts; a batch may round them apart.
    assert {answer["place"] for answer in index.search("good film", top_k=2)} == {0, 4}
    assert index.search([]) == [] and len(index.search("x", top_k=100)) == 6


def test_saved_and_loaded(encode, tmp_path):
    index = kb.SemanticIndex(encode, TEXTS)
    index.save(tmp_path / "index")
    loaded = kb.SemanticIndex.load(tmp_path / "index", encode)
    assert loaded.texts == TEXTS and isinstance(loaded.vectors, np.memmap)
    assert loaded.search(TEXTS, top_k=3) == index.search(TEXTS, top_k=3)
    with pytest.raises(FileExistsError):
        index.save(tmp_path / "index")
    kb.SemanticIndex(encode, TEXTS[:2]).save(tmp_path / "index", overwrite=True)
    assert kb.SemanticIndex.load(tmp_path / "index", encode).texts == TEXTS[:2]
    (tmp_path / "index" / "texts.jsonl").write_text('"one"\n')
    with pytest.raises(ValueError, match="1 texts and embeddings of the shape"):
        kb.SemanticIndex.load(tmp_path / "index", encode)
    (tmp_path / "index" / "texts.jsonl").write_text("{\n")
    with pytest.raises(ValueError, match="not JSON Lines"):
        kb.SemanticIndex.load(tmp_path / "index", encode)
    with pytest.raises(FileNotFoundError):
        kb.SemanticIndex.load(tmp_path / "nowhere", encode)


def test_bad_input(encode):
    for texts, error in (("one", TypeError), ([], ValueError), (["a", 1], TypeError)):
        with pytest.raises(error, match="received"):
            kb.SemanticIndex(encode, texts)
    index = kb.SemanticIndex(encode, TEXTS)
    with pytest.raises(TypeError, match="place 1"):
        index.search(["a", None])
    with pytest.raises(ValueError, match="at least 1"):
        index.search("a", top_k=0)
    with pytest.raises(ValueError, match="an embedding for each of 2 texts"):
        kb.SemanticIndex(lambda texts: [1.0] * len(texts), ["a", "b"])
    with pytest.raises(ValueError, match="'b' is not finite"):
        kb.SemanticIndex(lambda texts: [[1.0], [np.nan]], ["a", "b"])
    other = kb.SemanticIndex(lambda texts: np.ones((len(texts), 3)), ["a"])
    other._encode = encode
    with pytest.raises(ValueError, match="of one dimension"):
        other.search("a")
    with pytest.raises(ValueError, match="its `embedder`"):
        kb.SentenceEncoder(kb.BertEmbeddingTrainer(encode.model), encode.preprocess)
    with pytest.raises(TypeError, match="place 0"):
        encode([("a", "b")])
    with pytest.raises(ValueError, match="batch_size"):
        encode(["a"], batch_size=0)
