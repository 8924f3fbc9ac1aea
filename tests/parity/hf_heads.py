"""Every head here and at Hugging Face: the models, one batch for both, what each makes of it.

Needs torch and transformers; a test asks for them by `pytest.importorskip` before it imports this.
"""

import dataclasses
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import torch
import transformers
from numpy_bert import choice_inputs, inputs

import keras_bert as kb
from keras_bert.checkpoints import huggingface, names

NAMES = {  # of inputs, ours -> theirs
    "token_ids": "input_ids",
    "segment_ids": "token_type_ids",
    "padding_mask": "attention_mask",
}
LABELS = ["O", "B-谁", "I-谁"]


@dataclasses.dataclass
class Head:
    """`make`: our model of a backbone; `outputs`: ours -> theirs; `losses`: compile arguments."""

    make: Callable
    theirs: str
    outputs: dict
    losses: Callable | None = None
    problem_type: str | None = None


def text(problem_type):
    return lambda backbone: kb.BertTextClassifier(backbone, LABELS, problem_type=problem_type)


SEQUENCE = "BertForSequenceClassification"
HEADS = {
    "backbone": Head(
        lambda backbone: backbone,
        "BertModel",
        {"sequence_output": "last_hidden_state", "pooled_output": "pooler_output"},
    ),
    "pretrainer": Head(
        kb.BertPretrainer,
        "BertForPreTraining",
        {"masked_lm": "prediction_logits", "next_sentence": "seq_relationship_logits"},
        kb.losses.pretraining,
    ),
    "masked_lm": Head(
        kb.BertMaskedLM, "BertForMaskedLM", {"masked_lm": "logits"}, kb.losses.masked_lm
    ),
    "next_sentence": Head(
        kb.BertNextSentence,
        "BertForNextSentencePrediction",
        {"next_sentence": "logits"},
        kb.losses.next_sentence,
    ),
    "single_label": Head(
        text("single_label"),
        SEQUENCE,
        {"classification": "logits"},
        kb.losses.classification,
        "single_label_classification",
    ),
    "multi_label": Head(
        text("multi_label"),
        SEQUENCE,
        {"classification": "logits"},
        kb.losses.multi_label_classification,
        "multi_label_classification",
    ),
    "regression": Head(
        text("regression"),
        SEQUENCE,
        {"regression": "logits"},
        kb.losses.regression,
        "regression",
    ),
    "score": Head(
        lambda backbone: kb.BertTextClassifier(backbone, ["score"], problem_type="regression"),
        SEQUENCE,
        {"regression": "logits"},
        kb.losses.regression,
        "regression",
    ),
    "token": Head(
        lambda backbone: kb.BertTokenClassifier(backbone, LABELS),
        "BertForTokenClassification",
        {"token_classification": "logits"},
        kb.losses.token_classification,
    ),
    "span": Head(
        kb.BertSpanClassifier,
        "BertForQuestionAnswering",
        {"span_start": "start_logits", "span_end": "end_logits"},
        kb.losses.span,
    ),
    "choice": Head(
        kb.BertMultipleChoice,
        "BertForMultipleChoice",
        {"multiple_choice": "logits"},
        kb.losses.multiple_choice,
    ),
}


