"""Every head against numbers that Hugging Face computed in float64, kept in tests/golden.

tests/parity/make_golden.py made them; neither torch nor transformers is needed here.
"""

import json
import pathlib

import numpy as np
import pytest
from head_batches import batch, golden_config
from numpy_bert import hf_tensors

import keras_bert as kb

TOLERANCE = 1e-5
GOLDEN = json.loads(
    (pathlib.Path(__file__).parents[1] / "golden" / "heads.json").read_text(encoding="utf-8")
)
TASKS = {
    "backbone": (kb.BertBackbone, None),
    "pretrainer": (kb.BertPretrainer, kb.losses.pretraining),
    "masked_lm": (kb.BertMaskedLM, kb.losses.masked_lm),
    "next_sentence": (kb.BertNextSentence, kb.losses.next_sentence),
    "single_label": (kb.BertTextClassifier, kb.losses.classification),
    "multi_label": (kb.BertTextClassifier, kb.losses.multi_label_classification),
    "regression": (kb.BertTextClassifier, kb.losses.regression),
    "score": (kb.BertTextClassifier, kb.losses.regression),
    "token": (kb.BertTokenClassifier, kb.losses.token_classification),
    "span": (kb.BertSpanClassifier, kb.losses.span),
    "choice": (kb.BertMultipleChoice, kb.losses.multiple_choice),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_hugging_faces_numbers(hf_directory, case):
    name, _, activation = case.partition(", ")
    config = golden_config(name, "gelu_new" if activation == "tanh" else "gelu")
    tensors = hf_tensors(config, labels=1 if name in ("choice", "score") else 3)
    task, losses = TASKS[name]
    model = task.from_preset(hf_directory(config, tensors))
    x, y, w, _ = batch(name, config["vocab_size"], rows=2, length=5)
    expected = dict(GOLDEN[case])
    loss = expected.pop("loss", None)
    outputs = model(x)
    assert set(outputs) == set(expected)
    for key, value in expected.items():
        assert np.ptp(value) > 0.05
        np.testing.assert_allclose(outputs[key], value, rtol=0, atol=TOLERANCE, err_msg=key)
    if losses is not None:
        model.compile(**losses())
        actual = model.compute_loss(x, y, outputs, w, training=False)
        assert float(actual) == pytest.approx(loss, rel=TOLERANCE)


def test_every_head_has_numbers():
    assert set(TASKS) <= set(GOLDEN)
