"""Batches for a token classifier: every word's label at its first piece, weights elsewhere 0."""

import json

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

# The words are told apart by their labels; "xyz" and "café" have several pieces.
CONLL = """the\tO
xyz\tB-ORG
café\tI-ORG
.\tO

@dog-1\tB-PER
sat\tO

我\tO
爱\tB-LOC
吃\tI-LOC
"""


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer([*tiny_vocabulary, "@"])


@pytest.fixture(scope="module")
def preprocess(tokenizer):
    return kb.TokenClassifierPreprocessor(tokenizer, sequence_length=16)


@pytest.fixture
def file(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_text(data, encoding="utf-8")
        return path

    return write


def rows_of(dataset, tokenizer):
    """Rows as lists of (token, label where it has a weight), in the order of the data."""
    rows = []
    for inputs, labels, weights in dataset.as_numpy_iterator():
        assert set(inputs) == {"token_ids", "segment_ids", "padding_mask"}
        assert all(value.dtype == np.int32 for value in inputs.values())
        labels, weights = labels["token_classification"], weights["token_classification"]
        assert labels.dtype == np.int32 and weights.dtype == np.float32
        assert labels.shape == weights.shape == inputs["token_ids"].shape
        assert set(np.unique(weights)) <= {0.0, 1.0}
        assert not weights[inputs["padding_mask"] == 0].any()
        for row in range(len(labels)):
            length = inputs["padding_mask"][row].sum()
            rows.append(
                [
                    (tokenizer.id_to_token(int(token)), dataset.labels[label] if weight else None)
                    for token, label, weight in zip(
                        inputs["token_ids"][row, :length],
                        labels[row],
                        weights[row],
                        strict=False,
                    )
                ]
            )
    return rows


def test_labels_stand_at_first_pieces(file, preprocess, tokenizer):
    dataset = kb.data.token_classification(file("a.conll", CONLL), preprocess, shuffle=False)
    assert dataset.labels == ["O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"]
    assert (dataset.num_examples, len(dataset)) == (3, 1)
    assert (dataset.repaired, dataset.unaligned, dataset.truncated) == (0, 0, 0)
    assert dataset.texts[1] == "@dog-1 sat"
    first, second, third = rows_of(dataset, tokenizer)
    assert first == [
        ("[CLS]", None),
        ("the", "O"),
        ("x", "B-ORG"),
        ("##y", None),
        ("##z", None),
        ("c", "I-ORG"),
        ("##a", None),
        ("##f", None),
        ("##e", None),
        (".", "O"),
        ("[SEP]", None),
    ]
    # One token of the file, four words of the text: all are of its span.
    assert second[1:-1] == [
        ("@", "B-PER"),
        ("dog", "I-PER"),
        ("-", "I-PER"),
        ("1", "I-PER"),
        ("sat", "O"),
    ]
    assert third[1:-1] == [("我", "O"), ("爱", "B-LOC"), ("吃", "I-LOC")]


def test_json_lines_give_the_same(file, preprocess, tokenizer):
    conll = kb.data.token_classification(file("a.conll", CONLL), preprocess, shuffle=False)
    lines = [
        json.dumps({"text": text, "slots": [span[:3] for span in spans]})
        for text, spans in zip(conll.texts, conll.spans, strict=True)
    ]
    dataset = kb.data.token_classification(
        file("a.jsonl", "\n".join(lines)), preprocess, shuffle=False
    )
    assert rows_of(dataset, tokenizer) == rows_of(conll, tokenizer)


def test_batches_are_those_of_classification(file, preprocess, tokenizer):
    text = "\n".join(
        "\n".join(f"{c}\tB-{c}" for c in "abcdefgh"[: 1 + i % 8]) + "\n" for i in range(50)
    )
    dataset = kb.data.token_classification(file("a.conll", text), preprocess, batch_size=8, seed=3)
    epochs = [rows_of(dataset, tokenizer) for _ in range(2)]
    assert len(dataset) == 7 and epochs[0] != epochs[1] and len(epochs[0]) == 50
    assert sorted(epochs[0], key=str) == sorted(epochs[1], key=str)
    for row in epochs[0]:
        assert all(label == f"B-{token.strip('#')}" for token, label in row[1:-1])
    dataset.set_epoch(0)
    assert rows_of(dataset, tokenizer) == epochs[0]


def test_static_shapes(file, tokenizer):
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, 16, pad_to_sequence_length=True)
    dataset = kb.data.token_classification(file("a.conll", CONLL), preprocess)
    for part in dataset.element_spec:
        assert all(spec.shape.as_list() == [None, 16] for spec in part.values())
    inputs, labels, _ = next(dataset.as_numpy_iterator())
    assert labels["token_classification"].shape == inputs["token_ids"].shape == (3, 16)


