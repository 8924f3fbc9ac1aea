"""Rows in memory and JSON lists read as files do; what is no UTF-8 text is refused."""

import gzip
import json

import pytest

from keras_bert.data.labelled_files import read_rows
from keras_bert.data.tables import Table, name_of, read_table

FULL = {
    "train": [["turn it on", "light"], ["wake me", "alarm"]],
    "oos_train": [["who am i", "oos"]],
    "note": "not a list",
}


def test_a_list_of_a_json_object_is_named_by_its_path(tmp_path):
    path = tmp_path / "full.json"
    path.write_text(json.dumps(FULL))
    rows = read_rows(f"{path}#train+oos_train")
    assert rows.texts == ["turn it on", "wake me", "who am i"]
    assert rows.labels == ["light", "alarm", "oos"]
    assert name_of(rows.places[2]) == f"{path}#train+oos_train, item 3"
    both = read_rows([f"{path}#oos_train", f"{path}#train"])
    assert sorted(both.labels) == ["alarm", "light", "oos"]
    for wrong in (path, f"{path}#test"):
        with pytest.raises(ValueError, match=r"holds the lists \['train', 'oos_train'\]"):
            read_rows(wrong)
    one = tmp_path / "one.json.gz"
    one.write_bytes(gzip.compress(json.dumps([{"text": "a", "label": 1}]).encode()))
    assert read_rows(one).labels == ["1"]
    with pytest.raises(ValueError, match="expected a JSON object of lists"):
        read_rows(f"{one}#train")
    path.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        read_rows(f"{path}#train")
    path.write_text(json.dumps({"train": [["only one"]]}))
    with pytest.raises(
        ValueError, match=r"full\.json, item 1: expected a dict, or \(text, label\)"
    ):
        read_rows(path)


@pytest.mark.parametrize("kind", [tuple, list])
def test_tuples_and_dicts_in_memory(kind):
    rows = read_rows([kind(["good", 1]), kind(["bad", 0])])
    assert (rows.texts, rows.pairs, rows.labels) == (["good", "bad"], None, ["1", "0"])
    rows = read_rows([kind(["a", "b", "x"]), kind(["c", "d", "y"])])
    assert (rows.texts, rows.pairs, rows.labels) == (["a", "c"], ["b", "d"], ["x", "y"])
    named = read_rows([kind(["x", "7", "a"])], header=["label", "id", "text"])
    assert (named.texts, named.labels) == (["a"], ["x"])
    dicts = read_rows([{"sentence": "a", "label": "x"}, {"sentence": "b", "label": "y"}])
    assert (dicts.texts, dicts.labels) == (["a", "b"], ["x", "y"])


@pytest.mark.parametrize(
    "row, message",
    [
        (("a",), r"row 2: expected a dict, or \(text, label\)"),
        (("a", "b", "c", "d"), "row 2: expected a dict"),
        ("a", "row 2: expected a dict"),
        ({"text": "a"}, "row 2: no value in column 'label'"),
        (("a", None), "row 2: no value in column 'label'"),
        ((3, "x"), "row 2: expected text in the columns text"),
    ],
)
def test_bad_rows_in_memory_are_named_by_their_number(row, message):
    with pytest.raises(ValueError, match=message):
        read_rows([("fine", "x"), row])
    assert read_rows([("fine", "x"), row], skip_bad_rows=True).skipped == 1


def test_rows_that_were_read_once_keep_their_places():
    table = Table([{"text": "a"}], [("b.tsv", 17)])
    assert [name_of(place) for place, _ in read_table(table)[0]] == ["b.tsv, line 17"]
    with pytest.raises(ValueError, match=r"b\.tsv: no column 'label'"):
        read_rows(table)


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"text": ["good", "bad", None, "我"], "label": [1, 0, 1, 1]}, index=[9, 9, 7, 1]
    )
    with pytest.raises(ValueError, match="row 3: no value in column 'text'"):
        read_rows(frame)
    rows = read_rows(frame, skip_bad_rows=True)
    assert (rows.texts, rows.labels, rows.skipped) == (["good", "bad", "我"], ["1", "0", "1"], 1)


class Frame:
    """What is read of a data frame, without pandas: column names and records."""

    columns = ("text", "label")

    def to_dict(self, orient):
        assert orient == "records"
        return [{"text": "a", "label": 1}, {"text": float("nan"), "label": 0}]


def test_missing_cells_of_data_frames():
    assert read_rows(Frame(), skip_bad_rows=True).texts == ["a"]


@pytest.mark.parametrize(
    "data, message",
    [
        ("text\tlabel\n好\t1\n".encode("utf-16"), "UTF-16; expected UTF-8"),
        (("text\tlabel\n" + "这家酒店的房间很干净\t1\n" * 9).encode("gbk"), "line 2: not UTF-8"),
    ],
)
def test_other_encodings_are_refused(tmp_path, data, message):
    path = tmp_path / "a.tsv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"a\.tsv.*{message}.* iconv -f"):
        read_rows(path)
