"""Mixtures: each source has its share, and all of it comes before any of it comes again."""

import collections

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.blocks import read_block
from keras_bert.data.corpus import open_corpus
from keras_bert.data.deal import Deal

SIZES = {"a": 20_000, "b": 40_000, "c": 3_000}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files whose every token is the name of their file, in documents of about 200 bytes."""
    folder = tmp_path_factory.mktemp("mixture")
    for name, size in SIZES.items():
        document = (f"{name} " * 10 + "\n") * 10 + "\n"
        (folder / f"{name}.txt").write_text(document * (size // len(document)))
    return folder


@pytest.fixture(scope="module")
def tokenizer():
    return kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])


def weights(folder, **shares):
    return {str(folder / f"{name}.txt"): weight for name, weight in shares.items()}


def windows_of_epochs(deal, epochs):
    return [
        np.concatenate(
            [
                deal.windows(epoch, lane, block)
                for lane in range(deal.lanes)
                for block in range(deal.num_blocks)
            ]
        )
        for epoch in range(epochs)
    ]


@pytest.mark.parametrize("lanes", [1, 3])
def test_shares_of_windows(folder, lanes):
    corpus = open_corpus(weights(folder, a=1, b=1, c=2), 500)
    deal = Deal(corpus, 8_000, lanes, seed=0)
    total = sum(SIZES.values())
    epochs = windows_of_epochs(deal, 40)
    for windows in epochs:
        text = corpus.window_sizes()[windows].sum()
        assert text == pytest.approx(total, rel=0.02)
    firsts = [source.first for source in corpus.sources] + [corpus.num_windows]
    for source, share in enumerate([1 / 4, 1 / 4, 1 / 2]):
        numbers = range(firsts[source], firsts[source + 1])
        own = [windows[np.isin(windows, numbers)] for windows in epochs]
        assert {len(windows) for windows in own} == {corpus.sources[source].per_epoch}
        assert len(own[0]) * 500 / total == pytest.approx(share, rel=0.05)
        # At every end of an epoch no window has come twice more than another.
        seen = collections.Counter()
        for windows in own:
            seen.update(windows.tolist())
            counts = [seen[number] for number in numbers]
            assert max(counts) - min(counts) <= 1
    # Other windows of a source each epoch, in an order of their own.
    assert epochs[0].tolist() != epochs[1].tolist()


def test_a_single_corpus_is_read_once_an_epoch(folder):
    corpus = open_corpus(folder / "*.txt", 500)
    one = windows_of_epochs(Deal(corpus, 8_000, 4, seed=0), 3)
    for windows in one:
        assert sorted(windows.tolist()) == list(range(corpus.num_windows))
    assert one[0].tolist() != one[1].tolist()
    assert one[0].tolist() != windows_of_epochs(Deal(corpus, 8_000, 4, seed=1), 1)[0].tolist()


def test_blocks_of_an_epoch_have_as_much_text(folder):
    corpus = open_corpus(weights(folder, a=1, b=5, c=1), 500)
    deal = Deal(corpus, 16_000, 4, seed=0)
    sizes = corpus.window_sizes()
    found = [
        sizes[deal.windows(3, lane, block)].sum()
        for lane in range(4)
        for block in range(deal.num_blocks)
    ]
    assert len(found) == 16 and np.ptp(found) <= 1_000


def test_tokens_in_the_batches_have_the_shares(folder, tokenizer):
    stream = kb.data.PretrainingStream(
        weights(folder, a=3, b=1, c=1),
        tokenizer,
        sequence_length=64,
        batch_size=8,
        window_bytes=500,
        block_windows=16,
        lanes=2,
        epochs=6,
        pairs="none",
    )
    seen = np.zeros(8)
    for inputs, labels, sample_weights in stream.batches():
        ids = inputs["token_ids"].copy()
        row, slot = np.nonzero(sample_weights["masked_lm"])
        ids[row, inputs["mask_positions"][row, slot]] = labels["masked_lm"][row, slot]
        seen += np.bincount(ids.ravel(), minlength=8)
    np.testing.assert_allclose(seen[5:] / seen[5:].sum(), [0.6, 0.2, 0.2], atol=0.01)


def test_files_of_an_entry_and_of_several(folder):
    files = {(str(folder / "a.txt"), folder / "b.txt"): 1, folder / "c*": 0.5}
    corpus = open_corpus(files, 500)
    assert [path[-5:] for path in corpus.paths] == ["a.txt", "b.txt", "c.txt"]
    windows = [corpus.read(number) for number in range(corpus.num_windows)]
    assert [window.data[:1] for window in windows] == [b"abc"[w.file : w.file + 1] for w in windows]
    assert {window.file for window in windows} == {0, 1, 2}


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), "1", None, True])
def test_weights_that_are_none(folder, weight):
    with pytest.raises(ValueError, match=r"weight of .*b\.txt.* greater than 0"):
        open_corpus(weights(folder, a=1, b=weight), 500)


def test_entries_that_cannot_be(folder, tokenizer):
    with pytest.raises(ValueError, match="at least one entry"):
        open_corpus({}, 500)
    with pytest.raises(ValueError, match=r"a\.txt has 2 weights"):
        open_corpus({folder / "a.txt": 1, str(folder / "*.txt"): 1}, 500)
    with pytest.raises(FileNotFoundError, match=r"no\.txt"):
        kb.data.pretraining({folder / "a.txt": 1, folder / "no.txt": 1}, tokenizer)


def test_copies_of_a_window_are_no_random_partners(tmp_path, tokenizer):
    """Two windows of three documents each, six times: the copies are one document."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = kb.BertTokenizer(special + [f"w{number}" for number in range(600)] + ["f"])
    lines = [" ".join(f"w{10 * line + n}" for n in range(10)) for line in range(60)]
    documents = ["\n".join(lines[n : n + 10]) + "\n\n" for n in range(0, 60, 10)]
    (tmp_path / "a.txt").write_text("".join(documents))
    corpus = open_corpus(tmp_path / "a.txt", len("".join(documents)) // 2 + 50)
    assert corpus.num_windows == 2
    once = read_block(corpus, np.array([0, 1]), tokenizer, "sentences")
    block = read_block(corpus, np.array([1, 0, 1, 0, 0]), tokenizer, "sentences")
    assert (np.diff(block.documents) >= 0).all() and len(np.unique(block.documents)) == 6
    assert block.counts.tokens == 3 * 400 + 2 * 200 or block.counts.tokens == 3 * 300 + 2 * 300
    for document in range(6):
        tokens = [
            block.tokens[block.offsets[begin] : block.offsets[end]].tolist()
            for begin, end, number in zip(
                block.parts[:-1], block.parts[1:], block.documents, strict=True
            )
            if number == document
        ]
        begin, end = once.offsets[once.parts[document : document + 2]]
        assert len(tokens) in (2, 3)
        assert all(copy == once.tokens[begin:end].tolist() for copy in tokens)

    stream = kb.data.PretrainingStream(
        {tmp_path / "a.txt": 50, _filler(tmp_path): 1},
        tokenizer,
        sequence_length=32,
        batch_size=4,
        window_bytes=corpus.window_bytes,
        epochs=1,
    )
    assert stream.corpus.sources[0].per_epoch > 4
    random = 0
    for inputs, labels, _ in stream.batches():
        ids, segments = inputs["token_ids"], inputs["segment_ids"]
        for row in np.flatnonzero(labels["next_sentence"] == 1):
            first, second = (
                {(token - 5) // 100 for token in ids[row][segments[row] == n] if token >= 5}
                for n in (0, 1)
            )
            # A tenth of the masks reads another token: most of a segment says where it is from.
            if len(first) == len(second) == 1 and first != {6}:
                assert first != second
                random += 1
    assert random > 10


def _filler(folder):
    path = folder / "filler.txt"
    path.write_text(("f f\n" * 100 + "\n") * 20)
    return path
