"""A longer position table for a trained model."""

import numpy as np

from keras_bert.models.rebuilding import backbone_of, rebuilt

# How far apart the positions of two blocks are, beside those inside one; as its author sets it.
ALPHA = 0.4


def lengthen(model, max_sequence_length, method="hierarchical"):
    """Makes a copy of a trained model whose position table is longer.

    The new rows are a start, not knowledge: train on long texts before relying on them.
    Attention's memory and time grow with the square of the length, whatever the table holds.

    Args:
        model: `BertBackbone` or a task model; it stays as it is.
        max_sequence_length: int, rows of the new table, more than the n rows of the present one.
        method: str, how the rows come about; counted from 0:
            `"hierarchical"`: the present rows stay, and row `i * n + j` is `0.4 u[i] + 0.6 u[j]`,
            with `u` such that this holds for the present ones; up to n x n rows. Default.
            `"repeat"`: row `p` is the present row `p % n`.
            `"interpolate"`: the present rows are spread over the whole length, with straight lines
            between them; the first and the last stay. All positions change, so that short texts
            come out otherwise too.

    Sources: Su Jianlin 2020, https://kexue.fm/archives/7947 (hierarchical); Beltagy et al. 2020,
    https://arxiv.org/abs/2004.05150, section 5 (repeat); Dosovitskiy et al. 2020,
    https://arxiv.org/abs/2010.11929, section 3.2, for images (interpolate).

    Returns:
        A model of the same class and arguments, not compiled, its `config.max_sequence_length`
        changed. All weights but the position table are equal bit for bit.

    Raises:
        ValueError: it is no model of this package, the method is not known, or the length is
            none that it reaches.

    Example:
        >>> import keras_bert as kb
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=100))
        >>> kb.lengthen(backbone, 1_024).config.max_sequence_length
        1024
    """
    backbone = backbone_of(model)
    rows = backbone.config.max_sequence_length
    if method not in _METHODS:
        raise ValueError(
            f"lengthen: method must be one of {', '.join(_METHODS)}; received {method!r}"
        )
    if isinstance(max_sequence_length, bool) or not isinstance(max_sequence_length, int):
        raise ValueError(
            f"lengthen: max_sequence_length must be an int; received {max_sequence_length!r}"
        )
    if max_sequence_length <= rows:
        raise ValueError(
            f"lengthen: the position table has {rows} entries; expected a larger "
            f"max_sequence_length, received {max_sequence_length}. A table is not made shorter: "
            "the preprocessor's sequence_length decides how long texts are"
        )
    if method == "hierarchical" and max_sequence_length > rows**2:
        raise ValueError(
            f"lengthen: from {rows} entries method='hierarchical' reaches {rows**2}; received "
            f'max_sequence_length={max_sequence_length}. Use method="repeat" for more'
        )

    def lengthened(table):
        return _METHODS[method](table.astype("float64"), max_sequence_length).astype(table.dtype)

    return rebuilt(
        model,
        [(backbone.embeddings.position_table, lengthened)],
        max_sequence_length=max_sequence_length,
    )


def _hierarchical(table, length):
    bases = (table - ALPHA * table[0]) / (1 - ALPHA)
    block, place = np.divmod(np.arange(len(table), length), len(table))
    # The first block comes out as it was but for rounding, so it is taken as it is.
    return np.concatenate([table, ALPHA * bases[block] + (1 - ALPHA) * bases[place]])


def _repeat(table, length):
    return table[np.arange(length) % len(table)]


def _interpolate(table, length):
    places = np.linspace(0, len(table) - 1, length)
    before = places.astype(int)
    after = np.minimum(before + 1, len(table) - 1)
    share = (places - before)[:, None]
    return (1 - share) * table[before] + share * table[after]


_METHODS = {"hierarchical": _hierarchical, "repeat": _repeat, "interpolate": _interpolate}