def test_what_is_cut_and_what_does_not_fit_words(file, tokenizer, caplog):
    lines = [
        {"text": "the dog sat on mat", "spans": [[4, 7, "A"], [15, 18, "B"]]},  # B is cut off
        {"text": "xyz dog", "spans": [[1, 2, "A"], [2, 6, "B"]]},  # both within words
        {"text": "sat  on", "spans": [[3, 5, "A"]]},  # spaces alone
        {"text": "sat on", "spans": [[0, 6, "A"]]},
    ]
    path = file("a.jsonl", "\n".join(map(json.dumps, lines)))
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, sequence_length=5)
    dataset = kb.data.token_classification(path, preprocess, shuffle=False)
    assert (dataset.repaired, dataset.unaligned, dataset.truncated) == (0, 2, 2)
    assert "2 spans of 6 begin or end within a word" in caplog.text
    assert "cut 2 texts of 4 to sequence_length=5 tokens" in caplog.text
    assert dataset.labels == ["O", "B-A", "I-A", "B-B", "I-B"]
    labelled = [[pair for pair in row if pair[1]] for row in rows_of(dataset, tokenizer)]
    assert labelled == [
        [("the", "O"), ("dog", "B-A"), ("sat", "O")],
        [("x", "B-A")],
        [("sat", "O"), ("on", "O")],
        [("sat", "B-A"), ("on", "I-A")],
    ]
    # The second row's "dog" was cut; with room for it, it has the span that still touches it.
    roomy = kb.TokenClassifierPreprocessor(tokenizer, sequence_length=9)
    dataset = kb.data.token_classification(path, roomy, shuffle=False)
    assert (dataset.unaligned, dataset.truncated) == (3, 0)
    assert [p for p in rows_of(dataset, tokenizer)[1] if p[1]] == [("x", "B-A"), ("dog", "B-B")]


def test_predicates_are_marked(file, preprocess, tokenizer):
    row = {"text": "the dog sat", "spans": [[0, 7, "A0"]], "predicate": [8, 11]}
    other = {**row, "predicate": [4, 7], "spans": []}
    path = file("a.jsonl", json.dumps(row) + "\n" + json.dumps(other))
    dataset = kb.data.token_classification(path, preprocess, shuffle=False)
    inputs, _, _ = next(dataset.as_numpy_iterator())
    assert inputs["segment_ids"].tolist() == [[0, 0, 0, 1, 0], [0, 0, 1, 0, 0]]
    assert dataset.predicates == [(8, 11), (4, 7)]
    path = file("b.jsonl", json.dumps({**row, "predicate": [3, 4]}))
    with pytest.raises(
        ValueError, match=r"b\.jsonl, line 1: the predicate \[3, 4\] of .* no token"
    ):
        kb.data.token_classification(path, preprocess)


def test_labels_given_and_unseen(file, preprocess):
    labels = ["I-PER", "B-PER", "O", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
    path = file("a.conll", CONLL)
    dataset = kb.data.token_classification(path, preprocess, labels=labels, shuffle=False)
    assert dataset.labels == labels
    numbers = next(dataset.as_numpy_iterator())[1]["token_classification"]
    assert numbers[1, 1:6].tolist() == [1, 0, 0, 0, 2]
    for missing, line in (("B-PER", 6), ("I-ORG", 2), ("I-LOC", 10)):
        few = [label for label in labels if label != missing]
        with pytest.raises(
            ValueError, match=rf"a\.conll, line {line}: the label '{missing}' is not among"
        ):
            kb.data.token_classification(path, preprocess, labels=few)
    for wrong, message in [
        ("O", "expected a list of str"),
        (["O", "O"], "different names, O among them"),
        (["B-PER"], "different names, O among them"),
        (["O", "S-PER"], "expected O, B-LABEL and I-LABEL only; received 'S-PER'"),
        (["O", "PER"], "the tag 'PER' marks no span"),
    ]:
        with pytest.raises(ValueError, match=message):
            kb.data.token_classification(path, preprocess, labels=wrong)
    with pytest.raises(ValueError, match="batch_size must be a positive int"):
        kb.data.token_classification(path, preprocess, batch_size=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "chinese", "unaligned"),
    [
        ("wnut17/dev.conll", False, 1),
        ("snips/valid.jsonl", False, 6),
        ("peopledaily_ner/dev.conll", True, 0),
    ],
)
def test_real_sets_come_back_from_their_labels(shared_data, name, chinese, unaligned):
    """Words' labels in the batches, decoded as a sure model's, are the spans of the file."""
    kind = "bert-base-chinese" if chinese else "bert-base-multilingual-cased"
    tokenizer = kb.BertTokenizer(shared_data / "vocabs" / kind / "vocab.txt", lowercase=chinese)
    preprocess = kb.TokenClassifierPreprocessor(tokenizer, sequence_length=512)
    dataset = kb.data.token_classification(shared_data / name, preprocess, None, 64, False)
    assert (dataset.unaligned, dataset.truncated) == (unaligned, 0)
    decoder = kb.text.EntityDecoder(dataset.labels)
    decode = tf.function(
        lambda logits, texts: decoder(logits, preprocess.with_words(texts)[1], texts),
        input_signature=[tf.TensorSpec([None, None, None]), tf.TensorSpec([None], tf.string)],
    )
    place = missed = 0
    for _, labels, _ in dataset.as_numpy_iterator():
        numbers = labels["token_classification"]
        texts = dataset.texts[place : place + len(numbers)]
        logits = np.eye(len(dataset.labels), dtype="float32")[numbers]
        found = decode(logits, tf.constant(texts))
        for row, text in enumerate(texts):
            count = found["num_entities"][row].numpy()
            spans = [
                (int(s), int(e), label.decode())
                for s, e, label in zip(
                    found["starts"][row, :count],
                    found["ends"][row, :count],
                    found["labels"][row, :count].numpy(),
                    strict=True,
                )
            ]
            assert [text[s:e] for s, e, _ in spans] == [
                t.decode() for t in found["texts"][row, :count].numpy()
            ]
            missed += len({span[:3] for span in dataset.spans[place + row]} - set(spans))
        place += len(numbers)
    assert place == dataset.num_examples and missed == unaligned
