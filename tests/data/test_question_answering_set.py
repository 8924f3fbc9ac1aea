"""Questions in SQuAD's JSON: right windows and labels, every answer of real sets, bad files."""

import gzip
import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.question_answering_set import tokens_of
from keras_bert.data.squad_files import read_questions

CONTEXTS = [
    "The Cafe\u0301 cat sat ON a mat, was it good? " * 3 + "A bad dog sat in the film.",
    "我爱吃苹果。Dog",
]


def answer(context, text, number=0):
    """An answer at the given occurrence of its text."""
    start = -1
    for _ in range(number + 1):
        start = context.index(text, start + 1)
    return {"text": text, "answer_start": start}


def squad(*paragraphs):
    return {
        "version": "1.1",
        "data": [
            {"title": "t", "paragraphs": [{"context": context, "qas": rows}]}
            for context, rows in paragraphs
        ],
    }


def question(name, text, answers, **more):
    return {"id": name, "question": text, "answers": answers, **more}


@pytest.fixture(scope="module")
def content():
    first, second = CONTEXTS
    wrong = {"text": "cat", "answer_start": 3}
    return squad(
        (
            first,
            [
                question("late", "was it?", [answer(first, "bad dog sat"), answer(first, "cat")]),
                question("second", "cat", [wrong, answer(first, "Cafe\u0301 cat", 1)]),
                question("lost", "the " * 20, [wrong, {**wrong, "answer_start": -3}]),
                question("none", "dog", [answer(first, "cat")], is_impossible=True),
            ],
        ),
        (
            second,
            [
                question("zh", "我?", [answer(second, "吃苹果")]),
                question(7, "我?", [answer(second, " "[1:] + "Dog")]),
            ],
        ),
    )


