"""`--token_replace_rate` with `--augment_from`: what the training set becomes, what is refused."""

import types

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli import tuning


@pytest.fixture(scope="module")
def preset(tmp_path_factory, tiny_vocabulary):
    """A folder with a masked LM and its backbone alone."""
    folder = tmp_path_factory.mktemp("augment")
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        num_layers=1,
        hidden_dim=16,
        num_heads=2,
        max_sequence_length=16,
    )
    model = kb.BertMaskedLM(kb.BertBackbone(config))
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    kb.save_preset(folder / "masked_lm", model, tokenizer)
    kb.save_preset(folder / "backbone", model.backbone, tokenizer)
    return folder


def flags(**changes):
    rates = {f"token_{name}_rate": 0.0 for name in ("replace", "mask", "drop")}
    return types.SimpleNamespace(**{**rates, "augment_from": None, "seed": 3, **changes})


def test_it_is_what_the_function_makes(preset, tiny_vocabulary):
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    rows = [(f"the cat sat on {letter} mat .", letter < "m") for letter in "abcdefghijklmnopqrst"]
    train = kb.data.classification(rows, kb.TextClassifierPreprocessor(tokenizer), shuffle=False)
    assert tuning.augmented(train, tokenizer, flags()) is train
    given = flags(token_replace_rate=0.3, token_mask_rate=0.1, augment_from=preset / "masked_lm")
    found = next(iter(tuning.augmented(train, tokenizer, given)))[0]["token_ids"].numpy()
    model = kb.BertMaskedLM.from_preset(preset / "masked_lm")
    made = kb.data.augmented(train, tokenizer, 0.1, 0.0, 3, replace_rate=0.3, masked_lm=model)
    np.testing.assert_array_equal(found, next(iter(made))[0]["token_ids"])
    plain = next(iter(train))[0]["token_ids"].numpy()
    changed = (found != plain)[plain > 4]
    assert 0.2 < changed.mean() < 0.5 and 0 < (found == tokenizer.mask_id).mean() < 0.2


def test_what_is_refused(preset, tiny_vocabulary):
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    for given in ({"token_replace_rate": 0.1}, {"augment_from": "x"}):
        with pytest.raises(ValueError, match="belong together; give both, or none"):
            tuning.augmented(None, tokenizer, flags(**given))
    given = flags(token_replace_rate=0.1, augment_from=preset / "backbone")
    with pytest.raises(ValueError, match="backbone has no masked-LM head; expected a checkpoint"):
        tuning.augmented(None, tokenizer, given)
    given.augment_from = preset / "masked_lm"
    other = kb.BertTokenizer([*tiny_vocabulary[:-1], "else"])
    with pytest.raises(ValueError, match="masked_lm has another vocabulary than --preset"):
        tuning.augmented(None, other, given)
