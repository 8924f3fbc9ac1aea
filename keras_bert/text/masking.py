"""Masked-LM targets: which tokens the model must guess, and what stands in their place.

Source: section 3.1 of the BERT paper and `create_masked_lm_predictions` in google-research/bert
`create_pretraining_data.py` (tokens, whole words); SpanBERT, arXiv 1907.10529, section 3.1 and
facebookresearch/SpanBERT (spans). Rows are masked together: what the sources loop over one token
at a time is done here for all rows at once.
"""

import math

import numpy as np

MASKING_UNITS = ("token", "whole_word", "span")
# SpanBERT's span lengths, in words: geometric, cut at 10.
_SPAN_RATE, _LONGEST_SPAN = 0.2, 10
_NEVER = np.uint32(0xFFFFFFFF)


def default_selection_length(mask_selection_rate, sequence_length):
    """Room for masks that a rate needs at a sequence length: 20 for 0.15 at 128, 77 at 512."""
    return math.ceil(mask_selection_rate * sequence_length)


def mask_tokens(
    token_ids,
    tokenizer,
    rng,
    *,
    unit="token",
    mask_selection_rate=0.15,
    mask_selection_length=None,
    mask_token_rate=0.8,
    random_token_rate=0.1,
    continues_word=None,
):
    """Chooses tokens of each row to be guessed, and hides most of them.

    A row with `n` ordinary tokens gets `max(1, round(rate * n))` masks, at most
    `mask_selection_length`. Special tokens are never chosen and never put in. Of the chosen
    tokens, `mask_token_rate` become `[MASK]`, `random_token_rate` a random ordinary token, and
    the rest stay as they are.

    Args:
        token_ids: int32 `(rows, sequence)`, with special tokens and padding; it is not changed.
        tokenizer: a `BertTokenizer`; of it, `mask_id`, `special_ids`, `ordinary_ids`,
            `is_continuation` and `vocabulary_size` are read.
        rng: `np.random.Generator`.
        unit: str, what is chosen as a whole: `"token"`; `"whole_word"`, a token with the "##"
            pieces after it (words in random order, one that would go over the count is passed
            over, so a row may stay below its count); `"span"`, up to ten words in a row, of
            geometric length with p = 0.2, hidden alike as in SpanBERT (the last is cut at a word's
            end to keep the count).
        mask_selection_rate: float, share of the ordinary tokens to be guessed.
        mask_selection_length: int, slots for masks in a row; by default `ceil(rate * sequence)`.
        mask_token_rate: float, share of the chosen that become `[MASK]`.
        random_token_rate: float, share of the chosen that become a random token.
        continues_word: bool `(rows, sequence)`, True where a token belongs to the same word as
            the one before it; by default the "##" pieces.

    Returns:
        `(token_ids, mask_positions, mask_ids, mask_weights)`: int32 `(rows, sequence)`, and int32,
        int32, float32 `(rows, mask_selection_length)`. Positions ascend and `mask_ids` are the
        tokens that stood there; unused slots hold 0, 0, 0.0.

    Raises:
        ValueError: an unknown unit, or rates outside 0 to 1.

    Example:
        >>> from keras_bert import BertTokenizer
        >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdef"])
        >>> packed = np.array([[2, 7, 8, 9, 10, 3, 0, 0]], np.int32)
        >>> masked, positions, ids, weights = mask_tokens(
        ...     packed, tokenizer, np.random.default_rng(0), mask_selection_length=2)
        >>> positions.tolist(), ids.tolist(), weights.tolist()
        ([[3, 0]], [[9, 0]], [[1.0, 0.0]])
    """
    check_masking(unit, mask_selection_rate, mask_token_rate, random_token_rate)
    token_ids = np.asarray(token_ids, np.int32)
    slots = mask_selection_length or default_selection_length(
        mask_selection_rate, token_ids.shape[1]
    )
    ordinary = np.ones(tokenizer.vocabulary_size, bool)
    ordinary[np.asarray(tokenizer.special_ids)] = False
    maskable = ordinary[token_ids]
    available = maskable.sum(axis=1)
    wanted = np.rint(mask_selection_rate * available).astype(np.int64)
    wanted = np.minimum(np.minimum(np.maximum(wanted, 1), slots), available)

    if unit == "token":
        mask_positions, used = _choose_tokens(maskable, wanted, slots, rng)
    else:
        if continues_word is None:
            continues_word = np.asarray(tokenizer.is_continuation)[token_ids]
        word = _word_of_each_token(maskable, continues_word)
        if unit == "whole_word":
            chosen = _choose_words(maskable, word, wanted, rng)
        else:
            chosen, span = _choose_spans(maskable, word, wanted, rng)
        mask_positions, used = _slots_of(chosen, slots)

    mask_ids = np.where(used, np.take_along_axis(token_ids, mask_positions, axis=1), 0)
    if unit == "span":
        # The tokens of a span share one fate, drawn for the column where it begins.
        span = np.take_along_axis(span, mask_positions, axis=1)
        fate = np.take_along_axis(rng.random(token_ids.shape, np.float32), span, axis=1)
    else:
        fate = rng.random(mask_positions.shape, np.float32)
    replacement = rng.choice(np.asarray(tokenizer.ordinary_ids, np.int32), mask_positions.shape)
    replacement = np.where(fate < mask_token_rate, np.int32(tokenizer.mask_id), replacement)
    changed = used & (fate < mask_token_rate + random_token_rate)
    rows, _ = np.nonzero(changed)
    token_ids = token_ids.copy()
    token_ids[rows, mask_positions[changed]] = replacement[changed]
    return token_ids, mask_positions.astype(np.int32), mask_ids, used.astype(np.float32)


