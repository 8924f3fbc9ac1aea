"""Which tokens make up each pretraining example: sentence pairs, planned on lengths alone.

A plan says where the segments of every example stand in one flat array of tokens; `pack` then
gathers them into `(examples, sequence_length)` arrays. Planning needs no token, only lengths, so
the place of an example can be found without paying for the example itself.

The text is given as `offsets`, `parts` and `documents`:

- sentence `s` is `tokens[offsets[s]:offsets[s + 1]]`, and no sentence is empty;
- part `p` is an unbroken run of sentences, `parts[p]` up to `parts[p + 1]`;
- `documents[p]` is the document that part `p` comes from. A document cut in two has two parts;
  parts of one document stand side by side.
"""

import itertools
from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np


class Plan(NamedTuple):
    """Where the segments of each example stand in the flat tokens, one entry an example.

    The four places are int64 `(examples,)`. `labels` is int32 `(examples,)`, or None where
    examples have one segment only. `skipped` counts pieces of text that make no example;
    `unpaired` counts examples which had no other document to draw a second segment from.
    """

    first_start: np.ndarray
    first_length: np.ndarray
    second_start: np.ndarray
    second_length: np.ndarray
    labels: np.ndarray | None
    skipped: int = 0
    unpaired: int = 0


def plan_nsp(offsets, parts, documents, sequence_length, rng, short_sequence_rate=0.1):
    """Plans next-sentence pairs as in BERT's paper.

    Source: `create_instances_from_document` in google-research/bert
    `create_pretraining_data.py`. Sentences are gathered up to a target length and split at a
    random sentence. In half of the cases, and where there is one sentence only, the second
    segment comes from a random place in another document, and the sentences it stands in for are
    given back to the text. Two differences, both on purpose:

    - The short target is drawn for each example. The source draws it once for a document, so that
      one long document with a tiny target floods the output with tiny examples.
    - The other document is never the same one; the source gives up after ten tries.

    Where all the text is one document there is no other one: every pair is then a real one
    (label 0), counted in `unpaired`; a sentence left alone at the end is counted in `skipped`.

    Args:
        offsets: int `(sentences + 1,)`, where sentences begin and end in the flat tokens.
        parts: int `(parts + 1,)`, sentence at which each unbroken run begins, and the end.
        documents: int `(parts,)`, document of each part.
        sequence_length: int, length of the packed example; 3 of it are `[CLS]` and two `[SEP]`.
        rng: `np.random.Generator`.
        short_sequence_rate: float, share of examples with a target drawn uniformly from 2 up to
            the full length.

    Returns:
        A `Plan`; label **0 = the second segment really follows, 1 = random**.
    """
    budget = sequence_length - 3
    offsets, parts = np.asarray(offsets).tolist(), np.asarray(parts).tolist()
    # A document's parts stand side by side: all but [own_first, own_first + own_parts) are others.
    _, first_parts, inverse, part_counts = np.unique(
        documents, return_index=True, return_inverse=True, return_counts=True
    )
    own_first, own_parts = first_parts[inverse].tolist(), part_counts[inverse].tolist()
    num_parts = len(own_first)
    draws = _uniforms(rng, 6)
    rows, skipped, unpaired = [], 0, 0
    for part in range(num_parts):
        sentence, stop = parts[part], parts[part + 1]
        others = num_parts - own_parts[part]
        while sentence < stop:
            is_short, length, split, is_random, other, place = next(draws)
            target = budget if is_short >= short_sequence_rate else 2 + int(length * (budget - 1))
            start = offsets[sentence]
            end = bisect_left(offsets, start + target, sentence + 1, stop)
            if others == 0:
                unpaired += 1
                is_random = 1.0
                if end - sentence == 1:
                    if end == stop:
                        skipped += 1
                        unpaired -= 1
                        break
                    end += 1
            gathered = end - sentence
            middle = sentence + 1 + int(split * (gathered - 1))
            first_end = offsets[middle]
            if gathered == 1 or is_random < 0.5:
                other = int(other * others)
                if other >= own_first[part]:
                    other += own_parts[part]
                low, high = parts[other], parts[other + 1]
                place = low + int(place * (high - low))
                wanted = offsets[place] + target - (first_end - start)
                place_end = bisect_left(offsets, wanted, place + 1, high)
                rows.append((start, first_end, offsets[place], offsets[place_end], 1))
                sentence = middle
            else:
                rows.append((start, first_end, first_end, offsets[end], 0))
                sentence = end
    return _truncated(rows, budget, rng, skipped, unpaired)


def plan_sop(offsets, parts, sequence_length, rng, short_sequence_rate=0.1):
    """Plans sentence-order pairs as in ALBERT: two segments that follow each other, or swapped.

    Source: google-research/albert `create_pretraining_data.py`; short targets as in `plan_nsp`.
    Where a single sentence fills an example it is cut in two at a random token; a single token
    makes no pair and is counted in `skipped`.

    Args:
        offsets, parts, sequence_length, rng, short_sequence_rate: as for `plan_nsp`.

    Returns:
        A `Plan`; label **0 = in order, 1 = swapped**.
    """
    budget = sequence_length - 3
    offsets, parts = np.asarray(offsets).tolist(), np.asarray(parts).tolist()
    draws = _uniforms(rng, 4)
    rows, skipped = [], 0
    for sentence, stop in itertools.pairwise(parts):
        while sentence < stop:
            is_short, length, split, is_swapped = next(draws)
            target = budget if is_short >= short_sequence_rate else 2 + int(length * (budget - 1))
            start = offsets[sentence]
            end = bisect_left(offsets, start + target, sentence + 1, stop)
            last = offsets[end]
            if end - sentence > 1:
                middle = offsets[sentence + 1 + int(split * (end - sentence - 1))]
            else:
                middle = start + 1 + int(split * (last - start - 1))
            if last - start == 1:
                skipped += 1
            elif is_swapped < 0.5:
                rows.append((middle, last, start, middle, 1))
            else:
                rows.append((start, middle, middle, last, 0))
            sentence = end
    return _truncated(rows, budget, rng, skipped)


