"""Models for the tests that change tables, and what such a change must leave alone."""

import numpy as np
from models import reference_bert as reference

import keras_bert as kb


def make_models(config, seed=3):
    """One model of each kind, no two weights alike; the last two with variants of the backbone."""
    variant = config.replace(share_layers=True, embedding_dim=4, pre_norm=True)
    models = {
        "backbone": kb.BertBackbone(config, name="mine"),
        "pretrainer": kb.BertPretrainer(kb.BertBackbone(config)),
        "masked_lm": kb.BertMaskedLM(kb.BertBackbone(config, dtype="mixed_bfloat16")),
        "classifier": kb.BertTextClassifier(kb.BertBackbone(config), ["no", "yes"], dropout=0.3),
        "variant": kb.BertBackbone(variant, recompute=True),
        "variant_pretrainer": kb.BertPretrainer(kb.BertBackbone(variant), name="other"),
    }
    return {name: reference.randomize(model, seed) for name, model in models.items()}


NAMES = ["backbone", "pretrainer", "masked_lm", "classifier", "variant", "variant_pretrainer"]


def check_the_rest(model, new, changed, **changes):
    """Class, arguments and all weights but those `changed` (ends of paths) are as before."""
    assert type(new) is type(model)
    assert new.config == model.config.replace(**changes)
    expected, found = model.get_config(), new.get_config()
    for config in (expected, found):
        inner = config.get("backbone", {"config": config})["config"]
        inner["config"] = None
    assert found == expected
    assert not new.compiled
    for old, weight in zip(model.weights, new.weights, strict=True):
        assert (weight.path, weight.dtype) == (old.path, old.dtype)
        assert weight is not old
        assert weight.trainable == old.trainable
        if not old.path.endswith(changed):
            np.testing.assert_array_equal(weight.numpy(), old.numpy(), err_msg=old.path)


def value(model, ending):
    """The value of the one weight whose path ends so."""
    (weight,) = [weight for weight in model.weights if weight.path.endswith(ending)]
    return np.array(weight)


def mean(rows):
    """The mean of some rows, in their own precision."""
    return np.mean(rows.astype("float64"), axis=0).astype(rows.dtype)
