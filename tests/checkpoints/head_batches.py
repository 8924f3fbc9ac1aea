"""One batch for every head, here and at Hugging Face; plain NumPy."""

import numpy as np
from numpy_bert import choice_inputs, hf_config, inputs

# Name -> Hugging Face's class, our output where the labels are of one, problem type.
CLASSES = {
    "backbone": ("BertModel", None, None),
    "pretrainer": ("BertForPreTraining", None, None),
    "masked_lm": ("BertForMaskedLM", None, None),
    "next_sentence": ("BertForNextSentencePrediction", "next_sentence", None),
    "single_label": (
        "BertForSequenceClassification",
        "classification",
        "single_label_classification",
    ),
    "multi_label": (
        "BertForSequenceClassification",
        "classification",
        "multi_label_classification",
    ),
    "regression": ("BertForSequenceClassification", "regression", "regression"),
    "score": ("BertForSequenceClassification", "regression", "regression"),
    "token": ("BertForTokenClassification", "token_classification", None),
    "span": ("BertForQuestionAnswering", None, None),
    "choice": ("BertForMultipleChoice", "multiple_choice", None),
}
LABELS = ["O", "B-谁", "I-谁"]
NAMES = {  # of inputs, ours -> theirs
    "token_ids": "input_ids",
    "segment_ids": "token_type_ids",
    "padding_mask": "attention_mask",
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
    if name == "token":
        labels = rng.integers(0, 3, (rows, length))
        labelled = real & (rng.random((rows, length)) < 0.6)
        y = {"token_classification": labels}
        w = {"token_classification": labelled.astype("float32")}
        return x, y, w, {**theirs, "labels": np.where(labelled, labels, -100)}
    if name == "span":
        y = {key: rng.integers(0, length, rows) for key in ("span_start", "span_end")}
        theirs |= {"start_positions": y["span_start"], "end_positions": y["span_end"]}
        return x, y, None, theirs
    labels = {
        "multi_label": lambda: rng.integers(0, 2, (rows, 3)),
        "regression": lambda: rng.normal(0, 1, (rows, 3)),
        "score": lambda: rng.normal(0, 1, rows),
        "next_sentence": lambda: rng.integers(0, 2, rows),
    }.get(name, lambda: rng.integers(0, 3, rows))()
    theirs["labels"] = labels.astype("float64") if name == "multi_label" else labels
    return x, {CLASSES[name][1]: labels}, None, theirs


def golden_config(name, activation):
    """The config.json of the tiny model of which tests/golden/heads.json tells."""
    architecture, _, problem_type = CLASSES[name]
    labels = {"score": ["score"]}.get(name, LABELS)
    values = {"problem_type": problem_type} if problem_type else {}
    if problem_type or name == "token":
        values["id2label"] = {str(number): label for number, label in enumerate(labels)}
    return hf_config(architectures=[architecture], hidden_act=activation, **values)
