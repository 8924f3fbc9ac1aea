"""The tokenizer's face: calls, attributes, errors, directories, graphs and fresh processes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_bert.text.tokenizer import BertTokenizer

TEXTS = ["The cat sat.", "", "我爱 apples!", "DOGS in İstanbul \u200b Σ"]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return BertTokenizer(tiny_vocabulary)


def tokens(tokenizer, ids):
    return [tokenizer.id_to_token(index) for index in ids]


def test_strings_lists_tensors_and_tf_data(tokenizer):
    expected = tokenizer(TEXTS)
    assert expected.dtype == tf.int32
    assert tokens(tokenizer, expected[0].numpy()) == ["the", "cat", "sat", "."]
    assert tokens(tokenizer, expected[2].numpy()) == [
        "我", "爱", "a", "##p", "##p", "##l", "##e", "##s", "!",
    ]  # fmt: skip
    expected = expected.to_list()
    assert expected[1] == []
    for text, ids in zip(TEXTS, expected, strict=True):
        assert tokenizer(text).numpy().tolist() == ids
        assert tokenizer(tf.constant(text)).numpy().tolist() == ids
        assert tokenizer.tokenize_to_strings(text) == tokens(tokenizer, ids)
    assert tokenizer(tf.constant(TEXTS)).to_list() == expected
    assert tokenizer(np.array(TEXTS)).to_list() == expected
    assert tokenizer([text.encode() for text in TEXTS]).to_list() == expected
    assert tokenizer([]).to_list() == []
    data = tf.data.Dataset.from_tensor_slices(TEXTS)
    assert [row.tolist() for row in data.map(tokenizer).as_numpy_iterator()] == expected
    batched = data.batch(3).map(tokenizer, num_parallel_calls=2)
    assert [row for batch in batched for row in batch.to_list()] == expected


def test_invalid_text_is_replaced(tokenizer):
    expected = tokenizer("the cat").numpy().tolist()
    assert tokenizer(b"t\xffhe c\xe4\xbdat").numpy().tolist() == expected
    assert tokenizer(["t\udc80he cat", "a"])[0].numpy().tolist() == expected
    assert tokenizer("the \ud800cat").numpy().tolist() == expected
    ids, starts, ends = tokenizer.tokenize_with_offsets(b"the \xff cat")
    assert ids.numpy().tolist() == expected
    assert [starts.numpy().tolist(), ends.numpy().tolist()] == [[0, 6], [3, 9]]


def test_lines_of_a_megabyte(tokenizer):
    sizes = {"cat ": 250_000, "!": 1_000_000, "我": 300_000}
    texts = [text * count for text, count in sizes.items()]
    texts.append("a" * 1_000_000 + " cat")
    ids, _, ends = tokenizer.tokenize_with_offsets(texts)
    assert ids.row_lengths().numpy().tolist() == [*sizes.values(), 2]
    assert tokenizer(texts).row_lengths().numpy().tolist() == [*sizes.values(), 2]
    assert ends[3].numpy().tolist() == [1_000_000, 1_000_004]


def test_attributes(tiny_vocabulary):
    vocabulary = [*tiny_vocabulary[5:], "[unused1]", *tiny_vocabulary[:5]]
    tokenizer = BertTokenizer(vocabulary, lowercase=False)
    size = len(vocabulary)
    assert tokenizer.vocabulary == vocabulary and tokenizer.vocabulary_size == size
    assert (tokenizer.lowercase, tokenizer.strip_accents) == (False, False)
    ids = (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id)
    assert (*ids, tokenizer.mask_id) == tuple(range(size - 5, size)) == tokenizer.special_ids
    assert tokenizer.ordinary_ids.dtype == np.int32
    assert tokenizer.ordinary_ids.tolist() == list(range(size - 6))
    assert tokenizer.is_continuation.tolist() == [t.startswith("##") for t in vocabulary]
    assert tokenizer.token_to_id("##ing") == vocabulary.index("##ing")
    assert tokenizer("The the").numpy().tolist()[0] == tokenizer.unk_id
    with pytest.raises(ValueError, match="'xyz' is not in the vocabulary"):
        tokenizer.token_to_id("xyz")
    with pytest.raises(ValueError, match=f"from 0 to {size - 1}; received {size}"):
        tokenizer.id_to_token(size)


def test_unreachable_entries_match_nothing(tiny_vocabulary):
    odd = ["a b", "\u2028", "##\ufffd", "\x11", "a\0", "\x01", "...", "我爱", "", "##"]
    tokenizer = BertTokenizer([*tiny_vocabulary, *odd])
    plain = BertTokenizer(tiny_vocabulary)
    texts = ["a b", "a\u2028b", "a\ufffdb", "\x11a\0", "...", "我爱", "##", "a" * 201]
    assert tokenizer(texts).to_list() == plain(texts).to_list()
    assert tokenizer.vocabulary[-10:] == odd


def test_bad_vocabularies(tiny_vocabulary, tmp_path):
    with pytest.raises(ValueError, match="vocabulary is empty"):
        BertTokenizer([])
    with pytest.raises(ValueError, match=r"lacks \[CLS\], \[MASK\]; expected all of"):
        BertTokenizer(["[PAD]", "[UNK]", "[SEP]", "a"])
    with pytest.raises(ValueError, match=r"'cat' twice, on lines .* and 115; remove one"):
        BertTokenizer(
            [*tiny_vocabulary, *(f"w{i}" for i in range(114 - len(tiny_vocabulary))), "cat"]
        )
    with pytest.raises(TypeError, match="received 7 at place 1"):
        BertTokenizer(["[PAD]", 7])
    with pytest.raises(FileNotFoundError, match="no such file"):
        BertTokenizer(tmp_path / "vocab.txt")


def test_bad_texts(tokenizer):
    with pytest.raises(TypeError, match="received int at place 1"):
        tokenizer(["a", 1])
    with pytest.raises(TypeError, match="received int32"):
        tokenizer(tf.constant([1]))
    with pytest.raises(ValueError, match=r"rank 0 or 1; received shape \(1, 1\)"):
        tokenizer(tf.constant([["a"]]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't like 3.5 cats, (or 1,000)!", "i don't like 3.5 cats, (or 1,000)!"),
        ("我爱吃苹果，中国人。BERT 好", "我爱吃苹果，中国人。bert好"),
        ('"Why?" he said. "State-of-the-art" and/or $5', None),
        ("Is it 50% or (a) or [b]: x; y?", None),
    ],
)
def test_detokenize(text, expected):
    words = sorted({*"abcdefghijklmnopqrstuvwxyz0123456789", *text.lower()} - {" "})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *("##" + w for w in words)]
    tokenizer = BertTokenizer(vocabulary)
    ids = tokenizer(text).numpy().tolist()
    assert tokenizer.detokenize(ids) == (expected or text.lower())
    # Written as it would be read: tokenizing again gives the same.
    assert tokenizer(tokenizer.detokenize(ids)).numpy().tolist() == ids


def test_detokenize_batches_and_special_tokens(tokenizer):
    ragged = tokenizer(["The cats", "", "我 sat"])
    assert tokenizer.detokenize(ragged) == ["the cats", "", "我sat"]
    padded = tf.concat([tf.fill([3, 1], tokenizer.cls_id), ragged.to_tensor(0)], axis=1)
    assert tokenizer.detokenize(padded) == ["the cats", "", "我sat"]
    row = [tokenizer.cls_id, tokenizer.unk_id, *tokenizer("sat").numpy(), tokenizer.mask_id]
    assert tokenizer.detokenize(np.array(row)) == "[UNK] sat"
    with pytest.raises(ValueError, match="received 9999"):
        tokenizer.detokenize([9999])


@pytest.mark.parametrize("options", [(True, None), (False, None), (True, False), (False, True)])
def test_directory_round_trip(tiny_vocabulary, tmp_path, options):
    tokenizer = BertTokenizer([*tiny_vocabulary, "\u2028", "é", "É"], *options)
    tokenizer.save(tmp_path / "new" / "model", model_max_length=64)
    again = BertTokenizer.from_preset(tmp_path / "new" / "model")
    assert again.vocabulary == tokenizer.vocabulary
    assert (again.lowercase, again.strip_accents) == (tokenizer.lowercase, tokenizer.strip_accents)
    assert again("É é e").numpy().tolist() == tokenizer("É é e").numpy().tolist()
    assert sorted(os.listdir(tmp_path / "new" / "model")) == ["tokenizer_config.json", "vocab.txt"]
    config = json.loads((tmp_path / "new" / "model" / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "BertTokenizer" and config["model_max_length"] == 64
    assert config["do_lower_case"] is options[0]


def test_hugging_face_configurations(tiny_vocabulary, tmp_path):
    BertTokenizer(tiny_vocabulary).save(tmp_path)

    def read(**config):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        return BertTokenizer.from_preset(tmp_path)

    assert read(do_lower_case=False, model_max_length=1e30).lowercase is False
    assert read(unk_token={"content": "[UNK]", "__type": "AddedToken"}).lowercase is True
    assert read(do_lower_case=False, strip_accents=True).strip_accents is True
    for refused in (
        {"tokenize_chinese_chars": "no"},
        {"do_basic_tokenize": False},
        {"unk_token": "<unk>"},
        {"tokenizer_class": "RobertaTokenizer"},
    ):
        with pytest.raises(ValueError, match=next(iter(refused))):
            read(**refused)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        BertTokenizer.from_preset(tmp_path)
    os.remove(tmp_path / "tokenizer_config.json")
    assert BertTokenizer.from_preset(tmp_path).lowercase is True
    os.remove(tmp_path / "vocab.txt")
    with pytest.raises(FileNotFoundError, match=r"it holds nothing.*vocab\.txt"):
        BertTokenizer.from_preset(tmp_path)


FRESH = """
import json, sys
import tensorflow as tf
import tensorflow_text
module = tf.saved_model.load(sys.argv[1])
assert "keras_bert" not in sys.modules
texts = json.loads(sys.argv[2])
ids, starts, ends = module.tokenize(tf.constant(texts))
print("RESULT" + json.dumps([ids.to_list(), starts.to_list(), ends.to_list()]))
"""


def test_exported_graph_in_a_fresh_turkish_process(tokenizer, tmp_path):
    module = tf.Module()
    module.tokenize = tf.function(
        tokenizer.tokenize_with_offsets, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path / "saved"))
    texts = [*TEXTS, "IT IS IN THE MIDI", "a" * 201 + " \ua7c0", "ΑΣ"]
    # ICU lower-cases by the locale of the process: I becomes a dotless i in Turkish.
    environment = {**os.environ, "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"}
    command = [sys.executable, "-c", FRESH, str(tmp_path / "saved"), json.dumps(texts)]
    result = subprocess.run(
        command, env=environment, capture_output=True, check=True, text=True, cwd=tmp_path
    )
    received = json.loads(result.stdout.split("RESULT")[1])
    assert received == [part.to_list() for part in tokenizer.tokenize_with_offsets(texts)]
    assert received[0] == tokenizer(texts).to_list()
    assert tokens(tokenizer, received[0][4])[:3] == ["it", "is", "in"]
