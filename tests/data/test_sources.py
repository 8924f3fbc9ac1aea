"""Every reader takes files, data frames, lists and TensorFlow Datasets; each names what is bad."""

import functools
import json

import pytest

import keras_bert as kb
from keras_bert.data.embedding_files import read_text_rows
from keras_bert.data.squad_files import read_questions
from keras_bert.data.tagged_files import read_tagged

pandas = pytest.importorskip("pandas")

CONLL = "我\tO\n在\tO\n北\tB-LOC\n京\tI-LOC\n\nthe\tO\ncat\tI-PER\nsat\tI-PER\n"
TOKENS = [["我", "在", "北", "京"], ["the", "cat", "sat"]]
TAGS = [["O", "O", "B-LOC", "I-LOC"], ["O", "I-PER", "I-PER"]]
TEXTS = ["我在北京", "the cat sat"]
SPANS = [[(2, 4, "LOC")], [(4, 11, "PER")]]

CONTEXT = "the cat sat on a mat, 我爱吃苹果。"
ASKED = [
    ("1", "who sat?", [("the cat", 0), ("cat", 4)]),
    ("2", "吃什么?", [("苹果", 25)]),
    ("3", "where?", []),
    ("4", "on what?", [("mat", 0)]),  # which does not stand there
]


def answers_of(pairs, as_columns):
    if as_columns:
        return {"text": [text for text, _ in pairs], "answer_start": [at for _, at in pairs]}
    return [{"text": text, "answer_start": at} for text, at in pairs]


def questions(as_columns=False):
    return [
        {"id": name, "question": text, "context": CONTEXT, "answers": answers_of(pairs, as_columns)}
        for name, text, pairs in ASKED
    ]


def spans_of(rows):
    return [[tuple(span[:3]) for span in spans] for spans in rows.spans]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture
def tfds_sets(tmp_path, monkeypatch):
    """Sets of tokens, of spans and of questions that TensorFlow Datasets itself wrote."""
    pytest.importorskip("importlib_resources")
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = tfds.features
    tags = ["O", "B-LOC", "I-LOC", "I-PER"]
    span = {"start": tf.int32, "end": tf.int32, "label": features.Text()}
    answer = {"text": features.Text(), "answer_start": tf.int32}
    names = ("start", "end", "label")
    spans = [{n: [span[i] for span in row] for i, n in enumerate(names)} for row in SPANS]
    sets = {
        "tiny_tokens": (
            {
                "tokens": features.Sequence(features.Text()),
                "ner": features.Sequence(features.ClassLabel(names=tags)),
            },
            [
                {"tokens": words, "ner": [tags.index(tag) for tag in row]}
                for words, row in zip(TOKENS, TAGS, strict=True)
            ],
        ),
        "tiny_spans": (
            {"text": features.Text(), "spans": features.Sequence(span)},
            [{"text": text, "spans": row} for text, row in zip(TEXTS, spans, strict=True)],
        ),
        "tiny_questions": (
            {
                **dict.fromkeys(("id", "question", "context"), features.Text()),
                "answers": features.Sequence(answer),
            },
            questions(as_columns=True),
        ),
    }

    for name, (kinds, rows) in sets.items():
        kinds = features.FeaturesDict(kinds)
        data = tf.data.Dataset.from_generator(
            functools.partial(iter, rows), output_signature=kinds.get_tensor_spec()
        )
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name, version="1.0.0", data_dir=str(tmp_path), features=kinds,
            split_datasets={"train": data},
        )  # fmt: skip
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))


