"""CoNLL and JSON Lines as texts with spans; what is wrong is named by file and line."""

import gzip
import json
import logging

import pytest

from keras_bert.data.conll import join_tokens
from keras_bert.data.tagged_files import read_tagged

ENGLISH = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP I-MISC

Peter NNP B-NP B-PER
 Blackburn  NNP I-NP I-PER\r
. . O O
"""
CHINESE = "我\tO\n在\tO\n北\tB-LOC\n京\tI-LOC\n\n\n1\tO\n9\tO\n年\tO\n，\tO\n王\tI-PER\n朋\tI-PER\n"


@pytest.fixture
def file(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
        return path

    return write


def found(rows):
    """(raw text of each span, label, line), row by row."""
    return [
        [(text[s.start : s.end], s.label, s.line) for s in spans]
        for text, spans in zip(rows.texts, rows.spans, strict=True)
    ]


def test_english_with_four_columns(file, caplog):
    rows = read_tagged(file("eng.testa", ENGLISH))
    assert rows.texts == ["EU rejects German", "Peter Blackburn ."]
    assert found(rows) == [
        [("EU", "ORG", 3), ("German", "MISC", 5)],
        [("Peter Blackburn", "PER", 7)],
    ]
    assert [line for _, line in rows.places] == [3, 7]
    assert (rows.repaired, rows.predicates) == (1, None)
    assert "1 spans of 3 do not begin with B-" in caplog.text


def test_chinese_by_character(file, caplog):
    rows = read_tagged(file("zh.conll.gz", gzip.compress(CHINESE.encode())))
    assert rows.texts == ["我在北京", "19年，王朋"]
    assert found(rows) == [[("北京", "LOC", 3)], [("王朋", "PER", 11)]]
    assert rows.repaired == 1


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("当 希 望 ， 来", "当希望，来"),
        ("1 9 9 7 年 1 2 月", "1997年12月"),
        ("比 尔 · 盖 茨", "比尔·盖茨"),
        ("加 入 WTO 后 ， U S A", "加入 WTO 后，USA"),
        ("中国 加入 世贸", "中国加入世贸"),
        ("I love 北 京 !", "I love 北京!"),
        ("in 1 9 9 7 .", "in 1 9 9 7 ."),
        ("Ａ 股 ＆ Ｂ", "Ａ股＆Ｂ"),
        ("こん にちは", "こん にちは"),
        ("😀 𠀀 𠀁", "😀𠀀𠀁"),
        ("one", "one"),
    ],
)
def test_tokens_become_the_text_that_a_person_would_type(tokens, text):
    joined, places = join_tokens(tokens.split())
    assert joined == text
    assert [joined[start:end] for start, end in places] == tokens.split()


def test_tokens_of_any_kind_are_kept(file):
    """Only the tab parts columns where there is one: a token may be U+3000, U+2028 or hold one."""
    text = "\u3000\tO\na\u2028b\tB-X\nc d\tI-X\n"
    rows = read_tagged(file("a.conll", text))
    assert found(rows) == [[("a\u2028b c d", "X", 2)]]


def test_json_lines(file):
    lines = [
        {"text": "add Cita Romántica 😀 now", "slots": [[18, 22, "b"], [4, 18, "a"]], "intent": 1},
        {"text": "nothing", "slots": []},
        {"text": "", "spans": []},
        {"text": "北京", "entities": [[0, 2, "LOC"]]},
    ]
    text = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    rows = read_tagged(file("a.jsonl", text))
    assert rows.texts == [line["text"] for line in lines]
    assert found(rows) == [
        [("Cita Romántica", "a", 1), (" 😀 n", "b", 1)],
        [],
        [],
        [("北京", "LOC", 7)],
    ]
    assert rows.predicates is None


def test_predicates_stand_in_all_rows_or_in_none(file):
    row = {"text": "Ann sings", "spans": [[0, 3, "A0"]], "predicate": [4, 9]}
    path = file("a.jsonl", json.dumps(row) + "\n" + json.dumps({**row, "predicate": [0, 3]}))
    assert read_tagged(path).predicates == [(4, 9), (0, 3)]
    path = file("b.jsonl", json.dumps(row) + "\n" + json.dumps({**row, "predicate": None}))
    with pytest.raises(ValueError, match=r"b\.jsonl, line 2: no predicate, but other rows"):
        read_tagged(path)


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ("a\tO\nb\n", 2, "expected 2 columns, .* received 'b'"),
        ("a\tO\n\nb\tx\tO\n", 3, "expected 2 columns"),
        ("a x O\nb O\n", 2, "expected 3 columns"),
        ("a\n", 1, "expected 2 columns"),
        ("a\tO\n\tO\n", 2, "expected 2 columns, a token first"),
        ("a\tNN\n", 1, "the tag 'NN' marks no span"),
        ("a O\nb I_X\n", 2, "the tag 'I_X' marks no span"),
        ('{"text": "a"}', 1, "marks no span"),
    ],
)
def test_what_is_wrong_in_conll(file, lines, line, message):
    with pytest.raises(ValueError, match=rf"bad\.txt, line {line}: .*{message}"):
        read_tagged(file("bad.txt", lines))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "Expecting property name"),
        ("[1]", "expected a (JSON object|str `text`)"),
        ('{"text": 1, "spans": []}', "expected a (JSON object|str `text`)"),
        ('{"text": "ab"}', "expected a list .* one of spans, slots, entities; received the keys"),
        ('{"text": "ab", "spans": {}}', "expected a list"),
        ('{"text": "ab", "spans": [[0, 1]]}', r"expected \[start, end, label\] in spans"),
        ('{"text": "ab", "spans": [[0, 1, ""]]}', "the label of .* is empty"),
        ('{"text": "ab", "slots": [[0, 3, "x"]]}', "slots: expected places 0 <= start < end <= 2"),
        ('{"text": "ab", "slots": [[-1, 1, "x"]]}', "expected places"),
        ('{"text": "ab", "slots": [[1, 1, "x"]]}', "expected places"),
        ('{"text": "ab", "slots": [[0, 1.0, "x"]]}', "expected places"),
        ('{"text": "ab", "slots": [[0, true, "x"]]}', "expected places"),
        ('{"text": "abc", "spans": [[1, 3, "x"], [0, 2, "y"]]}', r"\[0, 2, 'y'\] and .* overlap"),
        ('{"text": "ab", "spans": [], "predicate": [0, 3]}', "predicate: expected places"),
        ('{"text": "ab", "spans": [], "predicate": 1}', "predicate: expected places"),
    ],
)
def test_what_is_wrong_in_json_lines(file, row, message):
    with pytest.raises(ValueError, match=rf"bad\.jsonl, line 2: .*{message}"):
        read_tagged(file("bad.jsonl", '{"text": "", "spans": []}\n' + row))


def test_files_without_rows_and_without_utf8(file, caplog):
    with pytest.raises(ValueError, match="no rows"):
        read_tagged(file("a.conll", "\n-DOCSTART- O\n"))
    with pytest.raises(FileNotFoundError):
        read_tagged(file("a.conll", "").parent / "absent")
    rows = read_tagged(file("b.conll", b"caf\xe9\tB-X\n\n" + b"plain\tO\n" * 3))
    assert (
        rows.texts == ["caf\ufffd", "plain plain plain"]
        and "replaced 1 invalid UTF-8" in caplog.text
    )


@pytest.mark.parametrize(
    ("name", "texts", "spans", "repaired"),
    [
        ("wnut17/train.conll", 3394, 1975, 0),
        ("wnut17/dev.conll", 1009, 836, 0),
        ("wnut17/test.conll", 1287, 1079, 0),
        ("peopledaily_ner/train.conll", 10000, 12496, 0),
        ("peopledaily_ner/dev.conll", 4631, 6192, 11),
        ("snips/train.jsonl", 13784, 35748, 0),
        ("snips/valid.jsonl", 700, 1794, 0),
    ],
)
def test_real_sets_without_loss(shared_data, name, texts, spans, repaired, caplog):
    """Counted by other means: tags and lines of the files, and tokens read again from spans."""
    caplog.set_level(logging.ERROR)
    path = shared_data / name
    rows = read_tagged(path)
    assert (len(rows.texts), sum(map(len, rows.spans)), rows.repaired) == (texts, spans, repaired)
    if name.endswith("jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
        assert rows.texts == [line["text"] for line in lines]
        assert sum(len(line["slots"]) for line in lines) == spans
        return
    lines = path.read_text(encoding="utf-8").split("\n")
    tags = [line.split("\t")[1] for line in lines if line]
    assert sum(tag.startswith("B-") for tag in tags) + repaired == spans
    tokens = "".join(line.split("\t")[0] for line in lines if line)
    assert "".join(rows.texts).replace(" ", "") == tokens.replace(" ", "")
    for text, row in zip(rows.texts, rows.spans, strict=True):
        for span in row:  # a line a token: those of the span make up its text
            length, line = 0, span.line - 1
            wanted = text[span.start : span.end].replace(" ", "")
            while length < len(wanted):
                token, tag = lines[line].split("\t")
                assert tag.endswith(span.label) and wanted.startswith(token, length)
                length, line = length + len(token), line + 1
            assert not lines[line].endswith(f"I-{span.label}")
