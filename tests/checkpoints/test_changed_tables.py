"""Other vocabularies and position tables on real weights: all-MiniLM-L6-v2."""

import numpy as np
import pytest
from models.changed_tables import check_the_rest, mean, value

import keras_bert as kb


def test_new_tokens_start_as_the_mean_of_their_pieces(minilm):
    backbone = kb.BertBackbone.from_preset(minilm)
    tokenizer = kb.BertTokenizer.from_preset(minilm)
    assert tokenizer.tokenize_to_strings("Covid genomics") == ["co", "##vid", "gen", "##omics"]
    with pytest.raises(ValueError, match="'##omics': in the vocabulary already"):
        kb.extend_vocabulary(backbone, tokenizer, ["covid", "##omics"])
    new, new_tokenizer = kb.extend_vocabulary(backbone, tokenizer, ["covid", "##ovidomics"])
    assert new_tokenizer.tokenize_to_strings("Covid genomics") == ["covid", "gen", "##omics"]
    assert new_tokenizer.tokenize_to_strings("zovidomics")[-1] == "##ovidomics"
    old, rows = value(backbone, "token_table"), value(new, "token_table")
    np.testing.assert_array_equal(rows[:-2], old)
    pieces = [tokenizer.token_to_id(token) for token in ("co", "##vid")]
    np.testing.assert_array_equal(rows[-2], mean(old[pieces]))
    pieces = continuation("ovidomics", tokenizer)
    assert len(pieces) > 2
    np.testing.assert_array_equal(rows[-1], mean(old[pieces]))
    # "[unused0]" stands at 1.
    same, placed = kb.extend_vocabulary(backbone, tokenizer, ["covid"], reuse_unused=True)
    assert placed("covid").numpy().tolist() == [1]
    assert same.config == backbone.config


@pytest.mark.slow
def test_a_longer_model_reads_longer_texts_and_short_ones_as_before(minilm):
    backbone = kb.BertBackbone.from_preset(minilm)
    tokenizer = kb.BertTokenizer.from_preset(minilm)
    text = "A film of quiet power, which nobody expected from this director. "
    short = inputs_of(tokenizer(text * 45)[:512])
    long = inputs_of(tokenizer(text * 70)[:800])
    assert short["token_ids"].shape == (1, 512)
    assert long["token_ids"].shape == (1, 800)
    expected = np.asarray(backbone(short)["sequence_output"])
    table = value(backbone, "position_table")
    outputs = []
    for method in ("hierarchical", "repeat"):
        new = kb.lengthen(backbone, 1_024, method)
        check_the_rest(backbone, new, ("position_table",), max_sequence_length=1_024)
        np.testing.assert_array_equal(value(new, "position_table")[:512], table)
        np.testing.assert_array_equal(np.asarray(new(short)["sequence_output"]), expected)
        outputs.append(np.asarray(new(long)["sequence_output"]))
        assert outputs[-1].shape == (1, 800, 384)
        assert np.isfinite(outputs[-1]).all()
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01


def inputs_of(token_ids):
    ones = np.ones((1, len(token_ids)), "int32")
    return {
        "token_ids": token_ids.numpy()[None],
        "segment_ids": 0 * ones,
        "padding_mask": ones,
    }


def continuation(text, tokenizer):
    """WordPiece by hand: the longest piece that fits, again and again."""
    ids = []
    while text:
        length = max(i for i in range(len(text) + 1) if f"##{text[:i]}" in tokenizer.vocabulary)
        ids.append(tokenizer.token_to_id(f"##{text[:length]}"))
        text = text[length:]
    return ids
