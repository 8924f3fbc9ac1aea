"""Sources and targets as rows: ids written out, the same in all ways of calling."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", "我", "爱"]
A = 5  # the id of "a"


def make(sequence_length=12, target_length=5, **options):
    return kb.Seq2SeqPreprocessor(
        kb.BertTokenizer(VOCABULARY), sequence_length, target_length, **options
    )


def test_rows_written_out():
    inputs, labels, weights = make()((["a b", "c d e f g h a b"], ["我爱 c", "a b c d e f"]))
    expected = {
        # Sources have 12 - 5 tokens, [CLS] and [SEP] with them; targets 5 with their [SEP].
        "token_ids": [
            [2, 5, 6, 3, 13, 14, 7, 3, 0, 0, 0, 0],
            [2, 7, 8, 9, 10, 11, 3, 5, 6, 7, 8, 3],
        ],
        "segment_ids": [[0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0], [0] * 7 + [1] * 5],
        "padding_mask": [[1] * 8 + [0] * 4, [1] * 12],
        "target_positions": [[3, 4, 5, 6, 0], [6, 7, 8, 9, 10]],
    }
    for name, values in expected.items():
        assert inputs[name].dtype == tf.int32
        assert inputs[name].numpy().tolist() == values
    assert labels["seq2seq"].numpy().tolist() == [[13, 14, 7, 3, 0], [5, 6, 7, 8, 3]]
    assert weights["seq2seq"].numpy().tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    # A label is the token behind its place.
    ids = inputs["token_ids"].numpy()
    after = np.take_along_axis(ids, inputs["target_positions"].numpy() + 1, axis=1)
    used = weights["seq2seq"].numpy() == 1
    assert (after[used] == labels["seq2seq"].numpy()[used]).all()


def test_sources_alone_are_the_beginnings_of_rows():
    preprocess = make()
    texts = ["a b", "c d e f g h a b", ""]
    alone = preprocess(texts)
    assert alone["token_ids"].numpy().tolist() == [
        [2, 5, 6, 3, 0, 0, 0],
        [2, 7, 8, 9, 10, 11, 3],
        [2, 3, 0, 0, 0, 0, 0],
    ]
    assert not alone["segment_ids"].numpy().any()
    assert alone["padding_mask"].numpy().sum(axis=1).tolist() == [4, 7, 2]
    with_targets, _, _ = preprocess((texts, ["a", "b", "c"]))
    for row, length in enumerate([4, 7, 2]):
        found = with_targets["token_ids"].numpy()[row, :length]
        assert found.tolist() == alone["token_ids"].numpy()[row, :length].tolist()


def test_the_same_in_all_ways():
    for options in ({}, {"pad_to_sequence_length": True}):
        preprocess = make(**options)
        pairs = (["a b", "c"], ["d", "e f g h a b"])
        batch = preprocess(pairs)
        data = tf.data.Dataset.from_tensor_slices({"pair": pairs}).batch(2)
        mapped = next(iter(data.map(lambda x, call=preprocess: call(x["pair"]))))
        tf.nest.map_structure(np.testing.assert_array_equal, batch, mapped)
        alone = preprocess((pairs[0][0], pairs[1][0]))
        count = {"token_ids": 6, "target_positions": 2, "seq2seq": 2}
        for part, one in zip(batch, alone, strict=True):
            for name, values in one.items():
                size = count.get(name, 6)
                np.testing.assert_array_equal(values[:size], part[name][0, :size])
    assert batch[0]["token_ids"].shape == (2, 12) and batch[1]["seq2seq"].shape == (2, 5)
    assert preprocess("a")["token_ids"].shape == (7,)  # a source's share
    assert mapped[0]["token_ids"].shape == (2, 12)


def test_there_and_back():
    preprocess = make(20, 10)
    texts = ["a b c", "我爱 d", ""]
    _, labels, _ = preprocess((texts, texts))
    found = preprocess.detokenize(labels["seq2seq"]).numpy()
    assert [text.decode() for text in found] == ["a b c", "我爱d", ""]


def test_lengths_of_a_directory(tmp_path):
    preprocess = make()
    preprocess.save(tmp_path)
    again = kb.Seq2SeqPreprocessor.from_preset(tmp_path)
    assert (again.sequence_length, again.target_length, again.source_length) == (12, 5, 7)
    assert kb.Seq2SeqPreprocessor.from_preset(tmp_path, target_length=4).target_length == 4
    make(12, None).save(tmp_path)  # half of the row, whatever its length
    assert kb.Seq2SeqPreprocessor.from_preset(tmp_path, 20).target_length == 10


def test_bad_input():
    preprocess = make()
    for wrong in (1, 10, 2.5, True, -3):
        with pytest.raises(ValueError, match=r"target_length must be an int .* sequence_length=12"):
            make(target_length=wrong)
    with pytest.raises(ValueError, match="at least 3"):
        make(sequence_length=2)
    with pytest.raises(ValueError, match=r"as many sources as targets; received shapes \(2,\)"):
        preprocess((["a", "b"], ["a"]))
    with pytest.raises(ValueError, match=r"\(sources, targets\); received 3 parts"):
        preprocess(("a", "b", "c"))
