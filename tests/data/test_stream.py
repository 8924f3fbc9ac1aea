"""The stream: what is in its batches, and that a place in it is three numbers and nothing else."""

import gzip
import hashlib
import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.blocks import Counts

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIRST_WORD = 5


class Corpus:
    """Text whose every word occurs once, so that each token says where it comes from."""

    def __init__(self, documents=40, sentences=12):
        rng = np.random.default_rng(0)
        number = itertools.count()
        self.text, self.document, self.sentence = [], [], []
        for document in range(documents):
            for sentence in range(sentences):
                words = [next(number) for _ in range(rng.integers(1, 12))]
                self.text.append(" ".join(f"w{word}" for word in words) + "\n")
                self.document += [document] * len(words)
                self.sentence += [document * sentences + sentence] * len(words)
            self.text.append("\n")
        self.text = "".join(self.text).encode()
        self.document = np.array(self.document)
        self.sentence = np.array(self.sentence)
        self.num_words = len(self.document)


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def tokenizer(corpus):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return kb.BertTokenizer(special + [f"w{number}" for number in range(corpus.num_words)])


@pytest.fixture(scope="module")
def files(corpus, tmp_path_factory):
    """The corpus in two files, cut between documents, one of them gzipped."""
    folder = tmp_path_factory.mktemp("corpus")
    middle = corpus.text.index(b"\n\n", len(corpus.text) // 2) + 2
    (folder / "a.txt").write_bytes(corpus.text[:middle])
    (folder / "b.txt.gz").write_bytes(gzip.compress(corpus.text[middle:]))
    return [str(folder / "*.txt"), str(folder / "*.gz")]


# Small windows and blocks, so that a small corpus has many of both.
SMALL = {
    "sequence_length": 32,
    "batch_size": 7,
    "window_bytes": 600,
    "block_windows": 4,
    "epochs": 2,
}


def flat(element):
    inputs, labels, weights = element
    return {
        **inputs,
        **{f"label {name}": value for name, value in labels.items()},
        **{f"weight {name}": value for name, value in weights.items()},
    }


def collect(stream, batches=None):
    """Batches of a stream as a list of flat dicts."""
    return [flat(element) for element in itertools.islice(stream.batches(), batches)]


def same(first, second):
    return len(first) == len(second) and all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
        for a, b in zip(first, second, strict=True)
    )


def rows_of(batches):
    """Rows with their masks undone: (first segment, second segment, label)."""
    for batch in batches:
        token_ids = batch["token_ids"].copy()
        row, slot = np.nonzero(batch["weight masked_lm"])
        token_ids[row, batch["mask_positions"][row, slot]] = batch["label masked_lm"][row, slot]
        labels = batch.get("label next_sentence", np.zeros(len(token_ids), np.int32))
        for tokens, segments, mask, label in zip(
            token_ids, batch["segment_ids"], batch["padding_mask"], labels, strict=True
        ):
            first = tokens[(segments == 0) & (mask == 1)]
            second = tokens[segments == 1]
            assert first[0] == 2 and first[-1] == 3 and (len(second) == 0 or second[-1] == 3)
            assert (tokens[mask == 0] == 0).all()
            yield first[1:-1] - FIRST_WORD, second[:-1] - FIRST_WORD, int(label)


def test_batches_are_whole_and_of_the_stated_types(files, tokenizer):
    batches = collect(kb.data.PretrainingStream(files, tokenizer, **SMALL))
    assert {len(batch["token_ids"]) for batch in batches[:-1]} == {7}
    assert 1 <= len(batches[-1]["token_ids"]) <= 7
    for name, value in batches[0].items():
        assert value.dtype == (np.float32 if name.startswith("weight") else np.int32), name
    assert batches[0]["mask_positions"].shape == (7, 5)
    # A stream without a last, smaller batch.
    full = collect(kb.data.PretrainingStream(files, tokenizer, drop_remainder=True, **SMALL))
    assert same(full, [batch for batch in batches if len(batch["token_ids"]) == 7])


