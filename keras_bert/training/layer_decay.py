"""Learning rates of some weights that differ from the others', by the paths of the weights."""

import re


def rate_factors(paths, decay, crf=1.0):
    """What the learning rate of each weight is multiplied by.

    Source: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146, section 3.2: the last layer,
    here all heads and the pooler, has the whole rate, each one below it that of the one above
    times `decay`. The embeddings are the layer below the first. A table that a head shares is the
    embeddings'.

    Args:
        paths: list of str, the weights' paths; encoder layers are known by `encoder_layer_3`, or
            `encoder_layer` where one is shared. The highest number is the top layer's.
        decay: float in (0, 1].
        crf: float above 0, the factor of the scores of a CRF, known by `crf`. Default 1.0.

    Returns:
        List of float.

    Example:
        >>> rate_factors(["embeddings/token_table", "encoder_layer_0/a", "head/kernel"], 0.5)
        [0.25, 0.5, 1.0]
    """
    layers = [re.search(r"(?:^|/)encoder_layer(?:_(\d+))?/", path) for path in paths]
    depths = [int(found[1] or 0) if found else None for found in layers]
    number = 1 + max((depth for depth in depths if depth is not None), default=-1)
    factors = []
    for path, depth in zip(paths, depths, strict=True):
        if depth is not None:
            factors.append(decay ** (number - depth))
        elif re.search(r"(?:^|/)embedding(?:s|_projection)/", path):
            factors.append(decay ** (number + 1))
        else:
            factors.append(crf if re.search(r"(?:^|/)crf/", path) else 1.0)
    return factors


def checked_layer_decay(decay):
    """Returns `decay`; ValueError unless it is None or in (0, 1]."""
    if decay is not None and not 0 < decay <= 1:
        raise ValueError(
            f"AdamW: layer_decay must be above 0 and at most 1, or None; received {decay}"
        )
    return decay