def test_tokens_from_everywhere_are_the_same(tmp_path, tokenizer, caplog):
    path = tmp_path / "a.conll"
    path.write_text(CONLL, encoding="utf-8")
    rows = [{"tokens": t, "ner_tags": g} for t, g in zip(TOKENS, TAGS, strict=True)]
    spans = [{"text": t, "spans": list(map(list, s))} for t, s in zip(TEXTS, SPANS, strict=True)]
    objects = [
        {"text": row["text"], "entities": [dict(zip(("start", "end", "label"), span, strict=True))
                                           for span in row["spans"]]}
        for row in spans
    ]  # fmt: skip
    for name, content in (("b", rows), ("c", spans)):
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in content)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "d.json").write_text(json.dumps({"train": rows, "dev": rows[:1]}))
    found = {}
    for number, source in enumerate((
        path, rows, spans, objects, pandas.DataFrame(rows), pandas.DataFrame(spans),
        list(zip(TOKENS, TAGS, strict=True)), list(zip(TEXTS, SPANS, strict=True)),
        tmp_path / "b.jsonl", tmp_path / "c.jsonl", f"{tmp_path}/d.json#train",
    )):  # fmt: skip
        read = read_tagged(source)
        assert (read.texts, spans_of(read), read.predicates) == (TEXTS, SPANS, None), number
        found[number] = read.repaired
    # Tags are repaired and counted, wherever they come from; spans have none.
    assert [found[number] for number in (0, 1, 4, 6, 8, 10)] == [1] * 6
    assert [found[number] for number in (2, 3, 5, 7, 9)] == [0] * 5
    assert "the rows: 1 spans of 2 do not begin with B-" in caplog.text
    data = kb.data.token_classification(rows, kb.TokenClassifierPreprocessor(tokenizer))
    assert "1 of 2 spans do not begin with B-; their first token" in kb.data.summary(data, data)
    assert "2 of the 2 rows to measure on are in the training set too" in kb.data.summary(
        data, data
    )