def test_pairs_in_the_batches(files, tokenizer, corpus):
    stream = kb.data.PretrainingStream(files, tokenizer, **{**SMALL, "epochs": 8})
    labels = []
    for first, second, label in rows_of(collect(stream)):
        words = np.concatenate([first, second])
        assert (words >= 0).all(), "a special token inside of a segment"
        # Each segment is unbroken text of one document.
        assert (np.diff(first) == 1).all() and (np.diff(second) == 1).all()
        assert len({*corpus.document[first]}) == len({*corpus.document[second]}) == 1
        if label:
            assert corpus.document[first[0]] != corpus.document[second[0]]
        else:
            assert corpus.document[first[0]] == corpus.document[second[0]]
            assert second[0] > first[-1]
        labels.append(label)
    assert len(labels) > 800
    assert np.mean(labels) == pytest.approx(0.55, abs=0.08)


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_lost_or_doubled_without_pairs(files, tokenizer, corpus, workers):
    stream = kb.data.PretrainingStream(
        files, tokenizer, pairs="none", workers=workers, **{**SMALL, "epochs": 1}
    )
    batches = collect(stream)
    assert "label next_sentence" not in batches[0]
    words = np.concatenate([first for first, _, _ in rows_of(batches)])
    words = words[words != 3 - FIRST_WORD]
    assert sorted(words.tolist()) == list(range(corpus.num_words))
    assert stream.counts == Counts(
        documents=40,
        sentences=480,
        tokens=corpus.num_words,
        examples=sum(len(batch["token_ids"]) for batch in batches),
    )


def test_sentence_order_in_the_batches(files, tokenizer, corpus):
    stream = kb.data.PretrainingStream(files, tokenizer, pairs="sop", **SMALL)
    labels = []
    for first, second, label in rows_of(collect(stream)):
        assert corpus.document[first[0]] == corpus.document[second[0]]
        assert (first[0] < second[0]) == (label == 0)
        labels.append(label)
    assert np.mean(labels) == pytest.approx(0.5, abs=0.12)


def test_stream_does_not_depend_on_threads(files, tokenizer):
    streams = [kb.data.PretrainingStream(files, tokenizer, workers=n, **SMALL) for n in (1, 2, 5)]
    one, two, five = map(collect, streams)
    assert same(one, two) and same(one, five)
    assert same(one, collect(streams[1])), "a second pass over one stream differs"


def test_same_seed_is_the_same_stream_in_another_process(files, tokenizer):
    def digest(batches):
        # The same lines as in the script below.
        sha = hashlib.sha256()
        for inputs, labels, weights in batches:
            for part in (inputs, labels, weights):
                for name in sorted(part):
                    sha.update(part[name].tobytes())
        return sha.hexdigest()

    script = f"""
import hashlib, json, sys
import keras_bert as kb
tokenizer = kb.BertTokenizer(json.loads(sys.stdin.read()))
stream = kb.data.PretrainingStream({files!r}, tokenizer, seed=5, **{SMALL!r})
sha = hashlib.sha256()
for inputs, labels, weights in stream.batches():
    for part in (inputs, labels, weights):
        for name in sorted(part):
            sha.update(part[name].tobytes())
print(sha.hexdigest())
"""
    fresh = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(tokenizer.vocabulary),
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    here = kb.data.PretrainingStream(files, tokenizer, seed=5, **SMALL)
    assert fresh.stdout.split()[-1] == digest(here.batches())
    other = kb.data.PretrainingStream(files, tokenizer, seed=6, **SMALL)
    assert digest(other.batches()) != digest(here.batches())


def test_epochs_draw_order_pairs_and_masks_anew(files, tokenizer, corpus):
    settings = {**SMALL, "epochs": 1, "pairs": "none", "window_bytes": 100_000}
    first = collect(kb.data.PretrainingStream(files, tokenizer, **settings))
    second = collect(kb.data.PretrainingStream(files, tokenizer, **{**settings, "epochs": 2}))
    second = second[len(first) :]

    def masked_places(batches):
        """Words that were masked, by the sentence-packed row they stand in."""
        return {
            tuple(tokens): set(batch["mask_positions"][row][batch["weight masked_lm"][row] > 0])
            for batch in batches
            for row, (tokens, _, _) in enumerate(rows_of([batch]))
        }

    before, after = masked_places(first), masked_places(second)
    # Without pairs and with one block the rows are the same, in another order, other masks.
    both = before.keys() & after.keys()
    assert len(both) > 0.8 * len(before)
    assert np.mean([before[row] == after[row] for row in both]) < 0.2
    assert list(before) != list(after)


