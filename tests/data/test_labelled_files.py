"""Every kind of labelled file gives the same rows; what is wrong is named by file and line."""

import gzip
import json
import logging

import pytest

from keras_bert.data.labelled_files import read_rows

TEXTS = ['a "quoted" word', "tab-free, comma", "我爱\u2028苹果", ""]
LABELS = ["good", "bad", "good", "bad"]


@pytest.fixture
def file(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
        return path

    return write


def tsv(rows, header="sentence\tlabel"):
    return "\n".join([header, *("\t".join(row) for row in rows), ""])


def test_tsv_has_no_quoting_and_ends_lines_at_newline_alone(file):
    rows = read_rows(file("a.tsv", tsv(zip(TEXTS, LABELS, strict=True))))
    assert (rows.texts, rows.pairs, rows.labels) == (TEXTS, None, LABELS)
    assert [line for _, line in rows.places] == [2, 3, 4, 5]
    odd = file("b.tsv", '\ufefflabel\tid\ttext\r\n1\t7\t"open\r\n\r\n0\t8\tend"')
    rows = read_rows(odd)
    assert (rows.texts, rows.labels) == (['"open', 'end"'], ["1", "0"])
    assert [line for _, line in rows.places] == [2, 4]


def test_csv_is_quoted(file):
    text = 'label,text\ngood,"two\nlines, ""quoted"""\nbad,plain\n'
    rows = read_rows(file("a.csv", text))
    assert rows.texts == ['two\nlines, "quoted"', "plain"]
    assert [line for _, line in rows.places] == [3, 4]
    long = read_rows(file("b.csv", "text,label\n" + "x" * 1_000_000 + ",1\n"))
    assert len(long.texts[0]) == 1_000_000


def test_jsonl_and_gzip(file):
    lines = [{"text": t, "label": n, "other": [1]} for n, t in enumerate(TEXTS)]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    rows = read_rows(file("a.jsonl.gz", gzip.compress(text.encode())))
    assert (rows.texts, rows.labels) == (TEXTS, ["0", "1", "2", "3"])


@pytest.mark.parametrize(
    "header, first",
    [
        ("sentence1\tsentence2\tlabel", 0),
        ("premise\thypothesis\tlabel", 0),
        ("question1\tquestion2\tlabel", 0),
        ("question\tsentence\tlabel", 0),
        ("sentence2\tsentence1\tlabel", 1),
    ],
)
def test_pairs_are_found_by_their_usual_names(file, header, first):
    rows = read_rows(file("a.tsv", tsv([("one", "two", "1")], header)))
    assert (rows.texts, rows.pairs) == ([("one", "two")[first]], [("one", "two")[1 - first]])


def test_columns_may_be_named(file):
    path = file("a.tsv", tsv([("one", "two", "3", "4")], "a\tb\tc\td"))
    rows = read_rows(path, text_columns="b", label_column="d")
    assert (rows.texts, rows.pairs, rows.labels) == (["two"], None, ["4"])
    rows = read_rows(path, text_columns=["c", "a"], label_column="d")
    assert (rows.texts, rows.pairs) == (["3"], ["one"])
    bare = file("b.tsv", "one\ttwo\t1\nthree\tfour\t0\n")
    rows = read_rows(bare, header=["sentence1", "sentence2", "label"])
    assert (rows.texts, rows.pairs, rows.labels) == (["one", "three"], ["two", "four"], ["1", "0"])


def test_several_files_are_one_set(file, tmp_path):
    file("a.tsv", tsv([("one", "x")]))
    file("b.tsv", tsv([("two", "y")]))
    rows = read_rows(tmp_path / "*.tsv")
    assert rows.texts == ["one", "two"]
    assert [(path[-5:], line) for path, line in rows.places] == [("a.tsv", 2), ("b.tsv", 2)]
    file("c.tsv", tsv([("one", "two", "y")], "sentence1\tsentence2\tlabel"))
    with pytest.raises(ValueError, match="do not both hold pairs"):
        read_rows(tmp_path / "*.tsv")


@pytest.mark.parametrize(
    "name, text, line, message",
    [
        ("a.tsv", "sentence\tlabel\nfine\t1\nlacks it\n", 3, "expected 2 columns; received 1"),
        ("a.tsv", "sentence\tlabel\na\tb\t1\n", 2, "expected 2 columns; received 3"),
        ("a.tsv", "sentence\tlabel\nfine\t\n", 2, "no label"),
        ("a.csv", "text,label\nfine,1\n\nshort\n", 4, "expected 2 columns; received 1"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "a"}\n', 2, "no value in column 'label'"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": null, "label": 1}\n', 2, "'text'"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": 5, "label": 1}\n', 2, "expected text"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": \n', 2, "not JSON"),
        ("a.jsonl", '{"text": "a", "label": 1}\n[1]\n', 2, "expected a JSON object"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_or_counted(file, caplog, name, text, line, message):
    path = file(name, text)
    with pytest.raises(ValueError, match=f"{name}, line {line}: .*{message}"):
        read_rows(path)
    if line > 2:
        with caplog.at_level(logging.WARNING):
            rows = read_rows(path, skip_bad_rows=True)
        assert (rows.skipped, len(rows.texts)) == (1, 1)
        assert "left out 1 bad rows of 2" in caplog.text


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.tsv", "sentence\tlabel\n", "no rows"),
        ("a.tsv", "", "empty"),
        ("a.tsv", "id\twords\tlabel\n1\tx\ty\n", "expected the columns of the text; received"),
        ("a.tsv", "sentence\tscore\nx\t1\n", "no column 'label'"),
        ("a.txt", "sentence\tlabel\nx\t1\n", r"unknown kind of file '\.txt'"),
        ("a.csv", 'text,label\n"open,1\n', "line 2 is not CSV"),
    ],
)
def test_files_that_cannot_serve(file, name, text, message):
    with pytest.raises(ValueError, match=message):
        read_rows(file(name, text))


def test_missing_file_and_wrong_names(file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.tsv"):
        read_rows(tmp_path / "absent.tsv")
    path = file("a.tsv", tsv([("x", "1")]))
    with pytest.raises(ValueError, match="expected the columns"):
        read_rows(path, text_columns=["absent"])
    with pytest.raises(ValueError, match="one or two names"):
        read_rows(path, text_columns=["sentence", "label", "sentence"])
    with pytest.raises(ValueError, match="JSON Lines name their columns"):
        read_rows(file("a.jsonl", '{"text": "a", "label": 1}'), header=["text", "label"])


def test_invalid_utf8_is_replaced_and_counted(file, caplog):
    path = file("a.tsv", b"sentence\tlabel\nbad \xff byte \xef\xbf\xbd\t1\n")
    with caplog.at_level(logging.WARNING):
        rows = read_rows(path)
    assert rows.texts == ["bad \ufffd byte \ufffd"]
    assert "replaced 1 invalid" in caplog.text


def test_tensorflow_datasets(tmp_path, monkeypatch):
    # TensorFlow Datasets 4.9.10 imports it when it prepares a set, and does not require it.
    pytest.importorskip("importlib_resources")
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {"sentence": tfds.features.Text(), "label": tfds.features.ClassLabel(names=["no", "yes"])}
    )

    def split(*rows):
        texts, labels = zip(*rows, strict=True)
        return tf.data.Dataset.from_tensor_slices(
            {"sentence": list(texts), "label": tf.constant(labels, tf.int64)}
        )

    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny_set",
        version="1.0.0",
        data_dir=str(tmp_path),
        features=features,
        split_datasets={
            "train": split(("good", 1), ("bad", 0), ("我爱", 1)),
            "dev": split(("so so", 1)),
            "test": split(("hidden", -1)),
        },
    )
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    rows = read_rows("tfds://tiny_set")
    assert sorted(zip(rows.texts, rows.labels, strict=True)) == [
        ("bad", "no"),
        ("good", "yes"),
        ("我爱", "yes"),
    ]
    assert rows.class_names == ["no", "yes"]
    assert read_rows("tfds://tiny_set/dev").texts == ["so so"]
    assert len(read_rows("tfds://tiny_set/train[:2]").texts) == 2
    with pytest.raises(ValueError, match="no label"):
        read_rows("tfds://tiny_set/test")
    with pytest.raises(ValueError, match="knows no such set"):
        read_rows("tfds://no_such_set_at_all")
