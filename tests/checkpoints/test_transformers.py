"""Hugging Face loads what we write, key for key, and computes the same. Needs torch, transformers.

Tolerance 1e-5, written once here, against Hugging Face in float64.
"""

import numpy as np
import pytest
from numpy_bert import inputs

import keras_bert as kb

torch = pytest.importorskip("torch", reason="needs the extra `parity`")
transformers = pytest.importorskip("transformers", reason="needs the extra `parity`")

TOLERANCE = 1e-5
HEADS = {  # ours -> theirs, and the names of outputs
    kb.BertBackbone: ("BertModel", {"sequence_output": "last_hidden_state"}),
    kb.BertPretrainer: (
        "BertForPreTraining",
        {"masked_lm": "prediction_logits", "next_sentence": "seq_relationship_logits"},
    ),
    kb.BertMaskedLM: ("BertForMaskedLM", {"masked_lm": "logits"}),
    kb.BertTextClassifier: ("BertForSequenceClassification", {"classification": "logits"}),
}


def make(task, vocabulary, activation):
    config = kb.BertConfig(
        vocabulary_size=len(vocabulary),
        hidden_dim=16,
        num_heads=4,
        num_layers=3,
        max_sequence_length=20,
        activation=activation,
    )
    model = kb.BertBackbone(config)
    if task is kb.BertTextClassifier:
        model = task(model, labels=["a", "b", "c"])
    elif task is not kb.BertBackbone:
        model = task(model)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(
    "task, activation",
    [
        *((kb.BertBackbone, name) for name in ("gelu", "gelu_tanh", "relu", "silu", "tanh")),
        (kb.BertPretrainer, "gelu_tanh"),
        (kb.BertMaskedLM, "gelu"),
        (kb.BertTextClassifier, "gelu"),
    ],
)
def test_transformers_computes_the_same(task, activation, tiny_vocabulary, tmp_path):
    model = make(task, tiny_vocabulary, activation)
    kb.save_preset(tmp_path / "saved", model, kb.BertTokenizer(tiny_vocabulary))
    name, outputs = HEADS[task]
    theirs, report = getattr(transformers, name).from_pretrained(
        tmp_path / "saved", output_loading_info=True
    )
    assert not any(report.values()), report  # no missing, unexpected or mismatched key
    x = inputs({"vocab_size": len(tiny_vocabulary)}, length=9)
    ours = dict(x)
    if "mask_positions" in getattr(model, "input", {}):
        ours["mask_positions"] = np.tile(np.arange(9, dtype="int32"), (3, 1))
    ours = model(ours)
    with torch.no_grad():
        expected = theirs.eval().double()(
            input_ids=torch.tensor(x["token_ids"]).long(),
            token_type_ids=torch.tensor(x["segment_ids"]).long(),
            attention_mask=torch.tensor(x["padding_mask"]).long(),
        )
    for our_name, their_name in outputs.items():
        received, wanted = np.array(ours[our_name]), getattr(expected, their_name).numpy()
        if wanted.ndim == 3:  # real tokens only
            received, wanted = received[x["padding_mask"] == 1], wanted[x["padding_mask"] == 1]
        np.testing.assert_allclose(received, wanted, atol=TOLERANCE)
    if task is kb.BertTextClassifier:
        assert theirs.config.id2label == {0: "a", 1: "b", 2: "c"}


def test_transformers_refuses_variants(tiny_vocabulary, tmp_path):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1, pre_norm=True
    )
    kb.save_preset(tmp_path / "x", kb.BertBackbone(config), kb.BertTokenizer(tiny_vocabulary))
    with pytest.raises(ValueError, match="keras_bert"):
        transformers.AutoModel.from_pretrained(tmp_path / "x")


def test_a_model_that_transformers_wrote_is_read(tiny_vocabulary, tmp_path):
    config = transformers.BertConfig(
        vocab_size=len(tiny_vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=20,
        id2label={0: "x", 1: "y", 2: "z"},
    )
    torch.manual_seed(0)
    theirs = transformers.BertForSequenceClassification(config).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    ours = kb.BertTextClassifier.from_preset(tmp_path / "theirs")
    assert ours.labels == ["x", "y", "z"]
    x = inputs({"vocab_size": len(tiny_vocabulary)}, length=9)
    with torch.no_grad():
        expected = theirs.double()(
            input_ids=torch.tensor(x["token_ids"]).long(),
            token_type_ids=torch.tensor(x["segment_ids"]).long(),
            attention_mask=torch.tensor(x["padding_mask"]).long(),
        )
    np.testing.assert_allclose(ours(x)["classification"], expected.logits, atol=TOLERANCE)
