"""Tokens masked or left out: rates, what is spared, and the same draws by (seed, epoch)."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Texts of different lengths, whose tokens differ from their neighbours."""
    path = tmp_path_factory.mktemp("augmentation") / "train.tsv"
    rng = np.random.default_rng(0)
    rows = ["sentence1\tsentence2\tlabel"]
    for i in range(400):
        letters = rng.permutation(list("abcdefghijklmnopqrstuvwxyz"))[: rng.integers(5, 20)]
        rows.append(f"{' '.join(letters)}\t{' '.join(letters[::-1])}\t{'yes' if i % 2 else 'no'}")
    path.write_text("\n".join(rows) + "\n")
    return path


def make(path, tokenizer, shuffle=False, **options):
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=48)
    data = kb.data.classification(path, preprocess, batch_size=16, shuffle=shuffle)
    return data, kb.data.augmented(data, tokenizer, **options)


def rows_of(dataset):
    """Real tokens and segments of each row, its label; padding is checked."""
    found = []
    for inputs, labels, _ in dataset.as_numpy_iterator():
        lengths = inputs["padding_mask"].sum(-1)
        shape = inputs["token_ids"].shape
        assert (inputs["padding_mask"] == (np.arange(shape[1]) < lengths[:, None])).all()
        assert (inputs["token_ids"][inputs["padding_mask"] == 0] == 0).all()
        assert (inputs["segment_ids"][inputs["padding_mask"] == 0] == 0).all()
        for i, length in enumerate(lengths):
            found.append(
                (
                    inputs["token_ids"][i, :length].tolist(),
                    inputs["segment_ids"][i, :length].tolist(),
                    int(labels["classification"][i]),
                )
            )
    return found


def test_masking(path, tokenizer):
    plain, data = make(path, tokenizer, mask_rate=0.15)
    masked = ordinary = 0
    for (old, segments, label), new in zip(rows_of(plain), rows_of(data), strict=True):
        assert new[1:] == (segments, label)
        for before, after in zip(old, new[0], strict=True):
            assert after in (before, tokenizer.mask_id)
            assert before not in tokenizer.special_ids or after == before
            masked += after != before
            ordinary += before not in tokenizer.special_ids
    assert ordinary > 8_000
    assert masked / ordinary == pytest.approx(0.15, abs=4 * np.sqrt(0.15 * 0.85 / ordinary))


def test_leaving_out(path, tokenizer):
    plain, data = make(path, tokenizer, drop_rate=0.2)
    left = ordinary = 0
    for old, new in zip(rows_of(plain), rows_of(data), strict=True):
        assert old[2] == new[2]
        # Each piece keeps its order and its segment: letters are different within a segment.
        pairs, kept = list(zip(*old[:2], strict=True)), list(zip(*new[:2], strict=True))
        places = [
            [i for i, pair in enumerate(pairs) if pair == wanted] for wanted in dict.fromkeys(kept)
        ]
        assert all(places) and [p[0] for p in places] == sorted(p[0] for p in places)
        special = [pair for pair in pairs if pair[0] in tokenizer.special_ids]
        assert [pair for pair in kept if pair[0] in tokenizer.special_ids] == special
        left += len(kept) - len(special)
        ordinary += len(pairs) - len(special)
    assert 1 - left / ordinary == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / ordinary))


def test_the_same_by_seed_and_epoch(path, tokenizer):
    options = {"mask_rate": 0.1, "drop_rate": 0.1}
    _, data = make(path, tokenizer, shuffle=True, **options)
    epochs = [rows_of(data) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    _, again = make(path, tokenizer, shuffle=True, **options)
    again.set_epoch(2)
    assert rows_of(again) == epochs[2]
    _, other = make(path, tokenizer, shuffle=True, seed=1, **options)
    assert rows_of(other) != epochs[0]
    # Without shuffling too, epochs and batches draw anew.
    plain, data = make(path, tokenizer, **options)
    assert rows_of(data) != rows_of(data)
    assert data.labels == plain.labels == ["no", "yes"] and len(data) == len(plain) == 25


def test_errors(path, tokenizer):
    for options in ({"mask_rate": 1.0}, {"drop_rate": -0.1}):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
            make(path, tokenizer, **options)
    ones = tf.ones((4, 6), tf.int32)
    inputs = dict.fromkeys(("token_ids", "segment_ids", "padding_mask"), ones)
    for labels in ({"token_classification": ones}, {"span_start": ones[:, 0]}):
        data = tf.data.Dataset.from_tensors((inputs, labels))
        with pytest.raises(ValueError, match="may belong to places of theirs; use mask_rate"):
            kb.data.augmented(data, tokenizer, drop_rate=0.1)
        element = next(iter(kb.data.augmented(data, tokenizer, mask_rate=0.1)))
        assert set(element[1]) == set(labels)


@pytest.fixture(scope="module")
def masked_lm(tokenizer):
    """A masked LM whose answers differ from token to token, some of which are likely."""
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        num_layers=1,
        hidden_dim=16,
        num_heads=2,
        max_sequence_length=48,
    )
    model = kb.BertMaskedLM(kb.BertBackbone(config))
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