def test_every_group_of_every_block_draws_its_own_masks(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_bert.data.examples._GROUP", 16)
    # Lines that fill whole rows: without differing lengths, equal draws give equal positions.
    line = " ".join(["w1"] * 126 * 4) + "\n"
    (tmp_path / "a.txt").write_text(line * 60)
    stream = kb.data.PretrainingStream(
        tmp_path / "a.txt",
        tokenizer,
        pairs="none",
        epochs=2,
        window_bytes=20 * len(line),
        block_windows=1,
    )
    batches = collect(stream)
    full = [batch["mask_positions"][batch["padding_mask"].all(axis=1)] for batch in batches]
    full = np.concatenate(full)
    assert len(full) > 400
    assert len(np.unique(full, axis=0)) == len(full)


@pytest.mark.parametrize("pairs", ["nsp", "none"])
@pytest.mark.parametrize("small_groups", [True, False])
def test_starting_in_the_middle_goes_on_bit_for_bit(
    files, tokenizer, pairs, small_groups, monkeypatch
):
    if small_groups:
        monkeypatch.setattr("keras_bert.data.examples._GROUP", 8)
    settings = {**SMALL, "pairs": pairs, "seed": 3}
    whole = kb.data.PretrainingStream(files, tokenizer, **settings)
    batches = collect(whole)
    assert len(batches) > 30
    places = [whole.position_after(number) for number in range(len(batches))]
    assert len({place.places[0][:2] for place in places}) > 10, "too few blocks for this test"
    assert {place.epoch for place in places} == {0, 1}
    for number in [0, 1, 2, 9, 17, len(batches) // 2, len(batches) - 1]:
        forms = [
            number,
            places[number],
            places[number].plain(),
            list(places[number].places[0]),
            json.loads(json.dumps(places[number])),
            json.loads(json.dumps(places[number]._asdict())),
        ]
        for start in forms:
            stream = kb.data.PretrainingStream(files, tokenizer, start=start, **settings)
            assert same(collect(stream), batches[number:]), (number, start)
            if number < len(batches) - 2:
                # Places go on too: a run may be stopped again and again.
                assert stream.position_after(2) == places[number + 2]


def test_positions_of_a_stream(files, tokenizer):
    stream = kb.data.PretrainingStream(files, tokenizer, **SMALL)
    assert stream.start == stream.position_after(0) == kb.data.Position.of((0, 0, 0))
    with pytest.raises(ValueError, match=r"position_after\(1\).*0 batches of 7"):
        stream.position_after(1)
    batches = collect(stream)
    assert stream.position_after(1) == kb.data.Position.of((0, 0, 7))
    assert stream.position_after(len(batches)) == kb.data.Position.of((2, 0, 0))
    assert stream.counts.examples == sum(len(batch["token_ids"]) for batch in batches)
    for batches in (-1, -(10**6)):
        with pytest.raises(ValueError, match="position_after"):
            stream.position_after(batches)
    end = stream.position_after(len(collect(stream)))
    for after_the_end, epoch in ((10_000, 2), (end, 2), ((7, 0, 0), 7)):
        with pytest.raises(ValueError, match=rf"lies in epoch {epoch}.* epochs=2 ends before"):
            kb.data.PretrainingStream(files, tokenizer, start=after_the_end, **SMALL)


def test_dataset_gives_the_batches_of_the_stream(files, tokenizer):
    dataset = kb.data.pretraining(files, tokenizer, **SMALL)
    expected = collect(kb.data.PretrainingStream(files, tokenizer, **SMALL))
    assert same([flat(element) for element in dataset.as_numpy_iterator()], expected)
    assert dataset.stream.position_after(len(expected)).plain() == [[2, 0, 0]]
    inputs, labels, weights = dataset.element_spec
    assert inputs["token_ids"].shape == (None, 32)
    assert labels.keys() == weights.keys() == {"masked_lm", "next_sentence"}
    endless = kb.data.pretraining(files, tokenizer, **{**SMALL, "epochs": None})
    assert endless.cardinality() == -1
    assert endless.element_spec[0]["token_ids"].shape == (7, 32)
    elements = endless.take(3 * len(expected)).as_numpy_iterator()
    assert same([flat(element) for element in elements][: len(expected) - 1], expected[:-1])


def test_blocks_of_many_small_files_are_pooled(tokenizer, corpus, tmp_path):
    """Blocks are measured in bytes: small files do not make small blocks."""
    for number, document in enumerate(corpus.text.split(b"\n\n")):
        (tmp_path / f"{number:02}.txt").write_bytes(document)
    settings = {**SMALL, "window_bytes": 6_000, "epochs": 1}
    stream = kb.data.PretrainingStream(tmp_path / "*.txt", tokenizer, **settings)
    assert stream.corpus.num_windows == 40
    rows = list(rows_of(collect(stream)))
    assert stream.counts.documents == 40
    assert stream.counts.unpaired == 0
    drawn = {corpus.document[second[0]] for _, second, label in rows if label}
    assert len(drawn) > 15


def test_halves_of_a_document_are_one_document(tokenizer, corpus, tmp_path):
    """Two documents, each far longer than a window: a half is never the other's random segment."""
    lines = corpus.text.replace(b"\n\n", b"\n").splitlines(keepends=True)
    middle = len(lines) // 2
    (tmp_path / "a.txt").write_bytes(b"".join([*lines[:middle], b"\n", *lines[middle:]]))
    border = len(b"".join(lines[:middle]).split())
    settings = {**SMALL, "block_windows": 8, "epochs": 6}
    stream = kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer, **settings)
    random_pairs = 0
    for first, second, label in rows_of(collect(stream)):
        assert (first[0] < border) == (first[-1] < border)
        if label:
            assert (first[0] < border) != (second[0] < border)
            random_pairs += 1
    assert random_pairs > 60
    # Each of the two is counted once an epoch, though windows of both are in every block.
    assert stream.counts.documents == 12


@pytest.mark.parametrize("masking", ["whole_word", "span"])
def test_other_units_of_masking(files, tokenizer, masking):
    batches = collect(kb.data.PretrainingStream(files, tokenizer, masking=masking, **SMALL))
    masks = sum(batch["weight masked_lm"].sum() for batch in batches)
    ordinary = sum((batch["padding_mask"].sum(axis=1) - 3).sum() for batch in batches)
    assert masks / ordinary == pytest.approx(0.15, abs=0.01)


def test_chinese_words_are_masked_as_a_whole(tmp_path):
    pytest.importorskip("jieba")
    words = ["中国", "人民", "喜欢", "北京", "苹果"]
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(words, 6)) for _ in range(400)]
    (tmp_path / "a.txt").write_text("\n".join(lines[:200]) + "\n\n" + "\n".join(lines[200:]))
    characters = sorted(set("".join(words)))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = kb.BertTokenizer(special + characters)
    settings = {**SMALL, "epochs": 1, "masking": "whole_word", "word_segmenter": "jieba"}
    halves = {5 + characters.index(a): 5 + characters.index(b) for a, b in words}
    checked = 0
    for batch in collect(kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer, **settings)):
        for tokens, positions, ids, weights in zip(
            batch["token_ids"],
            batch["mask_positions"],
            batch["label masked_lm"],
            batch["weight masked_lm"],
            strict=True,
        ):
            chosen = dict(zip(positions[weights > 0], ids[weights > 0], strict=True))
            for position, token in chosen.items():
                after = chosen.get(position + 1, tokens[position + 1])
                # A front half is masked with the other half, unless truncation took that away.
                if token in halves and after == halves[token]:
                    assert position + 1 in chosen
                    checked += 1
    assert checked > 100