@pytest.fixture(scope="module")
def path(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.SpanPreprocessor(kb.BertTokenizer(tiny_vocabulary), 16, 4, 4)


def key(inputs, row):
    return tuple(inputs["token_ids"][row][inputs["padding_mask"][row] == 1].tolist())


def collect(dataset):
    """(token ids, start, end, weight) of all rows."""
    rows = []
    for inputs, labels, weights in dataset.as_numpy_iterator():
        assert set(labels) == set(weights) == {"span_start", "span_end"}
        assert {labels[n].dtype for n in labels} == {np.dtype("int32")}
        assert {weights[n].dtype for n in weights} == {np.dtype("float32")}
        np.testing.assert_array_equal(weights["span_start"], weights["span_end"])
        columns = labels["span_start"], labels["span_end"], weights["span_start"]
        rows += [(key(inputs, i), *map(int, row)) for i, row in enumerate(zip(*columns))]  # noqa: B905
    return rows


def expected_rows(preprocess, content, training):
    """The same by the preprocessor alone: an answer is where its characters are."""
    rows = []
    for article in content["data"]:
        (paragraph,) = article["paragraphs"]
        context = paragraph["context"]
        for row in paragraph["qas"]:
            answers = [] if row.get("is_impossible") else row["answers"]
            good = [
                (a["answer_start"], a["answer_start"] + len(a["text"]))
                for a in answers
                if context[a["answer_start"] :].startswith(a["text"]) and a["answer_start"] >= 0
            ]
            if answers and not good and training:
                continue
            inputs, places = preprocess((row["question"], context))
            inputs, places = ({k: v.numpy() for k, v in part.items()} for part in (inputs, places))
            for window in range(len(places["example"])):
                starts, ends = places["starts"][window], places["ends"][window]
                first = last = 0
                if good:
                    start, end = good[0]
                    begin = np.flatnonzero((starts <= start) & (start < ends))
                    stop = np.flatnonzero((starts < end) & (end <= ends))
                    if len(begin) and len(stop):
                        first, last = int(begin[0]), int(stop[-1])
                weight = int(not answers or bool(good))
                rows.append((key(inputs, window), first, last, weight))
    return rows


@pytest.mark.parametrize("training", [True, False])
def test_rows_and_labels(path, content, preprocess, training):
    data = kb.data.question_answering(path, preprocess, 4, shuffle=False, training=training)
    expected = expected_rows(preprocess, content, training)
    assert collect(data) == expected
    assert (data.num_windows, data.num_examples) == (len(expected), 5 if training else 6)
    assert (data.skipped, data.num_answers, data.num_unanswerable) == (3, 8, 1)
    assert data.cut_questions == (0 if training else 1)
    names = [asked.id for asked in data.questions]
    kept = ["late", "second", "lost", "none", "zh", "7"]
    assert names == (kept if not training else [name for name in kept if name != "lost"])
    assert len(data) == -(-len(expected) // 4)
    # An answer that is not in a window is [CLS] there, and it is in some window.
    spans = [row[1:3] for row in expected]
    assert spans.count((0, 0)) > 10 and len(set(spans)) > 4


def test_shuffled_batches_hold_every_row_once(path, content, preprocess):
    expected = sorted(expected_rows(preprocess, content, True))
    data = kb.data.question_answering(path, preprocess, 4, seed=3)
    first, second = collect(data), collect(data)
    assert sorted(first) == sorted(second) == expected and first != second
    again = kb.data.question_answering(path, preprocess, 4, seed=3)
    assert collect(again) == first


def test_windows_tell_where_their_pieces_stand(path, content, preprocess):
    data = kb.data.question_answering(path, preprocess, 4, training=False)
    rows = {}
    for inputs, places in data.windows().as_numpy_iterator():
        for row, example in enumerate(places["example"]):
            length = inputs["padding_mask"][row].sum()
            part = {
                name: places[name][row, :length].tolist() for name in places if name != "example"
            }
            rows.setdefault(int(example), []).append((key(inputs, row), part))
    for number, asked in enumerate(data.questions):
        inputs, places = preprocess((asked.text, data.contexts[asked.context]))
        inputs = {name: values.numpy() for name, values in inputs.items()}
        expected = []
        for row in range(len(inputs["token_ids"])):
            length = inputs["padding_mask"][row].sum()
            names = ("starts", "ends", "most_context")
            part = {name: places[name].numpy()[row, :length].tolist() for name in names}
            expected.append((key(inputs, row), part))
        assert sorted(rows[number], key=str) == sorted(expected, key=str)


def test_gzip_globs_and_lists(path, content, preprocess, tmp_path):
    with gzip.open(tmp_path / "a.json.gz", "wt", encoding="utf-8") as file:
        json.dump(content, file)
    zipped = kb.data.question_answering(tmp_path / "*.gz", preprocess, 4, shuffle=False)
    plain = kb.data.question_answering(path, preprocess, 4, shuffle=False)
    assert collect(zipped) == collect(plain)
    both = kb.data.question_answering([path, tmp_path / "a.json.gz"], preprocess, 4, shuffle=False)
    assert collect(both) == collect(plain) * 2 and both.skipped == 6  # twice the same: twice


def test_bad_files(tmp_path, preprocess):
    path = tmp_path / "bad.json"

    def refused(text, message):
        path.write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
        with pytest.raises(ValueError, match=message):
            kb.data.question_answering(path, preprocess)

    good = question("q1", "a?", [answer("a cat", "cat")])
    refused(b"{", r"bad\.json: expected SQuAD's JSON; ")
    refused(b"\xff\xfe{}", r"bad\.json: UTF-16; expected UTF-8")
    refused([], r"bad\.json: expected 'data' of type list, .* received list")
    refused({"version": 1}, "an object with version")
    refused({"data": [1]}, r"article 1: expected 'paragraphs' .* received int")
    refused(squad(("a cat", 5)), "paragraph 1: expected 'qas' of type list.*qas of type int")
    refused(squad((None, [good])), "expected 'context' of type str.*context of type NoneType")
    refused(squad(("a cat", [{**good, "id": None}])), "expected 'id' of type str or int")
    refused(squad(("a cat", [{**good, "question": 3}])), "question q1: expected 'question'")
    refused(squad(("a cat", [{"id": "q1", "question": "a?"}])), "question q1: expected 'answers'")
    bad = {**good, "answers": [{"text": "cat", "answer_start": "2"}]}
    refused(squad(("a cat", [bad])), "question q1: expected 'answer_start' of type int")
    refused({"data": []}, "no questions")
    refused(squad((" \n", [good])), r"article 1, paragraph 1: the context is empty.*questions q1")
    refused(squad(("\u200b\u0301", [good])), "question q1: the context holds no token")
    bad = {**good, "answers": [{"text": "cat", "answer_start": 3}]}
    refused(squad(("a cat", [bad])), "no question is left .* all 1 stand elsewhere")
    with pytest.raises(ValueError, match="batch_size"):
        kb.data.question_answering(path, preprocess, batch_size=0)
    with pytest.raises(FileNotFoundError):
        kb.data.question_answering(tmp_path / "absent.json", preprocess)


REAL = {
    # Folder, file: questions, answers, those that stand elsewhere, questions left without one.
    ("squad1", "train.json"): (2575, 8888, 0, 0),
    ("squad2", "dev.json"): (1629, 3378, 0, 0),
    ("xquad_zh", "xquad.zh.json"): (1190, 1190, 0, 0),
    ("cmrc2018", "cmrc2018_dev.json"): (3219, 9657, 200, 3),
    ("cmrc2018", "cmrc2018_trial.json"): (1002, 1002, 5, 5),
    ("drcd", "DRCD_test.json"): (3493, 6986, 0, 0),
}


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "file"), REAL, ids="/".join)
def test_answers_of_real_sets_survive_text_to_pieces_to_text(shared_data, folder, file):
    vocabulary = shared_data / "vocabs" / "bert-base-multilingual-cased" / "vocab.txt"
    tokenizer = kb.BertTokenizer(vocabulary, lowercase=False)
    path = shared_data / folder / file
    found = read_questions(path)
    asked, answers, skipped, lost = REAL[folder, file]
    assert (len(found.questions), found.answers, found.skipped) == (asked, answers, skipped)
    assert sum(bool(q.answers) and not q.spans for q in found.questions) == lost
    places = [
        [part.numpy() for part in tokenizer.tokenize_with_offsets(context)[1:]]
        for context in found.contexts
    ]
    exact = total = 0
    for question in found.questions:
        context, (starts, ends) = found.contexts[question.context], places[question.context]
        for span in question.spans:
            first, last = tokens_of(span, starts, ends)
            # The pieces hold the whole answer, and nothing that a piece less would spare.
            assert starts[first] <= span[0] < ends[first] and starts[last] < span[1] <= ends[last]
            exact += context[starts[first] : ends[last]] == context[slice(*span)]
            total += 1
    assert total == answers - skipped and exact / total > 0.997