def batch(name, vocabulary_size, rows, length, seed=0):
    """One batch: our inputs, labels and weights, and the keyword arguments of Hugging Face's."""
    rng = np.random.default_rng(seed + 1)
    config = {"vocab_size": vocabulary_size}
    x = (choice_inputs if name == "choice" else inputs)(config, seed, rows, length=length)
    # The padding token stands where padding is, and nowhere else.
    x["token_ids"] = np.where(x["padding_mask"], np.maximum(x["token_ids"], 1), 0).astype("int32")
    theirs = {NAMES[key]: value for key, value in x.items()}
    real = x["padding_mask"] == 1
    if name == "backbone":
        return x, None, None, theirs
    if name in ("pretrainer", "masked_lm"):
        y = {"masked_lm": np.zeros((rows, 3), "int32")}
        w = {"masked_lm": np.zeros((rows, 3), "float32")}
        x["mask_positions"] = np.zeros((rows, 3), "int32")
        theirs["labels"] = np.full((rows, length), -100)
        for row in range(rows):
            places = rng.permutation(real[row].sum())[:3]
            x["mask_positions"][row, : len(places)] = places
            y["masked_lm"][row, : len(places)] = rng.integers(0, vocabulary_size, len(places))
            w["masked_lm"][row, : len(places)] = 1
            theirs["labels"][row, places] = y["masked_lm"][row, : len(places)]
        if name == "pretrainer":
            y["next_sentence"] = rng.integers(0, 2, rows)
            w["next_sentence"] = np.ones(rows, "float32")
            theirs["next_sentence_label"] = y["next_sentence"]
        return x, y, w, theirs
    w = None
    if name == "token":
        labels = rng.integers(0, 3, (rows, length))
        labelled = real & (rng.random((rows, length)) < 0.6)
        y = {"token_classification": labels}
        w = {"token_classification": labelled.astype("float32")}
        theirs["labels"] = np.where(labelled, labels, -100)
    elif name == "span":
        y = {key: rng.integers(0, length, rows) for key in ("span_start", "span_end")}
        theirs |= {"start_positions": y["span_start"], "end_positions": y["span_end"]}
    else:
        (output,) = HEADS[name].outputs
        labels = {
            "multi_label": lambda: rng.integers(0, 2, (rows, 3)),
            "regression": lambda: rng.normal(0, 1, (rows, 3)),
            "score": lambda: rng.normal(0, 1, rows),
            "next_sentence": lambda: rng.integers(0, 2, rows),
        }.get(name, lambda: rng.integers(0, 3, rows))()
        y = {output: labels}
        theirs["labels"] = labels.astype("float64") if name == "multi_label" else labels
    return x, y, w, theirs


def randomize(model, seed=0, spread=0.3):
    """Gives every weight a value that matters: none 0, no gain 1."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        center = 1.0 if weight.path.endswith("gamma") else 0.0
        weight.assign(center + spread * rng.standard_normal(weight.shape, "float32"))
    return model


def at_hugging_face(model, name, folder=None, dtype=torch.float64):
    """Hugging Face's model of what we write of ours; no key may be missing, or one too many."""
    if folder is None:
        with tempfile.TemporaryDirectory() as folder:
            return at_hugging_face(model, name, folder, dtype)
    huggingface.write_folder(folder, model, 0)
    theirs, report = getattr(transformers, HEADS[name].theirs).from_pretrained(
        folder, output_loading_info=True, dtype=dtype
    )
    assert not any(report.values()), report
    return theirs.eval()


def tensors(values, dtype=torch.float64):
    """NumPy's arrays as PyTorch's: whole numbers as int64, the others as `dtype`."""
    return {
        key: torch.tensor(value).to(dtype if value.dtype.kind == "f" else torch.int64)
        for key, value in values.items()
    }


def outputs_of_theirs(name, outputs, x):
    """Their outputs by our names, float64; a masked LM's at our positions only."""
    values = {
        ours: getattr(outputs, theirs).detach().double().numpy()
        for ours, theirs in HEADS[name].outputs.items()
    }
    if "masked_lm" in values:
        pairs = zip(values["masked_lm"], x["mask_positions"], strict=True)
        values["masked_lm"] = np.stack([row[places] for row, places in pairs])
    return values


def compute_ours(model, name, x, y, w):
    """Our outputs, loss and gradients, by the names of the tensors in a file."""
    model.compile(**HEADS[name].losses())
    variables = {}
    for tensor in names.model_tensors(model):
        variables[tensor.name] = tensor
    with tf.GradientTape() as tape:
        outputs = model(x, training=False)
        loss = model.compute_loss(x, y, outputs, w, training=False)
    found = tape.gradient(loss, [tensor.variable.value for tensor in variables.values()])
    gradients = {}
    for (key, tensor), gradient in zip(variables.items(), found, strict=True):
        if gradient is not None:
            value = tf.convert_to_tensor(gradient).numpy().astype("float64")
            gradients[key] = value.T if tensor.transposed else value
    return {key: np.asarray(value) for key, value in outputs.items()}, float(loss), gradients


def compute_theirs(theirs, name, x, arguments, dtype=torch.float64):
    """Hugging Face's outputs, loss (by its own `labels`) and gradients."""
    outputs = theirs(**tensors(arguments, dtype))
    outputs.loss.backward()
    gradients = {
        key: parameter.grad.double().numpy()
        for key, parameter in theirs.named_parameters()
        if parameter.grad is not None
    }
    return outputs_of_theirs(name, outputs, x), float(outputs.loss.detach()), gradients
