"""Lanes: one order of the data, however many read it, from wherever they begin."""

import collections
import itertools
import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.blocks import Counts, sum_counts
from keras_bert.data.lane import Lane
from keras_bert.data.position import Place
from keras_bert.data.settings import choose_lanes

FIRST_WORD = 5
DOCUMENTS, WORDS = 150, 40

SETTINGS = {
    "sequence_length": 16,
    "batch_size": 24,
    "lanes": 4,
    "window_bytes": 400,
    "block_windows": 16,
    "pairs": "none",
    "epochs": 2,
    "seed": 3,
}


@pytest.fixture(scope="module")
def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return kb.BertTokenizer(special + [f"w{number}" for number in range(DOCUMENTS * WORDS)])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Text whose every word occurs once."""
    path = tmp_path_factory.mktemp("lanes") / "a.txt"
    numbers = iter(range(DOCUMENTS * WORDS))
    lines = [
        " ".join(f"w{next(numbers)}" for _ in range(8)) + "\n" + "\n" * (line % (WORDS // 8) == 4)
        for line in range(DOCUMENTS * WORDS // 8)
    ]
    path.write_text("".join(lines))
    return path


def flat(element):
    names = ("inputs", "labels", "weights")
    return {
        f"{kind} {name}": array
        for kind, part in zip(names, element, strict=True)
        for name, array in part.items()
    }


def collect(stream, *shard):
    return [flat(element) for element in stream.batches(*shard)]


def joined(shards):
    """The batches of all readers, put together in the order of the readers."""
    return [
        {
            name: np.concatenate([batch[name] for batch in batches if batch is not None])
            for name in next(filter(None, batches))
        }
        for batches in itertools.zip_longest(*shards)
    ]


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def words_of(batches):
    """Every word in the batches, the masks undone."""
    found = []
    for batch in batches:
        ids = batch["inputs token_ids"].copy()
        row, slot = np.nonzero(batch["weights masked_lm"])
        place = batch["inputs mask_positions"][row, slot]
        ids[row, place] = batch["labels masked_lm"][row, slot]
        found += ids[ids >= FIRST_WORD].tolist()
    return collections.Counter(found)


@pytest.fixture(scope="module")
def whole(path, tokenizer):
    """All batches, and the stream that made them."""
    stream = kb.data.PretrainingStream(path, tokenizer, **SETTINGS)
    return collect(stream), stream


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("num_shards", [1, 2, 3, 4, 8, 24])
def test_readers_share_the_same_batches(path, tokenizer, whole, num_shards, workers):
    streams = [
        kb.data.PretrainingStream(path, tokenizer, workers=workers, **SETTINGS)
        for _ in range(num_shards)
    ]
    shards = [collect(stream, n, num_shards) for n, stream in enumerate(streams)]
    rows = {len(batch["inputs token_ids"]) for shard in shards for batch in shard[:20]}
    assert rows == {24 // num_shards}
    assert_same(joined(shards), whole[0])
    # Each lane is counted by one reader, and all places are known to one or another.
    assert sum_counts(stream.counts for stream in streams) == whole[1].counts
    for number in (0, 1, 5, len(whole[0]) - 6):
        places = [stream.places_after(number) for stream in streams]
        assert kb.data.Position.of(np.max(places, axis=0)) == whole[1].position_after(number)


def test_every_word_comes_once_an_epoch(whole):
    batches, stream = whole
    assert words_of(batches) == dict.fromkeys(range(5, 5 + DOCUMENTS * WORDS), 2)
    assert stream.counts.documents == 2 * DOCUMENTS
    for epoch in (0, 1):
        counts = stream.epoch_counts[epoch]
        assert (counts.documents, counts.tokens) == (DOCUMENTS, DOCUMENTS * WORDS)
    assert sum_counts(stream.epoch_counts.values()) == stream.counts


def test_lanes_end_on_their_own_and_batches_get_thinner(whole):
    rows = [len(batch["inputs token_ids"]) for batch in whole[0]]
    assert rows == sorted(rows, reverse=True) and rows[0] == 24
    assert sum(rows) == whole[1].counts.examples
    assert whole[1].position_after(len(rows)).plain() == [[2, 0, 0]] * 4


def test_the_lanes_of_a_batch_are_its_rows_in_order(path, tokenizer, whole):
    """A lane's rows of all batches, one after the other, are its blocks."""
    blocks = whole[1]._maker
    for lane in (0, 3):
        rows = [batch["inputs token_ids"][6 * lane : 6 * lane + 6] for batch in whole[0][:20]]
        made = [blocks.make(0, lane, block)[0]["token_ids"] for block in range(6)]
        np.testing.assert_array_equal(np.concatenate(rows), np.concatenate(made)[:120])


