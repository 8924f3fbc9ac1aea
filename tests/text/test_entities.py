"""Entities from logits, against plain Python that goes from word to word."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_bert as kb
from keras_bert.text.bio import spans_of_tags
from keras_bert.text.entities import EntityDecoder, entities_of

LABELS = ["B-PER", "O", "I-LOC", "I-PER", "B-LOC"]


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TokenClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=20)


@pytest.fixture(scope="module")
def graph(preprocess):
    """Words and entities of any batch, traced once: what an export does."""
    decode = EntityDecoder(LABELS)
    specs = [tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None, 5])]
    words = tf.function(lambda texts: preprocess.with_words(texts)[1], input_signature=specs[:1])
    return words, tf.function(
        lambda texts, logits: decode(logits, preprocess.with_words(texts)[1], texts),
        input_signature=specs,
    )


def expected(logits, words, texts):
    """Word by word, in double precision."""
    answers = []
    for row, text in enumerate(texts):
        places = [p for p in range(logits.shape[1]) if words["mask"][row, p] == 1]
        exponents = np.exp(np.float64(logits[row]))
        scores = exponents / exponents.sum(-1, keepdims=True)
        spans, _ = spans_of_tags([LABELS[scores[p].argmax()] for p in places])
        entities = []
        for first, last, label in spans:
            start = int(words["starts"][row, places[first]])
            end = int(words["ends"][row, places[last - 1]])
            score = np.mean([scores[p].max() for p in places[first:last]])
            entities.append(
                {"text": text[start:end], "label": label, "start": start, "end": end}
                | {"score": pytest.approx(score, abs=1e-6)}
            )
        answers.append(entities)
    return answers


def rows(found):
    found = {key: value.numpy() for key, value in found.items()}
    return [
        entities_of({k: v[row] for k, v in found.items()}) for row in range(len(found["texts"]))
    ]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.text("ab é😀我爱,X\u200b", max_size=25), min_size=1, max_size=5),
    st.integers(0, 10_000),
)
def test_any_texts_and_logits(graph, texts, seed):
    words, entities = graph[0](tf.constant(texts)), graph[1]
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (*words["mask"].shape, len(LABELS))).astype("float32")
    found = entities(tf.constant(texts), logits)
    assert rows(found) == expected(logits, words, texts)
    width = found["texts"].shape[1]
    assert max(found["num_entities"]) == width
    for row, count in enumerate(found["num_entities"].numpy()):
        assert set(found["labels"][row, count:].numpy()) <= {b""}
        assert not found["scores"][row, count:].numpy().any()


def tagged(preprocess, text, tags):
    """The answer where each word's logits say one tag, with a probability of its own."""
    _, words = preprocess.with_words([text])
    logits = np.zeros((*words["mask"].shape, len(LABELS)), "float32")
    logits[..., 0] = 9.0  # what pieces that stand for no word say: B-PER, to be passed over
    for place, tag in zip(np.flatnonzero(words["mask"][0]), tags.split(), strict=True):
        logits[0, place] = np.log(0.05)
        logits[0, place, LABELS.index(tag)] = np.log(0.8)
    (answer,) = rows(EntityDecoder(LABELS)(logits, words, [text]))
    assert all(entity["score"] == pytest.approx(0.8) for entity in answer)
    return [(e["text"], e["label"], e["start"], e["end"]) for e in answer]


def test_repairs_neighbours_and_whole_words(preprocess):
    assert tagged(preprocess, "Xyz qrs, b", "I-PER I-PER O B-LOC") == [
        ("Xyz qrs", "PER", 0, 7),
        ("b", "LOC", 9, 10),
    ]
    assert tagged(preprocess, "我爱吃苹果", "B-LOC B-LOC I-PER I-PER I-LOC") == [
        ("我", "LOC", 0, 1),
        ("爱", "LOC", 1, 2),
        ("吃苹", "PER", 2, 4),
        ("果", "LOC", 4, 5),
    ]
    assert tagged(preprocess, "a  b\tc", "B-PER I-PER I-PER") == [("a  b\tc", "PER", 0, 6)]


def test_entities_do_not_run_from_row_to_row(preprocess):
    texts = ["a b", "c", "", "d"]
    _, words = preprocess.with_words(texts)
    logits = np.zeros((*words["mask"].shape, len(LABELS)), "float32")
    logits[..., LABELS.index("I-LOC")] = 5
    found = rows(EntityDecoder(LABELS)(logits, words, texts))
    assert [[e["text"] for e in row] for row in found] == [["a b"], ["c"], [], ["d"]]


def test_bytes_that_are_no_utf8_count_as_characters(preprocess):
    text = b"a\xff\xfe b\xc3"
    _, words = preprocess.with_words(tf.constant([text]))
    logits = np.zeros((*words["mask"].shape, len(LABELS)), "float32")
    (row,) = rows(EntityDecoder(LABELS)(logits, words, tf.constant([text])))
    assert [e["text"] for e in row] == ["a", "b"]
    assert [text.decode("utf-8", "replace")[e["start"] : e["end"]] for e in row] == ["a", "b"]


def test_a_batch_of_none():
    empty = tf.zeros((0, 0), tf.int32)
    words = {"mask": empty, "starts": empty, "ends": empty}
    found = EntityDecoder(LABELS)(tf.zeros((0, 0, 5)), words, tf.constant([], tf.string))
    assert all(value.shape[0] == 0 for value in found.values())


def test_labels_that_are_none_of_spans():
    with pytest.raises(ValueError, match="the tag 'LABEL_0' marks no span"):
        EntityDecoder(["LABEL_0", "LABEL_1"])
