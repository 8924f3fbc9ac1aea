"""Random numbers that depend on nothing but a seed and what they are for."""

import hashlib

import numpy as np


def generator(seed, *purpose):
    """A NumPy generator for one purpose: the same for the same arguments, in any process.

    Every draw of the data stream comes from one of these, keyed for instance by
    `(seed, "pairs", epoch, block)`. There is no state to carry along: any block can be made
    alone, in any order, by any thread or machine.

    Args:
        seed: int.
        *purpose: str and int, what the numbers are for.

    Returns:
        `np.random.Generator` on Philox, independent of those of other arguments.

    Example:
        >>> generator(0, "windows", 3).random() == generator(0, "windows", 3).random()
        True
        >>> generator(0, "windows", 3).random() == generator(0, "windows", 4).random()
        False
    """
    key = hashlib.blake2b(repr((int(seed), *purpose)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
