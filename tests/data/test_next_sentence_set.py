"""Pairs of sentences from tables and from raw text: what follows what, and who says so."""

import collections
import gzip

import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def preprocess(tiny_vocabulary):
    return kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), sequence_length=24)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Twelve documents of sentences that name their document and place."""
    folder = tmp_path_factory.mktemp("pairs")
    documents = ["\n".join(f"{d} cat {p} 我爱" for p in range(2 + d % 5)) for d in range(12)]
    (folder / "a.txt").write_text("\n\n".join(documents[:7]) + "\n", encoding="utf-8")
    text = "\n \n".join(documents[7:]).encode()
    (folder / "b.txt.gz").write_bytes(gzip.compress(text))
    return folder


def place(sentence):
    document, _, number, _ = sentence.split()
    return int(document), int(number)


def test_half_of_the_pairs_follow_and_no_other(corpus):
    pairs = kb.data.draw_pairs([corpus / "a.txt", corpus / "b.txt.gz"], seed=1)
    firsts = [place(pair["sentence1"]) for pair in pairs]
    # Each sentence but the last of its document comes first once.
    assert firsts == [(d, p) for d in range(12) for p in range(2 + d % 5 - 1)]
    counts = collections.Counter()
    for (document, number), pair in zip(firsts, pairs, strict=True):
        other = place(pair["sentence2"])
        if pair["label"] == 0:
            assert other == (document, number + 1)
        else:
            assert other[0] != document
        counts[pair["label"]] += 1
    assert counts[1] == len(pairs) // 2
    assert kb.data.draw_pairs([corpus / "a.txt", corpus / "b.txt.gz"], seed=1) == pairs
    assert kb.data.draw_pairs([corpus / "a.txt", corpus / "b.txt.gz"], seed=2) != pairs


def test_random_sentences_come_from_all_other_documents(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(f"{d} x 0 y\n{d} x 1 y" for d in range(5)))
    seen = collections.Counter()
    for seed in range(400):
        for pair in kb.data.draw_pairs(path, seed):
            if pair["label"]:
                seen[place(pair["sentence1"])[0], place(pair["sentence2"])] += 1
    # 400 draws of 2 of the 5 first sentences, over the 8 sentences of the other documents.
    assert len(seen) == 5 * 8
    assert min(seen.values()) > 5 and max(seen.values()) < 40


def test_a_drawn_sentence_that_follows_makes_a_real_pair(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("a\nsame\n\nb\nsame\n")
    for seed in range(20):
        for pair in kb.data.draw_pairs(path, seed):
            assert (pair["label"] == 0) == (pair["sentence2"] == "same")


def test_prose_is_split_into_sentences(tmp_path, preprocess):
    path = tmp_path / "texts.txt"
    path.write_text(
        "我爱苹果。我吃苹果。\n中国人！\n\nThe cat sat. It was good.\n", encoding="utf-8"
    )
    pairs = kb.data.draw_pairs(path, format="prose")
    assert [pair["sentence1"] for pair in pairs] == ["我爱苹果。", "我吃苹果。", "The cat sat."]
    data = kb.data.next_sentence(path, preprocess, format="prose", seed=0)
    assert data.label_counts == {"next": 2, "random": 1} and data.num_examples == 3
    assert len(kb.data.draw_pairs(path)) == 1  # a line is a sentence


def test_tables_and_text_give_the_same_batches(corpus, tmp_path, preprocess):
    path = corpus / "a.txt"
    data = kb.data.next_sentence(path, preprocess, batch_size=4, shuffle=False, seed=5)
    pairs = kb.data.draw_pairs(path, 5)
    table = tmp_path / "pairs.csv"
    rows = [f"{p['sentence1']},{p['sentence2']},{p['label']}" for p in pairs]
    table.write_text("sentence1,sentence2,label\n" + "\n".join(rows), encoding="utf-8")
    other = kb.data.next_sentence(table, preprocess, batch_size=4, shuffle=False)
    place = 0
    for one, two in zip(data.as_numpy_iterator(), other.as_numpy_iterator(), strict=True):
        labels = one[1]["next_sentence"]
        for row in range(len(labels)):
            expected = preprocess((pairs[place]["sentence1"], pairs[place]["sentence2"]))
            length = len(expected["token_ids"])
            np.testing.assert_array_equal(one[0]["token_ids"][row, :length], expected["token_ids"])
            np.testing.assert_array_equal(
                one[0]["segment_ids"][row, :length], expected["segment_ids"]
            )
            assert labels[row] == pairs[place]["label"]
            place += 1
        np.testing.assert_array_equal(one[0]["token_ids"], two[0]["token_ids"])
        np.testing.assert_array_equal(labels, two[1]["next_sentence"])
        assert (one[2]["next_sentence"] == 1).all()
    assert place == len(pairs) == data.num_examples == other.num_examples


def test_bad_input_is_named(tmp_path, preprocess):
    path = tmp_path / "pairs.tsv"
    for text, message in (
        ("sentence1\tsentence2\tlabel\na\tb\t2\n", r"line 2: expected 0 \(the second text follow"),
        ("sentence1\tsentence2\tlabel\na\tb\n", "line 2: expected 3 columns; received 2"),
        ("sentence\tlabel\na\t1\n", "expected two texts a row; received one"),
        ("sentence1\tsentence2\na\tb\n", "no column 'label'"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            kb.data.next_sentence(path, preprocess)
    path.write_text("sentence1\tsentence2\tlabel\na\tb\t0\na\tb\tc\n")
    assert kb.data.next_sentence(path, preprocess, skip_bad_rows=True).skipped == 1
    text = tmp_path / "texts.txt"
    for content, message in (
        ("a\nb\n", "all the text is one document"),
        ("a\n\nb\n", "no document has two sentences"),
        ("我爱苹果\n中国\n".encode("gb18030") * 9, "texts.txt, line 1: not UTF-8"),
    ):
        text.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ValueError, match=message):
            kb.data.next_sentence(text, preprocess)