def plan_full_sentences(tokens, offsets, parts, sequence_length, sep_id):
    """Plans single segments packed with full sentences, as in RoBERTa: nothing is lost or doubled.

    Source: "FULL-SENTENCES" in the RoBERTa paper (arXiv 1907.11692, section 4.2): sentences are
    taken in order while they fit, going on into the next document after an extra `[SEP]`.
    A sentence longer than the room is cut into pieces that fill it.

    Args:
        tokens: int32 `(tokens,)`, the flat tokens.
        offsets, parts, sequence_length: as for `plan_nsp`; 2 of the length are specials.
        sep_id: int, id of `[SEP]`.

    Returns:
        `(tokens, plan)`: the tokens with a `[SEP]` between parts, and a `Plan` into these, whose
        second segments and labels are None.
    """
    budget = sequence_length - 2
    offsets, parts = np.asarray(offsets), np.asarray(parts)
    # One more token stands before each sentence for every part that ended before it.
    begins, ends = offsets[:-1].copy(), offsets[1:].copy()
    parts_before = np.repeat(np.arange(len(parts) - 1), np.diff(parts))
    begins += parts_before
    ends += parts_before
    tokens = np.insert(tokens, offsets[parts[1:-1]], sep_id)

    pieces = -(-(ends - begins) // budget)
    if len(pieces) and pieces.max() > 1:
        piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        begins = np.repeat(begins, pieces) + piece * budget
        ends = np.minimum(begins + budget, np.repeat(ends, pieces))

    begins, ends = begins.tolist(), ends.tolist()
    rows, piece = [], 0
    while piece < len(begins):
        start = begins[piece]
        piece = bisect_right(ends, start + budget, piece + 1)
        rows.append((start, ends[piece - 1]))
    start, end = np.array(rows, np.int64).reshape(-1, 2).T
    return tokens, Plan(start, end - start, None, None, None)


def truncated_lengths(first, second, budget):
    """Lengths of two segments after dropping tokens from the longer one until both fit.

    What the loop `truncate_seq_pair` of google-research/bert ends with, in closed form: where
    both are equally long the second one gives, so the first keeps the odd token.

    Args:
        first, second: int `(examples,)`, lengths in tokens.
        budget: int, largest sum.

    Returns:
        Two arrays of int `(examples,)`.
    """
    first_half, second_half = (budget + 1) // 2, budget // 2
    # A segment within its half stays whole, and the other one takes what is left.
    return (
        np.minimum(first, np.maximum(first_half, budget - second)),
        np.minimum(second, np.maximum(second_half, budget - first)),
    )


def pack(tokens, plan, rows, sequence_length, cls_id, sep_id, pad_id):
    """Gathers planned examples: `[CLS] first [SEP] second [SEP]`, then padding.

    Args:
        tokens: int32 `(tokens,)`, the flat tokens the plan points into.
        plan: a `Plan`; without second segments an example is `[CLS] first [SEP]`.
        rows: int `(examples,)`, which examples of the plan, in which order.
        sequence_length: int, length of each packed example.
        cls_id, sep_id, pad_id: int, ids of the special tokens.

    Returns:
        `(token_ids, segment_ids, padding_mask)`, each int32 `(examples, sequence_length)`.
        Segment 0 is the first segment with `[CLS]`, its `[SEP]`, and padding; 1 is the second.
        In the mask 1 = real token, 0 = padding.
    """
    column = np.arange(sequence_length)
    example = np.arange(len(rows))
    first_length = plan.first_length[rows]
    first_sep = first_length + 1
    begin = (plan.first_start[rows] - 1)[:, None]
    if plan.second_start is None:
        length = first_length + 2
        source = column + begin
        segment_ids = np.zeros((len(rows), sequence_length), np.int32)
    else:
        length = first_length + plan.second_length[rows] + 3
        in_second = column > first_sep[:, None]
        source = column + np.where(
            in_second, (plan.second_start[rows] - first_sep - 1)[:, None], begin
        )
        segment_ids = (in_second & (column < length[:, None])).astype(np.int32)
    padding_mask = (column < length[:, None]).astype(np.int32)
    # Places of special tokens and of padding read a neighbour, and are written over below.
    token_ids = tokens.take(source, mode="clip")
    np.putmask(token_ids, padding_mask == 0, pad_id)
    token_ids[:, 0] = cls_id
    token_ids[example, first_sep] = sep_id
    token_ids[example, length - 1] = sep_id
    return token_ids, segment_ids, padding_mask


def _uniforms(rng, width):
    """Endless rows of `width` uniform draws, as lists: scalar draws cost ten times as much."""
    return itertools.chain.from_iterable(
        rng.random((1024, width)).tolist() for _ in itertools.count()
    )


def _truncated(rows, budget, rng, skipped, unpaired=0):
    """The plan of `(first start, first end, second start, second end, label)`, cut to fit.

    Each dropped token goes from the front or the back with equal chance, so the number dropped in
    front is binomial.
    """
    rows = np.array(rows, np.int64).reshape(-1, 5)
    first_start, first_end, second_start, second_end, labels = rows.T
    first, second = first_end - first_start, second_end - second_start
    first_length, second_length = truncated_lengths(first, second, budget)
    return Plan(
        first_start + rng.binomial(first - first_length, 0.5),
        first_length,
        second_start + rng.binomial(second - second_length, 0.5),
        second_length,
        labels.astype(np.int32),
        skipped,
        unpaired,
    )
