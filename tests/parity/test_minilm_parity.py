"""Real weights against Hugging Face in float64: ids, every token's vector, the pooled one."""

import numpy as np
import pytest

import keras_bert as kb

torch = pytest.importorskip("torch", reason="needs the extra `parity`")
transformers = pytest.importorskip("transformers", reason="needs the extra `parity`")

TOLERANCE = 1e-5
LONG = "The old library at the corner of the square keeps more maps than books. " * 60
TEXTS = {
    "English": ["I love to eat apples.", "A gripping film, from its first shot to its last."],
    "Chinese": ["我爱吃苹果。", "这部电影从头到尾都扣人心弦，值得一看。"],
    "accented": ["Ça été créé à la façon de Dvořák.", "Über den Wölkchen, naïve façade — İstanbul"],
    "padded": ["No.", LONG[:600], ""],
    "long": [LONG, LONG[::-1]],
}


@pytest.fixture(scope="module")
def both(minilm):
    theirs = transformers.AutoModel.from_pretrained(minilm).double().eval()
    return (
        kb.BertBackbone.from_preset(minilm),
        kb.TextClassifierPreprocessor.from_preset(minilm, sequence_length=512),
        theirs,
        transformers.AutoTokenizer.from_pretrained(minilm),
    )


@pytest.mark.parametrize("kind", TEXTS)
def test_vectors_of_every_token(both, kind, record_parity):
    backbone, preprocess, theirs, their_tokenizer = both
    inputs = preprocess(TEXTS[kind])
    expected = their_tokenizer(
        TEXTS[kind], padding=True, truncation=True, max_length=512, return_tensors="pt"
    )
    np.testing.assert_array_equal(inputs["token_ids"], expected["input_ids"])
    np.testing.assert_array_equal(inputs["padding_mask"], expected["attention_mask"])
    with torch.no_grad():
        expected = theirs(**expected)
    ours = backbone(inputs)
    real = inputs["padding_mask"].numpy() == 1
    for name, received, wanted in (
        ("sequence_output", ours["sequence_output"].numpy()[real], expected[0].numpy()[real]),
        ("pooled_output", ours["pooled_output"].numpy(), expected[1].numpy()),
    ):
        difference = np.abs(received - wanted).max()
        record_parity("Hugging Face, all-MiniLM-L6-v2", name, difference)
        assert difference < TOLERANCE


def test_the_size_of_the_figures(both):
    """The vectors are of order 1, or a tolerance of 1e-5 would say little."""
    backbone, preprocess, _, _ = both
    outputs = backbone(preprocess(TEXTS["English"]))
    assert 0.2 < np.std(outputs["sequence_output"]) < 5
    assert np.std(outputs["pooled_output"]) > 0.01
