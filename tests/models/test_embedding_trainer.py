"""The training model computes what its embedder does, and is saved as its embedder is."""

import keras
import numpy as np
import pytest
from training.embedding_batches import CONFIG, arrays, make

import keras_bert as kb


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_each_text_is_embedded_alone(pooling):
    model = make(pooling, normalize=pooling == "cls")
    x, _, _ = arrays("triplet", 5)
    vectors = np.asarray(model(x)["embeddings"])
    assert vectors.shape == (5, 3, 12) and vectors.dtype == np.float32
    for place in range(3):
        alone = model.embedder({name: value[:, place] for name, value in x.items()})["embedding"]
        np.testing.assert_allclose(vectors[:, place], alone, atol=1e-5)
    assert np.abs(vectors[:, 0] - vectors[:, 1]).min(axis=0).max() > 0.1
    np.testing.assert_allclose(
        model.predict(x, batch_size=2, verbose=0)["embeddings"], vectors, atol=1e-5
    )


def test_what_is_trained_is_the_embedder():
    backbone = kb.BertBackbone(CONFIG)
    embedder = kb.BertTextEmbedder(backbone)
    model = kb.BertEmbeddingTrainer(embedder)
    assert {id(w) for w in model.weights} == {id(w) for w in embedder.weights}
    assert model.backbone is backbone
    x, y, w = arrays("cosine_regression", 8)
    single = {name: value[:, 0] for name, value in x.items()}
    before = np.asarray(embedder(single)["embedding"])
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.cosine_regression())
    first, *_, last = model.fit(x, y, sample_weight=w, epochs=30, verbose=0).history["loss"]
    assert last < 0.3 * first
    assert np.abs(embedder(single)["embedding"] - before).max() > 0.01


def test_keras_file_and_preset(tmp_path, tiny_vocabulary):
    config = CONFIG.replace(vocabulary_size=len(tiny_vocabulary))
    embedder = kb.BertTextEmbedder(kb.BertBackbone(config), "max", normalize=False)
    model = kb.BertEmbeddingTrainer(embedder)
    x, _, _ = arrays("triplet", 4)
    expected = np.asarray(model(x)["embeddings"])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is kb.BertEmbeddingTrainer and loaded.pooling == "max"
    np.testing.assert_array_equal(loaded(x)["embeddings"], expected)

    kb.save_preset(tmp_path / "preset", model, kb.BertTokenizer(tiny_vocabulary), verify=True)
    read = kb.model_from_preset(tmp_path / "preset")
    assert type(read) is kb.BertTextEmbedder and (read.pooling, read.normalize) == ("max", False)
    again = kb.BertEmbeddingTrainer.from_preset(tmp_path / "preset")
    for other in (kb.BertEmbeddingTrainer(read), again):
        np.testing.assert_allclose(other(x)["embeddings"], expected, atol=1e-6)
    changed = kb.BertEmbeddingTrainer.from_preset(tmp_path / "preset", pooling="cls")
    assert np.abs(changed(x)["embeddings"] - expected).max() > 0.01


def test_longer_tables_keep_the_embeddings():
    model = make("cls")
    x, _, _ = arrays("triplet", 4)
    longer = kb.lengthen(model, 20)
    assert type(longer) is kb.BertEmbeddingTrainer and longer.pooling == "cls"
    np.testing.assert_allclose(
        longer(x)["embeddings"], np.asarray(model(x)["embeddings"]), atol=1e-4
    )


def test_only_an_embedder_is_taken():
    with pytest.raises(ValueError, match=r"BertTextEmbedder\(backbone\)"):
        kb.BertEmbeddingTrainer(kb.BertBackbone(CONFIG))