def test_questions_from_everywhere_are_the_same(tmp_path, tokenizer):
    qas = [
        {"id": name, "question": text, "answers": answers_of(pairs, False)}
        for name, text, pairs in ASKED
    ]
    squad = {"data": [{"paragraphs": [{"context": CONTEXT, "qas": qas}]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(squad))
    lines = "\n".join(json.dumps(row) for row in questions())
    (tmp_path / "b.jsonl").write_text(lines)
    expected = read_questions(path)
    assert expected.contexts == [CONTEXT] and expected.skipped == 1 and expected.answers == 4
    tuples = [(row["question"], CONTEXT, row["answers"]) for row in questions()]
    frame = pandas.DataFrame(questions(True))
    for source in (questions(), questions(True), frame, tmp_path / "b.jsonl", tuples):
        read = read_questions(source)
        assert (read.contexts, read.skipped, read.answers) == ([CONTEXT], 1, 4)
        for one, other in zip(read.questions, expected.questions, strict=True):
            assert one[:5] == other[:5]
    preprocess = kb.SpanPreprocessor(tokenizer, 24)
    data = kb.data.question_answering(questions(), preprocess, shuffle=False)
    assert (data.num_examples, data.num_unanswerable, len(data.digests)) == (3, 1, 3)


def test_tokens_and_questions_of_tensorflow_datasets(tfds_sets, tokenizer):
    for name, repaired in (("tiny_tokens", 1), ("tiny_spans", 0)):
        read = read_tagged(f"tfds://{name}")
        order = sorted(range(2), key=lambda place: TEXTS.index(read.texts[place]))
        assert [read.texts[place] for place in order] == TEXTS
        assert [spans_of(read)[place] for place in order] == SPANS
        assert read.repaired == repaired
    read = read_questions("tfds://tiny_questions/train")
    found = {question.id: question for question in read.questions}
    assert read.contexts == [CONTEXT] and sorted(found) == ["1", "2", "3", "4"]
    assert found["1"].answers == ["the cat", "cat"] and found["1"].spans == [(0, 7), (4, 7)]
    assert found["2"].spans == [(25, 27)] and found["3"].answers == [] and found["4"].spans == []
    preprocess = kb.TokenClassifierPreprocessor(tokenizer)
    data = kb.data.token_classification("tfds://tiny_tokens", preprocess)
    assert data.labels == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    with pytest.raises(ValueError, match=r"tfds://tiny_tokens, example \d: the label 'B-\w+' is"):
        kb.data.token_classification("tfds://tiny_tokens", preprocess, labels=["O", "B-X", "I-X"])


def test_tuples_and_frames_of_the_other_readers(tokenizer):
    pairs = [("the cat", "a cat"), ("good film", "bad film")]
    assert read_text_rows(pairs).texts == pairs
    scored = read_text_rows([(*pair, score) for pair, score in zip(pairs, (4, 0.5), strict=True)])
    assert (scored.texts, scored.scores) == (pairs, [4.0, 0.5])
    assert read_text_rows([("a", "b", "c")]).texts == [("a", "b", "c")]
    frame = pandas.DataFrame(pairs, columns=["sentence1", "sentence2"]).assign(score=[1, 0])
    assert read_text_rows(frame).scores == [1.0, 0.0]
    frame.loc[1, "sentence1"] = None
    assert read_text_rows(frame, skip_bad_rows=True).skipped == 1

    preprocess = kb.MultipleChoicePreprocessor(tokenizer)
    rows = [("the cat", ["sat", "a mat"], 1), ("good", ["bad", "film"], 0)]
    for source in (rows, pandas.DataFrame(rows, columns=["text", "choices", "label"])):
        data = kb.data.choices(source, preprocess, shuffle=False)
        inputs, labels, _ = next(data.as_numpy_iterator())
        assert labels["multiple_choice"].tolist() == [1, 0]
        expected = preprocess(("the cat", ["sat", "a mat"]))["token_ids"].numpy()
        assert (inputs["token_ids"][0] == expected).all()
    with pytest.raises(ValueError, match=r"row 1: expected a dict, or \(text, choices, number\)"):
        kb.data.choices([("a", "b")], preprocess)

    frame = pandas.DataFrame(
        {"text": ["the cat sat"] * 2, "head": [[0, 3], [4, 7]], "tail": [[8, 11], [0, 3]],
         "relation": ["x", "y"]}
    )  # fmt: skip
    data = kb.data.relations(frame, kb.RelationPreprocessor(tokenizer), shuffle=False)
    inputs, labels, _ = next(data.as_numpy_iterator())
    assert inputs["entity_positions"].tolist() == [[1, 5], [4, 1]]
    assert labels["relation"].tolist() == [0, 1] and data.labels == ["x", "y"]


READERS = {
    "classification": (kb.data.classification, "TextClassifierPreprocessor", "sentence\tlabel"),
    "relations": (kb.data.relations, "RelationPreprocessor", "sentence\trelation"),
    "choices": (kb.data.choices, "MultipleChoicePreprocessor", "text\tending0\tending1\tlabel"),
    "embedding": (kb.data.embedding_pairs, "TextClassifierPreprocessor", "anchor\tpositive"),
    "next": (kb.data.next_sentence, "TextClassifierPreprocessor", "sentence1\tsentence2\tlabel"),
    "tokens": (kb.data.token_classification, "TokenClassifierPreprocessor", "我\tO"),
    "questions": (kb.data.question_answering, "SpanPreprocessor", None),
}


@pytest.mark.parametrize("name", READERS)
def test_encoding_and_number_of_columns_are_named_by_every_reader(name, tmp_path, tokenizer):
    read, preprocess, header = READERS[name]
    preprocess = getattr(kb, preprocess)(tokenizer, sequence_length=24)
    path = tmp_path / {"tokens": "a.conll", "questions": "a.json"}.get(name, "a.tsv")
    good = header or "{}"
    chinese = "我爱吃苹果，中国人" * 9
    path.write_bytes(f"{good}\n{chinese}\n".encode("gb18030"))
    first = 1 if name == "tokens" else 2
    with pytest.raises(
        ValueError, match=rf"{path.name}, line {first}: not UTF-8.*iconv -f GB18030"
    ):
        read(path, preprocess)
    path.write_bytes(f"{good}\n{chinese}\n".encode("utf-16"))
    with pytest.raises(ValueError, match=rf"{path.name}: UTF-16; expected UTF-8"):
        read(path, preprocess)
    if header is None:  # no columns in SQuAD's JSON; in JSON Lines each has its name
        path = tmp_path / "a.jsonl"
        path.write_text('{"question": "a", "answers": []}\n')
        with pytest.raises(ValueError, match=r"a.jsonl, line 1: expected 'context' of type str"):
            read(path, preprocess)
        return
    columns = header.count("\t") + 1
    for row in ("\t".join("x" * (columns + 1)), "x"):
        path.write_text(f"{header}\n{row}\n", encoding="utf-8")
        message = rf"{path.name}, line 2: expected {columns} columns"
        with pytest.raises(ValueError, match=message):
            read(path, preprocess)


@pytest.mark.parametrize(
    "row, message",
    [
        ({"tokens": ["a"], "tags": ["B-X", "O"]}, "1 tokens, but 2 tags; expected a tag a token"),
        ({"tokens": ["a", " "], "tags": ["O", "O"]}, "expected tokens, none of them empty"),
        ({"tokens": ["a"], "tags": [3]}, "expected a list of str in tags"),
        ({"tokens": ["a"]}, "expected a tag a token as one of tags, ner_tags"),
        ({"tokens": ["a"], "tags": ["X"]}, "the tag 'X' marks no span"),
        ({"spans": []}, "expected a str `text`, or `tokens` with a tag each"),
        ({"text": "a b", "spans": [[0, 9, "X"]]}, "expected places 0 <= start < end <= 3"),
        ({"text": "a b", "spans": [[0, 2, "X"], [1, 3, "Y"]]}, "overlap"),
        ({"text": "a b", "spans": 3}, r"expected a list of \[start, end, label\]"),
    ],
)
def test_a_bad_row_of_tokens_is_named(row, message):
    with pytest.raises(ValueError, match=f"row 2: .*{message}"):
        read_tagged([{"tokens": ["a"], "tags": ["O"]}, row])


def test_a_bad_row_of_questions_is_named():
    good = questions()[0]
    for row, message in (
        ({**good, "context": " "}, "row 2: the context is empty, so the questions 1 have no text"),
        ({**good, "answers": {"text": ["a"]}}, "row 2: expected 'answer_start' of type list"),
        ({**good, "answers": {"text": ["a"], "answer_start": []}}, "row 2: 1 answers, but 0 ans"),
        ({**good, "question": None}, "question 1: expected 'question' of type str"),
        (("a", "b"), r"row 2: expected a dict, or \(question, context, answers\)"),
    ):
        with pytest.raises(ValueError, match=message):
            read_questions([good, row])


def test_one_class_is_told_and_refused(tokenizer):
    preprocess = kb.TextClassifierPreprocessor(tokenizer)
    data = kb.data.classification([("good", "x"), ("bad", "x")], preprocess)
    assert "all rows have one label: there is nothing to tell apart" in kb.data.summary(data)
    size = {"num_layers": 1, "hidden_dim": 8, "num_heads": 2, "max_sequence_length": 128}
    backbone = kb.BertBackbone(kb.BertConfig(vocabulary_size=tokenizer.vocabulary_size, **size))
    with pytest.raises(ValueError, match=r"labels must be two or more different names; .*\['x'\]"):
        kb.BertTextClassifier(backbone, labels=data.labels)
    rows = [{"tokens": ["a"], "tags": ["O"]}]
    data = kb.data.token_classification(rows, kb.TokenClassifierPreprocessor(tokenizer))
    assert data.labels == ["O"] and data.num_spans == 0
    with pytest.raises(ValueError, match=r"BertTokenClassifier: .*\['O'\]"):
        kb.BertTokenClassifier(backbone, labels=data.labels)
