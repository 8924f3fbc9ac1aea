"""Parts of a labelled set: by label, by seed, no text in two."""

import collections

import pytest

import keras_bert as kb


def rows_of(counts, copies=1):
    return [
        {"text": f"{label} {number}", "label": label, "id": copy}
        for label, count in counts.items()
        for number in range(count)
        for copy in range(copies)
    ]


def labels(part):
    return collections.Counter(row["label"] for row in part)


@pytest.mark.parametrize("seed", range(3))
def test_each_label_falls_by_the_rates(seed):
    rows = rows_of({"a": 200, "b": 50, "c": 13})
    train, dev, test = kb.data.split(rows, [0.8, 0.1, 0.1], seed)
    assert [len(part) for part in (train, dev, test)] == pytest.approx([210, 26, 26], abs=2)
    for label, count in labels(rows).items():
        shares = [labels(part)[label] for part in (train, dev, test)]
        assert shares == pytest.approx([0.8 * count, 0.1 * count, 0.1 * count], abs=2)
    # Every row is in one part, as it was and in its order.
    assert sorted(map(str, train + dev + test)) == sorted(map(str, rows))
    assert list(train) == [row for row in rows if row in train]


def test_rare_labels_are_learned_from():
    rows = rows_of({str(number): 1 for number in range(30)} | {"common": 270})
    train, dev = kb.data.split(rows, [0.9, 0.1])
    assert labels(train).keys() == labels(rows).keys()
    assert len(dev) == 30


def test_the_seed_decides():
    rows = rows_of({"a": 40, "b": 40})
    first = kb.data.split(rows, [0.5, 0.5], seed=0)
    assert kb.data.split(rows, [0.5, 0.5], seed=0) == first
    assert kb.data.split(rows, [0.5, 0.5], seed=1) != first


def test_equal_texts_stay_together():
    rows = rows_of({"a": 30, "b": 20}, copies=3)
    train, dev = kb.data.split(rows, [0.8, 0.2], seed=3)
    assert not {row["text"] for row in train} & {row["text"] for row in dev}
    assert len(dev) == pytest.approx(30, abs=3) and len(train) + len(dev) == 150


def test_files_lists_and_what_comes_of_them(tmp_path, tiny_vocabulary):
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n" + "".join(f"cat {i}\t{i % 2}\n" for i in range(20)) + "x\t\n")
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary))
    train, dev = kb.data.split(path, [0.75, 0.25])
    # The place in the file is still known.
    with pytest.raises(ValueError, match=r"a\.tsv, line 22: no label"):
        kb.data.classification(train, preprocess)
        kb.data.classification(dev, preprocess)
    train, dev = kb.data.split([(f"cat {i}", i % 2) for i in range(20)], [0.75, 0.25])
    data = [kb.data.classification(part, preprocess) for part in (train, dev)]
    assert [d.num_examples for d in data] == [15, 5]
    assert len({*data[0].digests, *data[1].digests}) == 20
    numbers = [{"text": f"cat {i}", "score": i / 7} for i in range(20)]
    assert len(kb.data.split(numbers, [0.5, 0.5], label_column=None)[1]) == 10


@pytest.mark.parametrize("rates", [[1.0], [0.5, 0.6], [1.0, 0.0], [1.5, -0.5], 0.5])
def test_rates_that_are_none(rates):
    with pytest.raises(ValueError, match="expected rates of two parts or more"):
        kb.data.split(rows_of({"a": 9}), rates)


def test_a_part_without_rows_and_a_bad_row(tmp_path):
    with pytest.raises(ValueError, match="2 rows of 1 different texts leave a part"):
        kb.data.split([("a", "x"), ("a", "y")], [0.5, 0.5])
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\nx\n")
    with pytest.raises(ValueError, match=r"a\.tsv, line 2: expected 2 columns"):
        kb.data.split(path, [0.5, 0.5])
    with pytest.raises(ValueError, match="no column 'kind'"):
        kb.data.split([("a", "x")], [0.5, 0.5], label_column="kind")


@pytest.mark.parametrize("number", [2, 5])
def test_folds(number):
    rows = rows_of({"a": 203, "b": 51, "rare": 2}, copies=2)
    pairs = kb.data.folds(rows, number, seed=1)
    assert len(pairs) == number
    # Every row is measured on once, and learned from wherever it is not.
    assert sorted(str(row) for _, dev in pairs for row in dev) == sorted(map(str, rows))
    for train, dev in pairs:
        assert [row for row in rows if row not in dev] == list(train)
        assert not {row["text"] for row in train} & {row["text"] for row in dev}
        assert labels(train).keys() == labels(rows).keys()
        for label, count in labels(rows).items():
            assert abs(labels(dev)[label] - count / number) < 2  # a text of two rows
    assert kb.data.folds(rows, number, seed=1) == pairs
    assert kb.data.folds(rows, number, seed=2) != pairs


def test_folds_that_are_none():
    for number in (1, True, 2.0):
        with pytest.raises(ValueError, match="expected two or more; received"):
            kb.data.folds(rows_of({"a": 9}), number)
    with pytest.raises(ValueError, match="3 rows of 1 different texts make no 2 folds"):
        kb.data.folds([("a", "x")] * 3, 2)