def check_masking(unit, mask_selection_rate, mask_token_rate, random_token_rate):
    """Raises a ValueError that names the first masking setting which makes no sense."""
    if unit not in MASKING_UNITS:
        raise ValueError(f"masking is {unit!r}; expected one of {', '.join(MASKING_UNITS)}.")
    if not 0 < mask_selection_rate <= 1:
        raise ValueError(
            f"mask_selection_rate is {mask_selection_rate}; expected more than 0, at most 1."
        )
    if (
        min(mask_token_rate, random_token_rate) < 0
        or mask_token_rate + random_token_rate > 1 + 1e-9
    ):
        raise ValueError(
            f"mask_token_rate is {mask_token_rate} and random_token_rate {random_token_rate}; "
            "expected shares of at least 0 that sum to at most 1."
        )


def _choose_tokens(maskable, wanted, slots, rng):
    """Positions of `wanted` random maskable tokens of each row, ascending, and which are used."""
    rows, sequence = maskable.shape
    # A random number with its column in the low bits: sorting these sorts columns at random,
    # several times faster than argsort. 23 random bits are left at a sequence length of 512.
    bits = np.uint32(max(sequence - 1, 1).bit_length())
    keys = rng.integers(0, 1 << 32, (rows, sequence), np.uint32)
    keys = (keys >> bits << bits) | np.arange(sequence, dtype=np.uint32)
    np.putmask(keys, ~maskable, _NEVER)
    if slots < sequence:
        keys.partition(slots - 1, axis=1)
    keys = np.sort(keys[:, :slots], axis=1)
    positions = (keys & np.uint32((1 << int(bits)) - 1)).astype(np.int64)
    used = np.arange(positions.shape[1]) < wanted[:, None]
    positions[~used] = sequence
    positions.sort(axis=1)
    positions[~used] = 0
    if slots > sequence:
        widths = ((0, 0), (0, slots - sequence))
        positions, used = np.pad(positions, widths), np.pad(used, widths)
    return positions, used


def _word_of_each_token(maskable, continues_word):
    """Column at which the word of each token begins, int64 `(rows, sequence)`."""
    first = np.ones_like(maskable)
    # After a special token a word begins anew, though its front may have been truncated away.
    first[:, 1:] = ~(continues_word[:, 1:] & maskable[:, 1:] & maskable[:, :-1])
    columns = np.arange(maskable.shape[1])
    return np.maximum.accumulate(np.where(first, columns, 0), axis=1)


