"""Masking: exact invariants, and its statistics over more than 100,000 tokens."""

import types

import numpy as np
import pytest

from keras_bert.text import masking

VOCABULARY_SIZE = 2_000


@pytest.fixture(scope="module")
def tokenizer():
    """What masking reads of a tokenizer: special ids 0 to 4, unused 5 to 9, every third a piece."""
    return types.SimpleNamespace(
        vocabulary_size=VOCABULARY_SIZE,
        mask_id=4,
        special_ids=(0, 1, 2, 3, 4),
        ordinary_ids=np.arange(10, VOCABULARY_SIZE, dtype=np.int32),
        is_continuation=np.arange(VOCABULARY_SIZE) % 3 == 0,
    )


def make_rows(rows=1_500, sequence=128, seed=0):
    """`[CLS] a [SEP] b [SEP]` with padding, lengths differing from row to row."""
    rng = np.random.default_rng(seed)
    token_ids = rng.integers(10, VOCABULARY_SIZE, (rows, sequence)).astype(np.int32)
    lengths = rng.integers(10, sequence + 1, rows)
    token_ids[:, 0] = 2
    token_ids[np.arange(rows), rng.integers(1, lengths - 1)] = 3
    token_ids[np.arange(rows), lengths - 1] = 3
    token_ids[np.arange(sequence) >= lengths[:, None]] = 0
    return token_ids


@pytest.mark.parametrize("unit", masking.MASKING_UNITS)
def test_slots_hold_what_stood_there(tokenizer, unit):
    before = make_rows()
    given = before.copy()
    after, positions, ids, weights = masking.mask_tokens(
        given, tokenizer, np.random.default_rng(1), unit=unit
    )
    assert (given == before).all()
    assert positions.shape == ids.shape == weights.shape == (1_500, 20)
    assert [a.dtype for a in (after, positions, ids, weights)] == [np.int32] * 3 + [np.float32]
    used = weights == 1
    assert ((weights == 0) | used).all()
    assert (positions[~used] == 0).all() and (ids[~used] == 0).all()
    assert (ids == np.where(used, np.take_along_axis(before, positions, 1), 0)).all()
    assert (ids[used] >= 10).all()
    # Used slots come first, and their positions ascend without repeating.
    assert (np.diff(used.astype(int), axis=1) <= 0).all()
    assert (np.diff(positions, axis=1)[used[:, 1:]] > 0).all()
    # Nothing changed elsewhere, special tokens never.
    chosen = np.zeros(before.shape, bool)
    chosen[np.nonzero(used)[0], positions[used]] = True
    assert (after[~chosen] == before[~chosen]).all()
    assert (after[before < 10] == before[before < 10]).all()


@pytest.mark.parametrize("unit", masking.MASKING_UNITS)
def test_rates_and_replacements(tokenizer, unit):
    before = make_rows(4_000)
    after, positions, ids, weights = masking.mask_tokens(
        before, tokenizer, np.random.default_rng(2), unit=unit
    )
    used = weights == 1
    ordinary = (before >= 10).sum(axis=1)
    assert ordinary.sum() > 250_000
    wanted = np.minimum(np.maximum(np.rint(0.15 * ordinary), 1), 20)
    if unit == "token":
        assert (used.sum(axis=1) == wanted).all()
    else:
        assert (used.sum(axis=1) <= wanted).all()
        assert used.sum() > 0.97 * wanted.sum()
    shown = np.take_along_axis(after, positions, 1)[used]
    masked, kept = shown == 4, shown == ids[used]
    assert masked.mean() == pytest.approx(0.8, abs=0.01)
    assert kept.mean() == pytest.approx(0.1, abs=0.01)
    replaced = shown[~masked & ~kept]
    assert len(replaced) / len(shown) == pytest.approx(0.1, abs=0.01)
    # Replacements are uniform over the ordinary tokens: each tenth of these has a tenth.
    tenths = np.histogram(replaced, np.linspace(10, VOCABULARY_SIZE, 11))[0] / len(replaced)
    np.testing.assert_allclose(tenths, 0.1, atol=0.025)
    assert replaced.min() >= 10


def test_every_place_is_chosen_equally_often(tokenizer):
    rows = np.full((6_000, 34), 100, np.int32)
    rows[:, 0], rows[:, -1] = 2, 3
    _, positions, _, weights = masking.mask_tokens(rows, tokenizer, np.random.default_rng(3))
    counts = np.bincount(positions[weights == 1], minlength=34)
    assert counts[0] == counts[33] == 0
    assert weights.sum() == 6_000 * 5
    # Binomial, 6,000 times 5 of 32: standard deviation 28.
    assert np.abs(counts[1:33] - 6_000 * 5 / 32).max() < 4.5 * 28


