"""Every head here and at Hugging Face, and what each makes of one batch.

Needs torch and transformers; a test asks for them by `pytest.importorskip` before it imports this.
"""

import dataclasses
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import torch
import transformers
from head_batches import CLASSES, LABELS

import keras_bert as kb
from keras_bert.checkpoints import huggingface, names


@dataclasses.dataclass
class Head:
    """`make`: our model of a backbone; `outputs`: ours -> theirs; `losses`: compile arguments."""

    make: Callable
    outputs: dict
    losses: Callable | None = None


def text(problem_type):
    return lambda backbone: kb.BertTextClassifier(backbone, LABELS, problem_type=problem_type)


HEADS = {
    "backbone": Head(
        lambda backbone: backbone,
        {"sequence_output": "last_hidden_state", "pooled_output": "pooler_output"},
    ),
    "pretrainer": Head(
        kb.BertPretrainer,
        {"masked_lm": "prediction_logits", "next_sentence": "seq_relationship_logits"},
        kb.losses.pretraining,
    ),
    "masked_lm": Head(kb.BertMaskedLM, {"masked_lm": "logits"}, kb.losses.masked_lm),
    "next_sentence": Head(
        kb.BertNextSentence, {"next_sentence": "logits"}, kb.losses.next_sentence
    ),
    "single_label": Head(
        text("single_label"), {"classification": "logits"}, kb.losses.classification
    ),
    "multi_label": Head(
        text("multi_label"), {"classification": "logits"}, kb.losses.multi_label_classification
    ),
    "regression": Head(text("regression"), {"regression": "logits"}, kb.losses.regression),
    "score": Head(
        lambda backbone: kb.BertTextClassifier(backbone, ["score"], problem_type="regression"),
        {"regression": "logits"},
        kb.losses.regression,
    ),
    "token": Head(
        lambda backbone: kb.BertTokenClassifier(backbone, LABELS),
        {"token_classification": "logits"},
        kb.losses.token_classification,
    ),
    "span": Head(
        kb.BertSpanClassifier,
        {"span_start": "start_logits", "span_end": "end_logits"},
        kb.losses.span,
    ),
    "choice": Head(kb.BertMultipleChoice, {"multiple_choice": "logits"}, kb.losses.multiple_choice),
}


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
    theirs, report = getattr(transformers, CLASSES[name][0]).from_pretrained(
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