def _word_lengths(maskable, word):
    """Tokens of the word that begins at each column, 0 where none begins."""
    rows, sequence = maskable.shape
    place = (np.arange(rows)[:, None] * sequence + word)[maskable]
    return np.bincount(place, minlength=rows * sequence).reshape(rows, sequence)


def _choose_words(maskable, word, wanted, rng):
    """Whole words in random order, passing over those that would go over `wanted`."""
    rows, sequence = maskable.shape
    lengths = _word_lengths(maskable, word)
    keys = rng.random((rows, sequence), np.float32)
    keys[lengths == 0] = 2.0
    order = np.argsort(keys, axis=1)
    lengths = np.take_along_axis(lengths, order, axis=1)
    taken = np.zeros((rows, sequence), bool)
    room = wanted.copy()
    row = np.arange(rows)
    # One step looks at the next word of every row, so the steps are the words of the longest row.
    for step in range((lengths > 0).sum(axis=1).max(initial=0)):
        length = lengths[:, step]
        take = (length > 0) & (length <= room)
        room -= length * take
        taken[row, order[:, step]] = take
        if not room.any():
            break
    return np.take_along_axis(taken, word, axis=1) & maskable


def _choose_spans(maskable, word, wanted, rng):
    """Spans of whole words until `wanted` is reached; also the column where each token's begins."""
    rows, sequence = maskable.shape
    is_start = _word_lengths(maskable, word) > 0
    num_words = is_start.sum(axis=1)
    # Columns at which words begin, in order, and the row's end behind them.
    starts = np.sort(np.where(is_start, np.arange(sequence), sequence), axis=1)
    starts = np.pad(starts, ((0, 0), (0, _LONGEST_SPAN + 1)), constant_values=sequence)
    # First column behind the segment of each column: a span never crosses a special token.
    segment_end = np.where(maskable, sequence, np.arange(sequence))
    segment_end = np.minimum.accumulate(segment_end[:, ::-1], axis=1)[:, ::-1]
    word_or_end = np.pad(word, ((0, 0), (0, 1)), constant_values=sequence)
    share = _SPAN_RATE * (1 - _SPAN_RATE) ** np.arange(_LONGEST_SPAN)
    lengths_below = np.cumsum(share / share.sum())[:-1]

    chosen = np.zeros((rows, sequence), bool)
    span = np.zeros((rows, sequence), np.int64)
    columns = np.arange(sequence)
    room = np.where(num_words > 0, wanted, 0)
    # A round tries one span in every row. Eight spans fill most rows; a row that finds no place
    # in the last rounds (long words, little room) stays below its count.
    for _ in range(4 * int(wanted.max(initial=0))):
        row = np.flatnonzero(room)
        if not len(row):
            break
        anchor, length = rng.random((2, len(row)))
        anchor = (anchor * num_words[row]).astype(np.int64)
        begin = starts[row, anchor]
        end = starts[row, anchor + 1 + np.searchsorted(lengths_below, length, side="right")]
        end = np.minimum(end, segment_end[row, begin])
        full = begin + room[row]
        # Too long for the room: up to the end of the last whole word that fits.
        end = np.where(end > full, word_or_end[row, np.minimum(full, sequence)], end)
        inside = (columns >= begin[:, None]) & (columns < end[:, None])
        inside &= ~(inside & chosen[row]).any(axis=1, keepdims=True)
        chosen[row] |= inside
        span[row] = np.where(inside, begin[:, None], span[row])
        room[row] -= inside.sum(axis=1)
    return chosen, span


def _slots_of(chosen, slots):
    """Positions of the chosen tokens, ascending, in `slots` columns, and which slots are used."""
    rows, columns = np.nonzero(chosen)
    counts = chosen.sum(axis=1)
    slot = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    positions = np.zeros((len(chosen), slots), np.int64)
    positions[rows, slot] = columns
    return positions, np.arange(slots) < counts[:, None]