@pytest.mark.parametrize("unit", ["whole_word", "span"])
def test_words_are_chosen_as_a_whole(tokenizer, unit):
    before = make_rows(600)
    _, positions, _, weights = masking.mask_tokens(
        before, tokenizer, np.random.default_rng(4), unit=unit
    )
    chosen = np.zeros(before.shape, bool)
    row, slot = np.nonzero(weights)
    chosen[row, positions[row, slot]] = True
    seen_long = 0
    for ids, flags in zip(before, chosen, strict=True):
        for place in range(1, len(ids)):
            same_word = ids[place] >= 10 and ids[place] % 3 == 0 and ids[place - 1] >= 10
            if same_word:
                assert flags[place] == flags[place - 1]
                seen_long += flags[place]
    assert seen_long > 500


def test_word_boundaries_may_be_given(tokenizer):
    before = np.full((200, 22), 100, np.int32)
    before[:, 0], before[:, -1] = 2, 3
    continues = np.zeros(before.shape, bool)
    continues[:, 2::2] = True  # words of two tokens: 1-2, 3-4, ...
    _, positions, _, weights = masking.mask_tokens(
        before,
        tokenizer,
        np.random.default_rng(0),
        unit="whole_word",
        mask_selection_rate=0.2,
        continues_word=continues,
    )
    assert (weights.sum(axis=1) == 4).all()
    assert (positions[:, [0, 2]] % 2 == 1).all()
    assert (positions[:, [1, 3]] == positions[:, [0, 2]] + 1).all()


def test_a_word_over_the_count_is_passed_over(tokenizer):
    before = np.array([[2, 10, 11, 12, 15, 18, 21, 3]], np.int32)  # one word of 1, one of 5
    for seed in range(20):
        _, positions, _, weights = masking.mask_tokens(
            before,
            tokenizer,
            np.random.default_rng(seed),
            unit="whole_word",
            mask_selection_rate=0.34,
            mask_selection_length=5,
        )
        assert positions[weights == 1].tolist() == [1]


def test_span_lengths_are_geometric_and_share_one_fate(tokenizer):
    # Long rows with room for one span of any length: the first span of a row is never cut.
    before = np.full((20_000, 402), 100, np.int32)
    before[:, 0], before[:, -1] = 2, 3
    before[:, 200] = 3
    after, positions, _, weights = masking.mask_tokens(
        before,
        tokenizer,
        np.random.default_rng(5),
        unit="span",
        mask_selection_rate=10 / 399,
        mask_selection_length=10,
    )
    assert (weights == 1).all()
    # Runs of neighbours; two spans touch seldom in 399 places.
    breaks = np.diff(positions, axis=1) > 1
    runs = np.split(
        np.arange(positions.size),
        np.flatnonzero(np.concatenate([breaks, np.ones((len(breaks), 1), bool)], axis=1).ravel())
        + 1,
    )[:-1]
    shown = np.take_along_axis(after, positions, 1).ravel()
    is_mask = shown == 4
    mixed = [run for run in runs if is_mask[run].any() and not is_mask[run].all()]
    assert len(mixed) < 0.05 * len(runs)
    # A run of ten is one span of ten with the whole room: SpanBERT's share of such anchors.
    share = 0.2 * 0.8 ** np.arange(10)
    share /= share.sum()
    tens = np.mean([len(run) == 10 for run in runs if len(run)]) * len(runs) / len(before)
    # First spans of 10, and first spans of 1..9 whose rest happens to touch (few).
    assert share[9] * 0.9 < tens < share[9] + 0.05
    # No span crosses the [SEP] at 200, and both sides are used.
    assert not (positions == 200).any()
    assert 0.4 < (positions < 200).mean() < 0.6


def test_rows_with_little_or_nothing_to_mask(tokenizer):
    rows = np.array([[2, 3, 3, 0, 0], [2, 50, 3, 3, 0], [2, 1, 3, 3, 0]], np.int32)
    for unit in masking.MASKING_UNITS:
        after, positions, _, weights = masking.mask_tokens(
            rows, tokenizer, np.random.default_rng(0), unit=unit, mask_selection_length=7
        )
        assert weights.sum(axis=1).tolist() == [0, 1, 0]
        assert positions[1, 0] == 1
        assert (after[[0, 2]] == rows[[0, 2]]).all()
        assert positions.shape == (3, 7)


def test_default_number_of_slots():
    assert masking.default_selection_length(0.15, 128) == 20
    assert masking.default_selection_length(0.15, 512) == 77


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "letter"}, "letter.*token, whole_word, span"),
        ({"mask_selection_rate": 0.0}, "mask_selection_rate is 0.0"),
        ({"mask_token_rate": 0.95}, "0.95.*0.1"),
        ({"random_token_rate": -0.1}, "-0.1"),
    ],
)
def test_settings_that_make_no_sense(tokenizer, settings, message):
    with pytest.raises(ValueError, match=message):
        masking.mask_tokens(make_rows(2), tokenizer, np.random.default_rng(0), **settings)
