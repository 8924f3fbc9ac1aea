"""Real sets are read whole: as many rows as their catalogue says, and what it says of them."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.description import count_shared
from keras_bert.data.labelled_files import read_rows
from keras_bert.data.targets import Numbers


@pytest.mark.parametrize(
    "path, rows, labels, pairs",
    [
        ("sst2/train.tsv", 67_349, {"0", "1"}, False),
        ("sst2/dev.tsv", 872, {"0", "1"}, False),
        ("rte/train.tsv", 1_244, {"entailment", "not_entailment"}, True),
        ("chnsenticorp/train.tsv", 9_600, {"0", "1"}, False),
        ("ocnli/train.jsonl", 9_985, {"entailment", "neutral", "contradiction"}, True),
        ("bustm/test_public.tsv", 1_772, {"0", "1"}, True),
    ],
)
def test_rows_and_labels(shared_data, path, rows, labels, pairs):
    found = read_rows(shared_data / path)
    assert len(found.texts) == rows and set(found.labels) == labels and found.skipped == 0
    assert (found.pairs is not None) == pairs


def test_a_file_without_a_header(shared_data):
    found = read_rows(
        shared_data / "lcqmc_demo/train.tsv", header=["sentence1", "sentence2", "label"]
    )
    assert len(found.texts) == 10 and set(found.labels) == {"0", "1"}


def test_intents(shared_data):
    path = shared_data / "clinc150/data_full.json"
    train = read_rows(f"{path}#train+oos_train")
    assert len(train.texts) == 15_100 and len(set(train.labels)) == 151
    assert train.labels.count("oos") == 100
    assert len(read_rows(f"{path}#test+oos_test").texts) == 5_500
    snips = read_rows(shared_data / "snips/train.jsonl", label_column="intent")
    assert len(snips.texts) == 13_784 and len(set(snips.labels)) == 7


def test_similarities(shared_data):
    for name, rows in (("train", 2_198), ("dev", 801), ("test", 625)):
        found = read_rows(
            shared_data / f"stsb/{name}.tsv", label_column="score", read_label=Numbers.read
        )
        scores = np.array(found.labels)
        assert scores.shape == (rows, 1) and scores.min() >= 0 and scores.max() <= 5
        assert scores.std() > 1


def test_what_is_in_train_and_dev(shared_data, tiny_vocabulary):
    """330 rows of dev have a text of train, says the catalogue of rows; 862 texts are new."""
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(tiny_vocabulary), 8)
    folder = shared_data / "chnsenticorp"
    train = kb.data.classification(folder / "train.tsv", preprocess)
    dev = kb.data.classification(folder / "dev.tsv", preprocess, labels=train.labels)
    unseen = kb.data.classification(folder / "dev_unseen.tsv", preprocess, labels=train.labels)
    assert count_shared(train, dev) == 1_200 - 862
    assert count_shared(train, unseen) == 0
    first, second = kb.data.split(folder / "train.tsv", [0.9, 0.1])
    assert len(second) == pytest.approx(960, abs=3)
    assert not {row["text"] for row in first} & {row["text"] for row in second}
    positive = np.mean([row["label"] == "1" for row in second])
    assert positive == pytest.approx(4_799 / 9_600, abs=0.005)


def test_relations(shared_data, tiny_vocabulary):
    preprocess = kb.RelationPreprocessor(kb.BertTokenizer(tiny_vocabulary), 256)
    train = kb.data.relations(shared_data / "semeval2010_task8/train.tsv", preprocess)
    test = kb.data.relations(
        shared_data / "semeval2010_task8/test.tsv", preprocess, labels=train.labels, shuffle=False
    )
    assert (train.num_examples, test.num_examples, len(train.labels)) == (8_000, 2_717, 19)
    assert train.label_counts["Entity-Destination(e2,e1)"] == 1
    assert train.label_counts["Other"] == 1_410
    positions = np.concatenate([inputs["entity_positions"] for inputs, _, _ in test])
    assert (positions[:, 0] < positions[:, 1]).mean() > 0.99


def test_translations_and_titles(shared_data, tiny_vocabulary):
    preprocess = kb.Seq2SeqPreprocessor(kb.BertTokenizer(tiny_vocabulary), 16)
    folder = shared_data / "multi30k"
    pairs = kb.data.seq2seq((folder / "val.en", folder / "val.de"), preprocess, shuffle=False)
    assert pairs.num_examples == len(pairs.targets) == 1_014 and pairs.skipped == 0
    for name, texts in (("val.en", pairs.sources), ("val.de", pairs.targets)):
        assert texts[500] == (folder / name).read_text(encoding="utf-8").split("\n")[500]
    titles = kb.data.seq2seq(shared_data / "csl_title/dev.tsv", preprocess)
    assert titles.num_examples == 1_000
    lengths = [sum(map(len, texts)) for texts in (titles.sources, titles.targets)]
    assert lengths[0] > 5 * lengths[1]  # abstracts are the sources, titles the targets


def test_pairs_and_masks_of_a_corpus(shared_data, tiny_vocabulary):
    """Of 33 lines, which are documents with blank lines between them."""
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    path = str(shared_data / "bert_sample_text/sample_text.txt")
    preprocess = kb.TextClassifierPreprocessor(tokenizer, 64)
    counts = kb.data.next_sentence(path, preprocess).label_counts
    assert min(counts.values()) > 5 and sum(counts.values()) < 33
    masked = kb.data.masked_lm(path, kb.MaskedLMPreprocessor(tokenizer, 64))
    text = (shared_data / "bert_sample_text/sample_text.txt").read_text(encoding="utf-8")
    sentences = [line for line in text.split("\n") if line.strip()]
    assert masked.counts.sentences == len(sentences)