@pytest.mark.parametrize("pairs", ["none", "nsp"])
def test_going_on_with_another_number_of_readers(path, tokenizer, pairs):
    settings = {**SETTINGS, "pairs": pairs}
    whole = kb.data.PretrainingStream(path, tokenizer, **settings)
    batches = collect(whole)
    readers = itertools.cycle([2, 4, 1, 3])
    for number in (1, 7, len(batches) // 2, len(batches) - 10):
        start = json.loads(json.dumps(whole.position_after(number).plain()))
        n = next(readers)
        shards = [
            collect(kb.data.PretrainingStream(path, tokenizer, start=start, **settings), shard, n)
            for shard in range(n)
        ]
        assert_same(joined(shards), batches[number:])
    # A number of batches leads to the same places.
    other = kb.data.PretrainingStream(path, tokenizer, start=number, **settings)
    assert other.start == whole.position_after(number)


def test_a_kill_now_and_then_loses_and_doubles_nothing(path, tokenizer):
    settings = {**SETTINGS, "epochs": 1}
    start, batches = None, []
    for readers, steps in [(2, 3), (4, 9), (1, 1), (3, 12), (8, 10_000)]:
        streams = [
            kb.data.PretrainingStream(path, tokenizer, start=start, **settings)
            for _ in range(readers)
        ]
        shards = [collect(stream, n, readers) for n, stream in enumerate(streams)]
        batches += [batch for shard in shards for batch in shard[:steps]]
        if steps < 10_000:
            start = np.max([stream.places_after(steps) for stream in streams], axis=0)
    assert words_of(batches) == dict.fromkeys(range(5, 5 + DOCUMENTS * WORDS), 1)


def test_a_reader_reads_its_own_lanes_alone(path, tokenizer, monkeypatch):
    read = collections.Counter()
    settings = {**SETTINGS, "epochs": 1}
    stream = kb.data.PretrainingStream(path, tokenizer, **settings)
    shares = []
    for shard in range(4):
        read.clear()
        original = stream.corpus.read
        with monkeypatch.context() as patch:
            patch.setattr(stream.corpus, "read", lambda n: read.update([n]) or original(n))  # noqa: B023
            assert len(collect(stream, shard, 4)) > 5
        shares.append(dict(read))
    windows = stream.corpus.num_windows
    assert sorted(itertools.chain(*shares)) == list(range(windows)), "read twice or never"
    assert {n for share in shares for n in share.values()} == {1}
    sizes = stream.corpus.window_sizes()
    shares = [sizes[list(share)].sum() / sizes.sum() for share in shares]
    np.testing.assert_allclose(shares, 0.25, atol=0.03)


def test_places_of_some_lanes(path, tokenizer):
    stream = kb.data.PretrainingStream(path, tokenizer, **SETTINGS)
    assert stream.places_after(0).tolist() == stream.position_after(0).plain() == [[0, 0, 0]] * 4
    for _ in zip(stream.batches(1, 4), range(3), strict=False):
        pass
    places = stream.places_after(2)
    assert places.dtype == np.int64 and places[[0, 2, 3]].tolist() == [[-1] * 3] * 3
    assert places[1].tolist() == [0, 0, 12]
    with pytest.raises(ValueError, match=r"not read lanes \[0, 2, 3\] of 4"):
        stream.position_after(2)


@pytest.mark.parametrize(
    ("shard", "num_shards", "message"),
    [
        (0, 5, "num_shards=5 does not divide batch_size=24"),
        (2, 2, "shard is 2; expected 0 to 1"),
        (-1, 2, "shard is -1"),
        (0, 0, "num_shards is 0"),
    ],
)
def test_readers_that_cannot_share(path, tokenizer, shard, num_shards, message):
    stream = kb.data.PretrainingStream(path, tokenizer, **SETTINGS)
    for read in (stream.batches, stream.dataset):
        with pytest.raises(ValueError, match=message):
            read(shard, num_shards)


def test_dataset_in_parts(path, tokenizer, whole):
    stream = kb.data.PretrainingStream(path, tokenizer, **SETTINGS)
    parts = [flat(element) for element in stream.dataset(1, 2, parts=3).as_numpy_iterator()]
    expected = collect(kb.data.PretrainingStream(path, tokenizer, **SETTINGS), 1, 2)
    assert len(parts) == 3 * len(expected)
    assert_same(joined([parts[part::3] for part in range(3)]), expected)
    full = sum(len(batch["inputs token_ids"]) == 12 for batch in expected)
    sizes = [len(part["inputs token_ids"]) for part in parts]
    assert sizes[: 3 * full] == [4] * (3 * full)
    assert all(max(sizes[n : n + 3]) - min(sizes[n : n + 3]) <= 1 for n in range(0, len(sizes), 3))
    endless = kb.data.PretrainingStream(path, tokenizer, **{**SETTINGS, "epochs": None})
    assert endless.dataset(1, 2, parts=3).element_spec[0]["token_ids"].shape == (4, 16)
    with pytest.raises(ValueError, match=r"parts=5 .* 12 rows .*num_shards=2 .*batch_size=24"):
        stream.dataset(0, 2, parts=5)


def test_no_remainder(path, tokenizer, whole):
    stream = kb.data.PretrainingStream(path, tokenizer, drop_remainder=True, **SETTINGS)
    full = [batch for batch in whole[0] if len(batch["inputs token_ids"]) == 24]
    assert_same(collect(stream), full)


def lane():
    def complain():
        raise ValueError("no")

    return Lane(0, 10, Place(0, 0, 0), 5, None, 3, complain)


def test_memory_of_a_lane_is_bounded():
    """A million batches: what is remembered is what the last ten thousand need."""
    one = lane()
    for number, place in zip(range(200_000), one.places(), strict=False):
        one.record(number, place, Counts(examples=50, documents=1))
    assert one.counts.documents == 200_000
    assert len(one._ends) == len(one._places) < 2 * 10_000 * 10 / 50 + 10
    assert len(one.epoch_counts) == 1_000 and max(one.epoch_counts) == 39_999
    # 5 batches a block and 25 an epoch.
    for batches in (1_000_000, 999_999, 990_002):
        epoch, rest = divmod(batches, 25)
        assert one.place_after(batches) == (epoch, rest // 5, rest % 5 * 10)
    assert one.place_after(0) == (0, 0, 0)
    assert one.place_after(1_000_001) is None
    with pytest.raises(ValueError, match=r"position_after\(3\).*last 10,000 batches"):
        one.place_after(3)


def test_a_place_does_not_depend_on_how_far_was_read():
    """At the end of a block the place is the next one, though it will prove empty."""
    one = lane()
    one.record(0, Place(0, 0, 0), Counts(examples=20))
    before = one.place_after(2)
    one.record(1, Place(0, 1, 0), Counts())
    one.record(2, Place(0, 2, 0), Counts(examples=5))
    one.record(2, Place(0, 2, 0), Counts(examples=5))
    assert before == one.place_after(2) == (0, 1, 0)
    assert one.place_after(3) is None
    one.record(3, Place(0, 3, 0), Counts(examples=15))
    assert one.place_after(3) == (0, 3, 5)
    assert one.place_after(4) == (0, 4, 0)


def test_a_lane_without_examples_complains():
    one = lane()
    one.record(0, Place(0, 0, 0), Counts())
    one.record(1, Place(0, 1, 0), Counts(examples=1))
    one.record(2, Place(0, 2, 0), Counts())
    one.record(3, Place(0, 3, 0), Counts())
    with pytest.raises(ValueError, match="no"):
        one.record(4, Place(0, 4, 0), Counts())


@pytest.mark.parametrize(
    ("batch_size", "num_blocks", "block_windows", "expected"),
    [
        (256, 3, 64, 1),
        (256, 4, 64, 8),
        (36, 100, 64, 4),
        (6, 100, 64, 2),
        (7, 100, 64, 1),
        (256, 100, 8, 2),
        (256, 100, 4, 1),
        (256, 100, 1, 1),
        (256, 100, 27, 4),
    ],
)
def test_lanes_by_default(batch_size, num_blocks, block_windows, expected):
    assert choose_lanes(None, batch_size, num_blocks, block_windows) == expected
