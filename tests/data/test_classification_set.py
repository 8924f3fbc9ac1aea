"""Batches for fine-tuning: every row once, right labels, little padding, repeatable order."""

import keras
import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=12)


@pytest.fixture(scope="module")
def rows():
    """533 texts of 0 to 20 words, told apart by their words; the class is whether "good" is in."""
    rng = np.random.default_rng(0)
    words = np.array("the cat dog sat on mat a in is was it film".split())
    texts = []
    for number in range(533):
        text = list(rng.choice(words, rng.integers(0, 21)))
        text.insert(0, "good" if rng.random() < 0.5 else "bad")
        texts.append((" ".join([*text[:1], *str(number), *text[1:]]), "01"[text[0] == "good"]))
    return texts


@pytest.fixture(scope="module")
def path(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.tsv"
    path.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    return path


def key(inputs, row):
    return tuple(inputs["token_ids"][row][inputs["padding_mask"][row] == 1].tolist())


def collect(dataset):
    """Rows as (token ids, label), batch by batch; checks the parts of each element."""
    batches = []
    for inputs, labels, weights in dataset.as_numpy_iterator():
        assert set(inputs) == {"token_ids", "segment_ids", "padding_mask"}
        assert all(value.dtype == np.int32 for value in inputs.values())
        assert labels["classification"].dtype == np.int32
        np.testing.assert_array_equal(weights["classification"], np.ones(len(inputs["token_ids"])))
        assert weights["classification"].dtype == np.float32
        # Padded to the longest row, no further.
        assert inputs["padding_mask"].sum(1).max() == inputs["padding_mask"].shape[1]
        batches.append([(key(inputs, i), int(n)) for i, n in enumerate(labels["classification"])])
    return batches


def test_every_row_comes_once_an_epoch_as_the_preprocessor_makes_it(rows, path, preprocess):
    dataset = kb.data.classification(path, preprocess, batch_size=16)
    assert (dataset.labels, dataset.num_examples, dataset.skipped) == (["0", "1"], 533, 0)
    assert len(dataset) == 34
    expected = []
    for text, label in rows:
        expected.append((tuple(preprocess(text)["token_ids"].numpy().tolist()), int(label)))
    for _ in range(2):
        batches = collect(dataset)
        assert sorted(map(len, batches)) == [5] + [16] * 33  # the partial batch is kept
        assert sorted(row for batch in batches for row in batch) == sorted(expected)


def test_the_order_changes_by_epoch_and_seed_and_repeats(path, preprocess):
    def epochs(seed):
        dataset = kb.data.classification(path, preprocess, batch_size=16, seed=seed)
        return [collect(dataset) for _ in range(2)]

    keras.utils.set_random_seed(1)
    first = epochs(0)
    keras.utils.set_random_seed(2)  # no state of the process enters
    assert epochs(0) == first
    assert first[0] != first[1]
    assert epochs(1)[0] != first[0]


def test_rows_of_a_batch_are_about_equally_long(path, preprocess):
    def padding(dataset):
        masks = [inputs["padding_mask"] for inputs, _, _ in dataset.as_numpy_iterator()]
        return 1 - sum(m.sum() for m in masks) / sum(m.size for m in masks)

    bucketed = kb.data.classification(path, preprocess, batch_size=16)
    in_order = kb.data.classification(path, preprocess, batch_size=16, shuffle=False)
    assert padding(bucketed) < 0.03
    assert padding(in_order) > 0.08
    widths = [inputs["token_ids"].shape[1] for inputs, _, _ in bucketed.as_numpy_iterator()]
    assert widths != sorted(widths)  # but the batches do not come short ones first


def test_without_shuffle_the_order_is_the_files(rows, path, preprocess):
    dataset = kb.data.classification(path, preprocess, batch_size=100, shuffle=False)
    found = [row for batch in collect(dataset) for row in batch]
    assert [label for _, label in found] == [int(label) for _, label in rows]
    assert found[7][0] == tuple(preprocess(rows[7][0])["token_ids"].numpy().tolist())


def test_pairs_have_segments(tmp_path, preprocess):
    path = tmp_path / "pairs.tsv"
    path.write_text("sentence1\tsentence2\tlabel\nthe cat\ta dog sat\tyes\nit\tis\tno\n")
    dataset = kb.data.classification(path, preprocess, shuffle=False)
    assert dataset.labels == ["no", "yes"]
    inputs, labels, _ = next(dataset.as_numpy_iterator())
    expected = preprocess((["the cat", "it"], ["a dog sat", "is"]))
    for name, value in expected.items():
        np.testing.assert_array_equal(inputs[name], value)
    assert inputs["segment_ids"].max() == 1
    assert labels["classification"].tolist() == [1, 0]


def test_static_shapes_where_the_preprocessor_asks_for_them(path, tiny_vocabulary):
    preprocess = kb.TextClassifierPreprocessor(
        kb.BertTokenizer(tiny_vocabulary), sequence_length=9, pad_to_sequence_length=True
    )
    dataset = kb.data.classification(path, preprocess)
    assert dataset.element_spec[0]["token_ids"].shape.as_list() == [None, 9]
    assert {inputs["segment_ids"].shape[1] for inputs, _, _ in dataset.as_numpy_iterator()} == {9}


@pytest.mark.parametrize(
    "found, given, expected, numbers",
    [
        (["10", "9", "10"], None, ["9", "10"], [1, 0, 1]),
        (["b", "a", "10"], None, ["10", "a", "b"], [2, 1, 0]),
        (["b", "a", "b"], ["b", "a", "c"], ["b", "a", "c"], [0, 1, 0]),
        (["1", "0", "1"], ["negative", "positive"], ["negative", "positive"], [1, 0, 1]),
        (["1", "0", "1"], ["1", "0"], ["1", "0"], [0, 1, 0]),
        (["1", "0", "1"], [1, 0], ["1", "0"], [0, 1, 0]),
    ],
)
def test_classes_and_their_numbers(tmp_path, preprocess, found, given, expected, numbers):
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n" + "".join(f"x\t{label}\n" for label in found))
    dataset = kb.data.classification(path, preprocess, labels=given, shuffle=False)
    assert dataset.labels == expected
    assert next(dataset.as_numpy_iterator())[1]["classification"].tolist() == numbers


def test_an_unknown_label_is_named_with_its_place(path, preprocess):
    with pytest.raises(ValueError, match=r"train\.tsv, line \d+: the label '1' is not among"):
        kb.data.classification(path, preprocess, labels=["0", "2"])
    with pytest.raises(ValueError, match="the label '1' is not among"):
        kb.data.classification(path, preprocess, labels=["only"])
    with pytest.raises(ValueError, match="different names"):
        kb.data.classification(path, preprocess, labels=["0", "0"])
    with pytest.raises(ValueError, match="list of str"):
        kb.data.classification(path, preprocess, labels="01")
    for batch_size in (0, 2.0, True):
        with pytest.raises(ValueError, match="batch_size must be a positive int"):
            kb.data.classification(path, preprocess, batch_size=batch_size)


def test_lone_surrogates_of_json_are_replaced(tmp_path, preprocess):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a \\ud800 cat", "label": "x"}\n')
    inputs, _, _ = next(kb.data.classification(path, preprocess).as_numpy_iterator())
    np.testing.assert_array_equal(inputs["token_ids"][0], preprocess("a \ufffd cat")["token_ids"])


def test_fit_learns_and_sees_the_length(path, preprocess, capsys):
    """The class is the first word: a few steps do, where labels and rows belong together."""
    keras.utils.set_random_seed(0)
    config = kb.BertConfig(
        vocabulary_size=preprocess.tokenizer.vocabulary_size,
        hidden_dim=32,
        num_heads=2,
        num_layers=1,
        max_sequence_length=12,
        dropout=0.0,
    )
    train = kb.data.classification(path, preprocess, batch_size=32)
    dev = kb.data.classification(path, preprocess, labels=train.labels, shuffle=False)
    model = kb.BertTextClassifier(kb.BertBackbone(config), labels=train.labels)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), **kb.losses.classification())
    history = model.fit(train, validation_data=dev, epochs=4, verbose=1).history
    assert "17/17" in capsys.readouterr().out
    accuracy = next(v for name, v in history.items() if name.startswith("val_") and "acc" in name)
    assert accuracy[-1] > 0.95
