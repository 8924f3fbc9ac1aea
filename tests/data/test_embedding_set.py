"""Batches of pairs and triplets: every row once, scores as cosines, texts told apart by tokens."""

import json
import logging

import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=12)


def write(path, columns, rows):
    lines = ["\t".join(map(str, row)) for row in [columns, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tokens(preprocess, text):
    return tuple(preprocess(text)["token_ids"].numpy().tolist())


def collect(dataset):
    """All rows as (tokens of each text, label), batch by batch; checks the parts."""
    batches = []
    for inputs, labels, weights in dataset.as_numpy_iterator():
        mask = inputs["padding_mask"] == 1
        assert all(value.dtype == np.int32 for value in inputs.values())
        assert not inputs["segment_ids"].any()
        assert mask.sum(-1).max() == mask.shape[-1]  # padded to the longest text, no further
        np.testing.assert_array_equal(weights["embeddings"], np.ones(len(mask), "float32"))
        batches.append(
            [
                (
                    tuple(tuple(ids[real].tolist()) for ids, real in zip(*row, strict=True)),
                    label.tolist(),
                )
                for *row, label in zip(inputs["token_ids"], mask, labels["embeddings"], strict=True)
            ]
        )
    return batches


@pytest.fixture(scope="module")
def scored_rows():
    rng = np.random.default_rng(0)
    words = np.array("the cat dog sat on mat good bad film 我 爱 苹 果".split())
    return [
        (*(" ".join(rng.choice(words, rng.integers(1, 14))) for _ in range(2)), n / 50)
        for n in range(251)
    ]


def test_scored_pairs(tmp_path, preprocess, scored_rows):
    path = write(tmp_path / "train.tsv", ["id", "sentence1", "sentence2", "score"],
                 [("x", *row) for row in scored_rows])  # fmt: skip
    data = kb.data.embedding_pairs(path, preprocess, batch_size=16, seed=3)
    assert (data.scored, data.score_range, data.num_texts) == (True, (0.0, 5.0), 2)
    assert (data.num_examples, data.skipped, data.duplicates, len(data)) == (251, 0, 0, 16)
    expected = [
        ((tokens(preprocess, a), tokens(preprocess, b)), pytest.approx(score / 5, abs=1e-6))
        for a, b, score in scored_rows
    ]
    first, second = collect(data), collect(data)
    in_order = collect(kb.data.embedding_pairs(path, preprocess, batch_size=16, shuffle=False))
    assert [row for batch in in_order for row in batch] == expected
    for batches in (first, second):
        assert sorted(row for batch in batches for row in batch) == sorted(
            row for batch in in_order for row in batch
        )
    assert first != second
    data.set_epoch(0)
    assert collect(data) == first

    def waste(batches):
        lengths = [[max(map(len, texts)) for texts, _ in batch] for batch in batches]
        return sum(max(batch) * len(batch) - sum(batch) for batch in lengths)

    assert waste(first) < 0.3 * waste(in_order)
    dev = kb.data.embedding_pairs(path, preprocess, score_range=(-5, 5), shuffle=False)
    assert collect(dev)[0][10][1] == pytest.approx((0.2 + 5) / 10)


def test_scores_that_are_cosines_stay(preprocess):
    rows = [{"text1": "good", "text2": "bad", "label": x} for x in (-0.5, 0, "0.25")]
    data = kb.data.embedding_pairs(rows, preprocess, label_column="label", shuffle=False)
    assert data.score_range is None and data.scored
    assert [label for _, label in collect(data)[0]] == [-0.5, 0.0, 0.25]


def test_texts_are_numbered_by_their_tokens_and_rows_come_once(tmp_path, preprocess):
    rows = [
        ("good film", "the cat", "bad"),
        ("Good  FILM", "the cat", "dog"),  # the first anchor again, by its tokens
        ("good film", "the cat", "bad"),  # the first row again
        ("我爱", "苹果", "good film"),
    ]
    path = tmp_path / "train.jsonl"
    names = ("anchor", "positive", "negative")
    lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = kb.data.embedding_pairs(path, preprocess, shuffle=False)
    assert (data.scored, data.num_texts, data.num_examples, data.duplicates) == (False, 3, 3, 1)
    (batch,) = collect(data)
    wanted = [rows[0], rows[1], rows[3]]
    assert [texts for texts, _ in batch] == [
        tuple(tokens(preprocess, text) for text in row) for row in wanted
    ]
    numbers = {}
    for texts, row in batch:
        for text, number in zip(texts, row, strict=True):
            assert numbers.setdefault(text, number) == number
    assert len(set(numbers.values())) == len(numbers) == 6


def test_positive_pairs_of_scored_ones(tmp_path, preprocess, scored_rows):
    path = write(tmp_path / "train.tsv", ["sentence1", "sentence2", "score"], scored_rows)
    data = kb.data.embedding_pairs(path, preprocess, positive_score=4.0, shuffle=False)
    assert not data.scored and data.below == 200 and data.num_examples == 51
    assert collect(data)[0][0][0][0] == tokens(preprocess, scored_rows[200][0])
    with pytest.raises(ValueError, match=r"positive_score=6.*the highest is 5\.0"):
        kb.data.embedding_pairs(path, preprocess, positive_score=6)


def test_bad_rows_are_named_or_counted(tmp_path, preprocess, caplog):
    bad = ["good\tbad\tx", "good\t\t1", "good", "good\tbad\tnan", "good\tbad\t"]
    for number, line in enumerate(bad):
        path = tmp_path / f"{number}.tsv"
        path.write_text(f"sentence1\tsentence2\tscore\ngood\tfilm\t2\n{line}\n")
        with pytest.raises(ValueError, match=rf"{number}\.tsv, line 3: "):
            kb.data.embedding_pairs(path, preprocess)
        with caplog.at_level(logging.WARNING):
            data = kb.data.embedding_pairs(path, preprocess, skip_bad_rows=True)
        assert (data.skipped, data.num_examples) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([{"text": "a"}], {}, "columns of two or three texts"),
        ([{"anchor": "a", "positive": "b"}], {"positive_score": 1}, "scores, which there are none"),
        ([{"anchor": "a", "positive": "b"}], {"label_column": "x"}, "no column 'x'"),
        ([{"anchor": "a", "positive": "b"}], {"text_columns": ["anchor"]}, "two or more names"),
        ([{"anchor": "a", "positive": "b"}], {"text_columns": ["anchor", "c"]}, "'anchor', 'c'"),
        (
            [{"anchor": "a", "positive": "b", "negative": "c", "score": 1}],
            {"label_column": "score"},
            "scores are for pairs",
        ),
        (
            [{"text1": "a", "text2": "b", "score": x} for x in (1, 7)],
            {"score_range": (0, 5)},
            r"row 2: the score 7\.0 lies outside",
        ),
        ([{"text1": "a", "text2": "b", "score": 3}], {"score_range": (5, 5)}, "and a larger"),
    ],
)  # fmt: skip
def test_refuses(preprocess, rows, options, message):
    with pytest.raises(ValueError, match=message):
        kb.data.embedding_pairs(rows, preprocess, **options)


def test_files_of_different_kinds(tmp_path, preprocess):
    write(tmp_path / "a.tsv", ["sentence1", "sentence2", "score"], [("a", "b", 1)])
    write(tmp_path / "b.tsv", ["sentence1", "sentence2"], [("a", "b")])
    with pytest.raises(ValueError, match=r"b\.tsv and the files before it"):
        kb.data.embedding_pairs(tmp_path / "*.tsv", preprocess)
