"""Sources with targets from files and lists: every row once, in batches that fit the model."""

import gzip

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", "我", "爱"]
ROWS = [("a b", "c"), ("d e f g h", "我 爱 c d e f"), ("我爱", "a b c"), ("c", "d")]


@pytest.fixture(scope="module")
def preprocess():
    return kb.Seq2SeqPreprocessor(kb.BertTokenizer(VOCABULARY), 10, 5)


def texts(data, preprocess):
    """Sorted pairs of what inputs and labels hold."""
    found = []
    for inputs, labels, weights in data:
        ids, segments = inputs["token_ids"].numpy(), inputs["segment_ids"].numpy()
        told = preprocess.detokenize(labels["seq2seq"]).numpy()
        counts = weights["seq2seq"].numpy().sum(axis=1)
        sources = preprocess.tokenizer.detokenize(np.where(segments == 0, ids, 0))
        assert (segments.sum(axis=1) == counts).all()
        found += [(a, b.decode()) for a, b in zip(sources, told, strict=True)]
    return sorted(found)


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_all_kinds_of_files_hold_the_same(preprocess, tmp_path):
    expected = sorted([("a b", "c"), ("d e f", "我爱c d"), ("我爱", "a b c"), ("c", "d")])
    sources, targets = zip(*ROWS, strict=True)
    english = write(tmp_path / "train.en", sources)
    german = str(tmp_path / "train.de.gz")
    with gzip.open(german, "wt", encoding="utf-8", newline="") as file:
        file.write("\r\n".join(targets))
    table = write(tmp_path / "rows.tsv", ["source\ttarget", *map("\t".join, ROWS)])
    other = write(tmp_path / "rows.csv", ["n,title,abstract", *(f"1,{b},{a}" for a, b in ROWS)])
    bare = write(tmp_path / "bare.tsv", map("\t".join, ROWS))
    lines = [f'{{"x": "{a}", "y": "{b}"}}' for a, b in ROWS]
    named = write(tmp_path / "rows.jsonl", lines)
    for path, options in (
        (f"{english},{german}", {}),
        ((english, tmp_path / "train.de.gz"), {}),
        (table, {}),
        (other, {}),
        (bare, {"header": ["source", "target"]}),
        (named, {"text_columns": ["x", "y"]}),
        (ROWS, {}),
        ([{"question": a, "answer": b} for a, b in ROWS], {}),
    ):
        data = kb.data.seq2seq(path, preprocess, batch_size=3, **options)
        assert isinstance(path, str) or texts(data, preprocess) == expected
        assert (data.num_examples, data.truncated, data.cut_targets, data.skipped) == (4, 1, 1, 0)
        assert sorted(zip(data.sources, data.targets, strict=True)) == sorted(ROWS)
        assert sorted(data.lengths) == [5, 6, 8, 10]


def test_order_and_batches(preprocess):
    rows = [(" ".join("abcdefgh"[: 1 + n % 3]), "ab"[n % 2]) for n in range(50)]
    data = kb.data.seq2seq(rows, preprocess, batch_size=8, seed=1)
    first, second = list(data), list(data)
    assert len(first) == int(data.cardinality()) == 7
    differ = [
        not np.array_equal(a[0]["token_ids"], b[0]["token_ids"])
        for a, b in zip(first, second, strict=True)
    ]
    assert any(differ)
    assert texts(first, preprocess) == texts(second, preprocess) == sorted(rows)
    # Of about equal length: nearly no padding.
    padding = [1 - batch[0]["padding_mask"].numpy().mean() for batch in first]
    assert np.mean(padding) < 0.1
    data.set_epoch(0)
    tf.nest.map_structure(np.testing.assert_array_equal, list(data), first)
    plain = kb.data.seq2seq(rows, preprocess, batch_size=8, shuffle=False)
    assert [a for a, _ in rows[:8]] == kb.BertTokenizer(VOCABULARY).detokenize(
        np.where(next(iter(plain))[0]["segment_ids"] == 0, next(iter(plain))[0]["token_ids"], 0)
    )
    assert "50 rows" in kb.data.summary(data, plain)


def test_bad_input(preprocess, tmp_path, caplog):
    english, german = write(tmp_path / "a.en", "abc"), write(tmp_path / "a.de", "ab")
    with pytest.raises(ValueError, match=r"a\.en has 3 lines and .*a\.de 2; expected as many"):
        kb.data.seq2seq(f"{english},{german}", preprocess)
    with pytest.raises(FileNotFoundError, match=r"none\.de"):
        kb.data.seq2seq(f"{english},{tmp_path}/none.de", preprocess)
    empty = str(tmp_path / "empty")
    open(empty, "w").close()
    with pytest.raises(ValueError, match="are empty"):
        kb.data.seq2seq((empty, empty), preprocess)
    hole = write(tmp_path / "hole.de", ["a", " ", "c"])
    with pytest.raises(ValueError, match=r"a\.en, line 2: no text in column 'target'"):
        kb.data.seq2seq((english, hole), preprocess)
    data = kb.data.seq2seq((english, hole), preprocess, skip_bad_rows=True)
    assert (data.num_examples, data.skipped) == (2, 1)
    assert texts(data, preprocess) == [("a", "a"), ("c", "c")]
    with pytest.raises(ValueError, match="parallel text has no columns"):
        kb.data.seq2seq((english, hole), preprocess, text_columns=["a", "b"])
    with pytest.raises(ValueError, match="text_columns: expected two names"):
        kb.data.seq2seq(ROWS, preprocess, text_columns=["a"])
    with pytest.raises(ValueError, match=r"row 2: .*received \('a', 'b', 'c'\)"):
        kb.data.seq2seq([("a", "b"), ("a", "b", "c")], preprocess)
    with pytest.raises(ValueError, match=r"expected the columns .* received \['text', 'label'\]"):
        kb.data.seq2seq([{"text": "a", "label": "b"}], preprocess)
    with pytest.raises(ValueError, match="batch_size must be a positive int"):
        kb.data.seq2seq(ROWS, preprocess, batch_size=0)