def test_replacing(path, tokenizer, masked_lm):
    plain, data = make(path, tokenizer, replace_rate=0.3, masked_lm=masked_lm)
    changed = ordinary = 0
    for (old, segments, label), new in zip(rows_of(plain), rows_of(data), strict=True):
        assert new[1:] == (segments, label)
        for before, after in zip(old, new[0], strict=True):
            assert before not in tokenizer.special_ids or after == before
            assert after == before or after in tokenizer.ordinary_ids
            changed += after != before
            ordinary += before not in tokenizer.special_ids
    # Some draws are the token itself.
    assert 0.2 < changed / ordinary < 0.3 + 4 * np.sqrt(0.3 * 0.7 / ordinary)
    _, again = make(path, tokenizer, replace_rate=0.3, masked_lm=masked_lm)
    again.set_epoch(0)
    data.set_epoch(0)
    first = rows_of(data)
    assert rows_of(again) == first != rows_of(again)
    _, other = make(path, tokenizer, replace_rate=0.3, masked_lm=masked_lm, seed=1)
    assert rows_of(other) != first


def test_draws_are_those_of_the_model(tokenizer, masked_lm):
    from keras_bert.data.replacement import Replacement

    replace = Replacement(masked_lm, tokenizer, rate=0.999)
    row = [tokenizer.cls_id, 10, 11, tokenizer.sep_id, 0]
    mask = tf.constant([[1, 1, 1, 1, 0]] * 4_000)
    inputs = {
        "token_ids": tf.constant([row] * 4_000),
        "segment_ids": 0 * mask,
        "padding_mask": mask,
    }
    is_ordinary = tf.constant([[False, True, True, False, False]] * 4_000)
    found = replace(inputs, is_ordinary, tf.constant([3, 4])).numpy()
    assert (found[:, [0, 3, 4]] == [row[0], row[3], 0]).all()
    masked = [[row[0], tokenizer.mask_id, tokenizer.mask_id, row[3], 0]]
    logits = masked_lm(
        {
            "token_ids": np.array(masked),
            "segment_ids": np.zeros((1, 5), "int32"),
            "padding_mask": np.array([[1, 1, 1, 1, 0]]),
            "mask_positions": np.array([[1, 2]]),
        }
    )["masked_lm"]
    expected = np.exp(np.float64(logits[0]))
    expected[:, [i for i in range(expected.shape[1]) if i not in tokenizer.ordinary_ids]] = 0
    expected /= expected.sum(-1, keepdims=True)
    for column, wanted in zip((1, 2), expected, strict=True):
        shares = np.bincount(found[:, column], minlength=len(wanted)) / 4_000
        assert wanted.max() > 0.05
        assert (np.abs(shares - wanted) < 5 * np.sqrt(wanted / 4_000) + 1e-3).all()
    # Choices: rows of rows.
    cube = {name: tf.reshape(value, [1_000, 4, 5]) for name, value in inputs.items()}
    same = replace(cube, tf.reshape(is_ordinary, [1_000, 4, 5]), tf.constant([3, 4]))
    np.testing.assert_array_equal(tf.reshape(same, [4_000, 5]), found)


def test_marks_of_entities_are_spared(tokenizer):
    preprocess = kb.RelationPreprocessor(tokenizer, 16)
    rows = [
        {"text": "<e1>cat</e1> sat on <e2>mat</e2> .", "relation": "ab"[i % 2]} for i in range(9)
    ]
    data = kb.data.relations(rows, preprocess)
    inputs = next(iter(kb.data.augmented(data, preprocess.tokenizer, mask_rate=0.9)))[0]
    marks = [preprocess.tokenizer.token_to_id(mark) for mark in ("<e1>", "</e1>", "<e2>", "</e2>")]
    for row in inputs["token_ids"].numpy():
        assert [token for token in row if token in marks] == marks
    assert (inputs["token_ids"] == tokenizer.mask_id).numpy().mean() > 0.3


def test_errors_of_replacing(path, tokenizer, masked_lm):
    for options in ({"replace_rate": 0.1}, {"masked_lm": masked_lm}):
        with pytest.raises(ValueError, match="replace_rate needs masked_lm"):
            make(path, tokenizer, **options)
    with pytest.raises(ValueError, match="must be a BertMaskedLM; received BertBackbone"):
        make(path, tokenizer, replace_rate=0.1, masked_lm=masked_lm.backbone)
    other = kb.BertTokenizer([*tokenizer.vocabulary, "more"])
    with pytest.raises(ValueError, match=r"the masked LM has \d+ tokens and the tokenizer \d+"):
        make(path, other, replace_rate=0.1, masked_lm=masked_lm)