def test_prose_is_read_as_running_text(tokenizer, corpus, tmp_path):
    paragraphs = []
    for document in corpus.text.decode().split("\n\n")[:10]:
        sentences = [f"W{line[1:]}." for line in document.splitlines() if line]
        paragraphs.append(" ".join(sentences))
    (tmp_path / "a.txt").write_text("\n\n".join(paragraphs))
    settings = {**SMALL, "epochs": 1, "format": "prose", "window_bytes": 10_000}
    stream = kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer, **settings)
    collect(stream)
    assert stream.counts.documents == 10
    assert stream.counts.sentences == 120


@pytest.mark.parametrize("settings", [{}, {"pairs": "none"}, {"sequence_length": 512}])
def test_real_text_reaches_its_statistics(shared_data, settings):
    path = shared_data / "gutenberg_en" / "corpus.txt"
    text = path.read_text(encoding="utf-8")
    vocabulary = kb.text.train_vocabulary([str(path)], size=3_000)
    tokenizer = kb.BertTokenizer(vocabulary)
    stream = kb.data.PretrainingStream(path, tokenizer, epochs=1, **settings)
    batches = collect(stream)
    assert stream.counts.documents == 515
    assert stream.counts.sentences == sum(1 for line in text.split("\n") if line.strip())
    assert stream.counts.invalid_lines == stream.counts.long_lines == stream.counts.skipped == 0
    masks = np.concatenate([batch["weight masked_lm"] for batch in batches])
    real = np.concatenate([batch["padding_mask"] for batch in batches])
    assert real.sum() > 1_000_000
    assert masks.sum() / real.sum() == pytest.approx(0.147, abs=0.005)
    if "pairs" not in settings:
        labels = np.concatenate([batch["label next_sentence"] for batch in batches])
        # Half of them, and those single sentences that fill an example.
        assert labels.mean() == pytest.approx(0.52, abs=0.02)
