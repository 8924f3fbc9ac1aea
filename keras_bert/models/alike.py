"""What several models of one task must have in common, and what was tuned of each."""

import numpy as np

from keras_bert.models.rebuilding import backbone_of

COMMON = ("labels", "problem_type", "out_of_scope", "window_pooling")
TUNED = ("thresholds", "no_answer_threshold")


def check_alike(who, first, model, number):
    """ValueError where a model differs from the first in what all must have in common."""

    def differ(what, one, other):
        raise ValueError(
            f"{who}: models 0 and {number} differ in {what}: {one} and {other}; expected the same"
        )

    if type(model) is not type(first):
        differ("their task", type(first).__name__, type(model).__name__)
    for name in ("vocabulary_size", "num_segments"):
        one, other = (getattr(backbone_of(m).config, name) for m in (first, model))
        if one != other:
            differ(name, one, other)
    for name in COMMON:
        one, other = (plain(getattr(m, name, None)) for m in (first, model))
        if one != other:
            differ(name, one, other)
    one, other = (sorted(thresholds_of(m)) for m in (first, model))
    if one != other:
        differ("thresholds", one or "none", other or "none")


def thresholds_of(model):
    """The thresholds that a model has, a dict."""
    found = {name: plain(getattr(model, name, None)) for name in TUNED}
    return {name: value for name, value in found.items() if value is not None}


def mean_thresholds(tuned):
    """The means of what `thresholds_of` found of several models, a dict."""
    return {name: np.mean([values[name] for values in tuned], axis=0).tolist() for name in tuned[0]}


def plain(value):
    """A list that Keras tracks as a plain one."""
    return list(value) if isinstance(value, (list, tuple)) else value
