"""Raw text for fine-tuning a masked LM: the stream's own rows, all of them each epoch."""

import collections
import functools

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data import masked_set


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.MaskedLMPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=24)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("masked") / "texts.txt"
    rng = np.random.default_rng(0)
    words = "the cat dog sat on mat a in was it good bad film 我 爱 吃".split()
    documents = [
        "\n".join(" ".join(rng.choice(words, rng.integers(3, 9))) for _ in range(6))
        for _ in range(20)
    ]
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return path


def tokens_of(batches):
    """How often each token stands in the text, from rows with what was hidden put back."""
    found = collections.Counter()
    for inputs, labels, weights in batches:
        ids = inputs["token_ids"].copy()
        rows, slots = np.nonzero(weights["masked_lm"])
        ids[rows, inputs["mask_positions"][rows, slots]] = labels["masked_lm"][rows, slots]
        found.update(ids[inputs["padding_mask"] == 1].tolist())
    return found


def test_epochs_hold_the_text_and_draw_anew(path, preprocess):
    train = kb.data.masked_lm(path, preprocess, batch_size=8, seed=3)
    first, second = (list(train.as_numpy_iterator()) for _ in range(2))
    tokenizer = preprocess.tokenizer
    whole = collections.Counter(tokenizer([path.read_text()]).flat_values.numpy().tolist())
    special = {tokenizer.cls_id, tokenizer.sep_id}
    for batches in (first, second):
        assert len(batches) == len(train)
        assert sum(len(inputs["token_ids"]) for inputs, _, _ in batches) == train.num_examples
        counts = tokens_of(batches)
        assert {t: n for t, n in counts.items() if t not in special} == whole
    masked = [np.concatenate([labels["masked_lm"] for _, labels, _ in b]) for b in (first, second)]
    assert (masked[0] != masked[1]).mean() > 0.5
    assert train.lengths.sum() == sum(inputs["padding_mask"].sum() for inputs, _, _ in first)
    assert (train.counts.documents, train.counts.sentences) == (20, 120)
    # An epoch can be asked for again, and is the same in another process.
    train.set_epoch(1)
    for one, other in zip(train.as_numpy_iterator(), second, strict=True):
        np.testing.assert_array_equal(one[0]["token_ids"], other[0]["token_ids"])


def test_measuring_draws_the_same_each_time(path, preprocess):
    dev = kb.data.masked_lm(path, preprocess, batch_size=8, shuffle=False)
    stream = kb.data.pretraining(
        path, preprocess.tokenizer, sequence_length=24, batch_size=8, epochs=1, pairs="none"
    )
    for _ in range(2):
        both = zip(dev.as_numpy_iterator(), stream.as_numpy_iterator(), strict=True)
        for one, other in both:
            for part, expected in zip(one, other, strict=True):
                assert part.keys() == expected.keys()
                for name in part:
                    np.testing.assert_array_equal(part[name], expected[name])


def test_epochs_are_equally_long_where_blocks_meet_otherwise(path, preprocess, monkeypatch):
    small = functools.partial(masked_set.PretrainingStream, window_bytes=150, block_windows=2)
    monkeypatch.setattr(masked_set, "PretrainingStream", small)
    train = kb.data.masked_lm(path, preprocess, batch_size=2)
    made = [
        len(list(small(path, preprocess.tokenizer, sequence_length=24, batch_size=2, pairs="none",
                       start=[[epoch, 0, 0]], epochs=epoch + 1).batches()))
        for epoch in range(6)
    ]  # fmt: skip
    assert len(set(made)) > 1  # else this test shows nothing
    for _ in range(6):
        assert len(list(train)) == len(train) == made[0]


def test_bad_text(tmp_path, preprocess):
    path = tmp_path / "texts.txt"
    path.write_text(" \n\n")
    with pytest.raises(ValueError, match=r"texts.txt: no text, only white space"):
        kb.data.masked_lm(path, preprocess)
    path.write_text("\x00\x01\n")  # nothing that is a token
    with pytest.raises(ValueError, match=r"texts.txt: a whole pass over the text made no example"):
        kb.data.masked_lm(path, preprocess)
    with pytest.raises(FileNotFoundError, match="absent"):
        kb.data.masked_lm(tmp_path / "absent.txt", preprocess)
