"""Pair plans against plain loops over token lists, and their statistics over 100,000 tokens."""

import itertools

import numpy as np
import pytest

from keras_bert.text import pairs


def make_text(rng, documents=40, sentences=60, longest=30, parts_of_a_document=1):
    """Tokens numbered from 0 on, so that every token is found again wherever it goes."""
    lengths = rng.integers(1, longest + 1, documents * sentences)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    parts = np.arange(0, documents * sentences + 1, sentences // parts_of_a_document)
    ids = np.repeat(np.arange(documents), parts_of_a_document)
    return offsets, parts, ids


def document_of(tokens, offsets, parts, documents):
    """Document of each token number."""
    sentence = np.searchsorted(offsets, tokens, side="right") - 1
    return documents[np.searchsorted(parts, sentence, side="right") - 1]


def google_pairs(offsets, parts, budget, rng, short_sequence_rate):
    """`create_instances_from_document` on lists of sentences; draws taken as `plan_nsp` does.

    Returns (first, second, label) with lists of tokens before truncation.
    """
    draws = itertools.chain.from_iterable(rng.random((1024, 6)) for _ in itertools.count())
    sentences = [list(range(a, b)) for a, b in itertools.pairwise(offsets)]
    all_documents = [sentences[a:b] for a, b in itertools.pairwise(parts)]
    instances = []
    for index, document in enumerate(all_documents):
        chunk, i, draw = [], 0, None
        while i < len(document):
            if not chunk:
                draw = next(draws)
                target = budget
                if draw[0] < short_sequence_rate:
                    target = range(2, budget + 1)[int(draw[1] * (budget - 1))]
            chunk.append(document[i])
            if i == len(document) - 1 or sum(map(len, chunk)) >= target:
                a_end = 1
                if len(chunk) >= 2:
                    a_end = range(1, len(chunk))[int(draw[2] * (len(chunk) - 1))]
                first, second = list(itertools.chain(*chunk[:a_end])), []
                if len(chunk) == 1 or draw[3] < 0.5:
                    others = [d for d in range(len(all_documents)) if d != index]
                    other = all_documents[others[int(draw[4] * len(others))]]
                    for j in range(int(draw[5] * len(other)), len(other)):
                        second += other[j]
                        if len(second) >= target - len(first):
                            break
                    i -= len(chunk) - a_end
                    instances.append((first, second, 1))
                else:
                    instances.append((first, list(itertools.chain(*chunk[a_end:])), 0))
                chunk = []
            i += 1
    return instances


@pytest.mark.parametrize("longest", [3, 30, 200])
def test_next_sentence_pairs_equal_a_plain_loop_over_the_same_draws(longest):
    offsets, parts, documents = make_text(np.random.default_rng(1), longest=longest)
    expected = google_pairs(offsets, parts, 61, np.random.default_rng(7), 0.1)
    plan = pairs.plan_nsp(offsets, parts, documents, 64, np.random.default_rng(7), 0.1)
    assert len(plan.labels) == len(expected) > 100
    for row, (first, second, label) in enumerate(expected):
        assert plan.labels[row] == label
        kept_first, kept_second = len(first), len(second)
        while kept_first + kept_second > 61:
            if kept_first > kept_second:
                kept_first -= 1
            else:
                kept_second -= 1
        assert plan.first_length[row] == kept_first
        assert plan.second_length[row] == kept_second
        assert first[0] <= plan.first_start[row] <= first[-1] + 1 - kept_first
        assert second[0] <= plan.second_start[row] <= second[-1] + 1 - kept_second
    assert plan.skipped == plan.unpaired == 0


def test_lengths_after_truncation_equal_the_loop():
    for budget, first, second in itertools.product(range(2, 14), range(1, 20), range(1, 20)):
        a, b = first, second
        while a + b > budget:
            if a > b:
                a -= 1
            else:
                b -= 1
        assert pairs.truncated_lengths(np.array([first]), np.array([second]), budget) == (a, b)


def test_statistics_of_next_sentence_pairs():
    # One token a sentence, so that targets and split points can be read from the lengths.
    sentences = 30_000
    offsets = np.arange(20 * sentences + 1)
    parts = np.arange(0, 20 * sentences + 1, sentences)
    plan = pairs.plan_nsp(offsets, parts, np.arange(20), 128, np.random.default_rng(0), 0.1)
    assert plan.first_length.sum() + plan.second_length.sum() > 300_000
    assert plan.labels.mean() == pytest.approx(0.5, abs=0.02)
    length = plan.first_length + plan.second_length
    short = length < 125
    # A target of 125 drawn as a short one cannot be told apart; the ends of documents are few.
    assert short.mean() == pytest.approx(0.1, abs=0.02)
    # Short targets are uniform on 2..124: each quarter of the range has a quarter of them.
    quarters = np.histogram(length[short], [2, 33, 64, 95, 125])[0] / short.sum()
    np.testing.assert_allclose(quarters, 0.25, atol=0.05)
    # The split point is uniform on 1..124 in a full example.
    splits = np.histogram(plan.first_length[~short], [1, 32, 63, 94, 125])[0] / (~short).sum()
    np.testing.assert_allclose(splits, 0.25, atol=0.03)
    assert plan.first_length[~short].min() == 1
    assert plan.first_length[~short].max() == 124


def test_truncation_takes_from_both_ends_alike():
    # Two sentences of 400 tokens in each document: every example loses most of both segments.
    offsets = np.arange(0, 400 * 2_000 + 1, 400)
    parts = np.arange(0, 2_001, 2)
    plan = pairs.plan_nsp(offsets, parts, np.arange(1_000), 128, np.random.default_rng(0), 0.0)
    for start, length in [
        (plan.first_start, plan.first_length),
        (plan.second_start, plan.second_length),
    ]:
        from_front, dropped = start % 400, 400 - length
        assert (from_front / dropped).mean() == pytest.approx(0.5, abs=0.005)
        # Binomial, not always half: a fair coin for each of the 337 or so tokens.
        assert from_front.std() == pytest.approx(np.sqrt(dropped.mean()) / 2, rel=0.15)


def test_random_segments_come_from_another_document_and_real_ones_follow():
    offsets, parts, documents = make_text(
        np.random.default_rng(2), sentences=600, parts_of_a_document=3
    )
    plan = pairs.plan_nsp(offsets, parts, documents, 64, np.random.default_rng(3), 0.1)
    where = (offsets, parts, documents)
    first = document_of(plan.first_start, *where)
    second = document_of(plan.second_start, *where)
    assert (first[plan.labels == 1] != second[plan.labels == 1]).all()
    assert (first[plan.labels == 0] == second[plan.labels == 0]).all()
    # Every other document is drawn about equally often.
    drawn = np.bincount(second[plan.labels == 1], minlength=40)
    assert drawn.min() > 0.4 * drawn.mean()
    # Untruncated real pairs touch.
    whole = plan.first_length + plan.second_length < 61
    real = whole & (plan.labels == 0)
    assert real.sum() > 20
    ends = plan.first_start + plan.first_length
    assert (ends[real] == plan.second_start[real]).all()


def test_unused_sentences_are_given_back():
    """Every sentence stands in a first segment, or in a second one that really follows."""
    offsets, parts, documents = make_text(np.random.default_rng(2), longest=4)
    plan = pairs.plan_nsp(offsets, parts, documents, 512, np.random.default_rng(3), 0.0)
    seen = np.zeros(offsets[-1], int)
    for row in range(len(plan.labels)):
        seen[plan.first_start[row] :][: plan.first_length[row]] += 1
        if plan.labels[row] == 0:
            seen[plan.second_start[row] :][: plan.second_length[row]] += 1
    assert (seen == 1).all()


def test_one_document_gives_real_pairs_only():
    offsets = np.array([0, 5, 11, 90, 100])
    plan = pairs.plan_nsp(offsets, np.array([0, 4]), np.array([3]), 32, np.random.default_rng(0), 0)
    assert plan.labels.tolist() == [0]
    assert (plan.unpaired, plan.skipped) == (1, 1)
    lone = pairs.plan_nsp(
        offsets[:2], np.array([0, 1]), np.array([3]), 32, np.random.default_rng(0)
    )
    assert (len(lone.labels), lone.skipped, lone.unpaired) == (0, 1, 0)


def test_sentence_order_pairs():
    rng = np.random.default_rng(0)
    offsets, parts, documents = make_text(rng, documents=60, longest=12)
    plan = pairs.plan_sop(offsets, parts, 64, np.random.default_rng(1), 0.1)
    assert plan.labels.mean() == pytest.approx(0.5, abs=0.06)
    where = (offsets, parts, documents)
    first = document_of(plan.first_start, *where)
    assert (first == document_of(plan.second_start, *where)).all()
    in_order = plan.first_start < plan.second_start
    assert (in_order == (plan.labels == 0)).all()
    whole = plan.first_length + plan.second_length < 61
    begin = np.minimum(plan.first_start, plan.second_start)
    early = np.where(in_order, plan.first_length, plan.second_length)
    late_start = np.maximum(plan.first_start, plan.second_start)
    assert (begin + early == late_start)[whole].all()
    # Nothing is given back: the segments of all examples together are the text, once.
    assert (np.diff(np.sort(np.concatenate([plan.first_start, plan.second_start]))) > 0).all()


def test_sentence_order_of_a_single_sentence_and_of_a_single_token():
    offsets = np.array([0, 1, 41])
    plan = pairs.plan_sop(offsets, np.array([0, 1, 2]), 64, np.random.default_rng(0), 0.0)
    assert plan.skipped == 1
    assert sorted([plan.first_start[0], plan.second_start[0]])[0] == 1
    assert plan.first_length[0] + plan.second_length[0] == 40
    assert min(plan.first_length[0], plan.second_length[0]) >= 1


@pytest.mark.parametrize("longest", [3, 30, 200])
def test_full_sentences_hold_every_token_once_in_order(longest):
    offsets, parts, _ = make_text(np.random.default_rng(4), longest=longest)
    tokens = np.arange(1_000, 1_000 + offsets[-1], dtype=np.int32)
    separated, plan = pairs.plan_full_sentences(tokens, offsets, parts, 64, sep_id=3)
    rows = [
        separated[start : start + length].tolist()
        for start, length in zip(plan.first_start, plan.first_length, strict=True)
    ]
    assert [token for row in rows for token in row if token != 3] == tokens.tolist()
    assert max(map(len, rows)) <= 62
    ends_of_documents = set((1_000 + offsets[parts[1:-1]] - 1).tolist())
    sentence_ends = set((1_000 + offsets[1:] - 1).tolist())
    for row, following in itertools.pairwise(rows):
        for token, next_token in itertools.pairwise(row):
            assert (next_token == 3) == (token in ends_of_documents)
        # Greedy: the sentence after did not fit, unless this row is a piece of a long one.
        if row[-1] in sentence_ends:
            # What follows ends with a sentence, or is the full first piece of a long one.
            length = next(n for n, t in enumerate(following, 1) if t in sentence_ends or n == 62)
            assert len(row) + (row[-1] in ends_of_documents) + length > 62
        else:
            assert len(row) == 62


def test_packing():
    tokens = np.arange(10, 30, dtype=np.int32)
    plan = pairs.Plan(*map(np.array, ([0, 5], [3, 1], [10, 12], [2, 5], [1, 0])))
    token_ids, segment_ids, padding_mask = pairs.pack(tokens, plan, np.array([1, 0]), 9, 2, 3, 1)
    assert token_ids.tolist() == [
        [2, 15, 3, 22, 23, 24, 25, 26, 3],
        [2, 10, 11, 12, 3, 20, 21, 3, 1],
    ]
    assert segment_ids.tolist() == [[0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1, 0]]
    assert padding_mask.tolist() == [[1] * 9, [1] * 8 + [0]]
    assert token_ids.dtype == segment_ids.dtype == padding_mask.dtype == np.int32


def test_packing_of_single_segments():
    tokens = np.arange(10, 30, dtype=np.int32)
    plan = pairs.Plan(np.array([0, 17]), np.array([2, 3]), None, None, None)
    token_ids, segment_ids, padding_mask = pairs.pack(tokens, plan, np.array([0, 1]), 6, 2, 3, 0)
    assert token_ids.tolist() == [[2, 10, 11, 3, 0, 0], [2, 27, 28, 29, 3, 0]]
    assert not segment_ids.any()
    assert padding_mask.sum(axis=1).tolist() == [4, 5]
