"""Checks of settings, with errors that say what was expected."""

import math
import numbers


def check_choice(name, value, choices):
    """Raises a ValueError unless a setting has one of the values named."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}.")


def check_least(name, value, least):
    """Raises a ValueError unless a setting is a whole number and not below the least."""
    if not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}.")


def check_share(name, value):
    """Raises a ValueError unless a setting is a number from 0 to 1."""
    if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; expected 0 to 1.")


def choose_lanes(lanes, batch_size, num_blocks, block_windows):
    """The number of lanes: the one asked for, or one that suits the corpus and the batch.

    By default a corpus with less than four blocks an epoch has one lane. Else there are up to
    eight, as many as divide the batch and leave each lane's block four windows: two, four or eight
    readers then read nothing in vain.

    Args:
        lanes: int or None.
        batch_size: int.
        num_blocks: int, blocks of an epoch, each pooled over all lanes.
        block_windows: int, windows in such a block.

    Raises:
        ValueError: the lanes asked for do not divide the batch.
    """
    if lanes is None:
        room = block_windows // 4
        most = 8 if num_blocks >= 4 else 1
        return math.gcd(batch_size, min(most, 1 << max(0, room.bit_length() - 1)))
    check_least("lanes", lanes, 1)
    if batch_size % lanes:
        raise ValueError(
            f"lanes={lanes} does not divide batch_size={batch_size}: every batch takes as many "
            "rows from each lane. Choose a divisor."
        )
    return lanes


def check_shards(shard, num_shards, batch_size):
    """Raises a ValueError unless so many readers can share a batch, and this is one of them."""
    check_least("num_shards", num_shards, 1)
    if batch_size % num_shards:
        raise ValueError(
            f"num_shards={num_shards} does not divide batch_size={batch_size}: every reader gets "
            "as many rows of a batch. Choose a batch size that is a multiple of the readers."
        )
    if not isinstance(shard, numbers.Integral) or not 0 <= shard < num_shards:
        raise ValueError(f"shard is {shard!r}; expected 0 to {num_shards - 1}.")
