"""BERT that sorts a text, or a pair of texts, into classes, or gives it numbers."""

import keras

from keras_bert.checkpoints.config_file import PROBLEM_TYPES
from keras_bert.checkpoints.heads import (
    classifier_labels,
    classifier_problem_type,
    classifier_size,
)
from keras_bert.checkpoints.opening import open_source
from keras_bert.layers.choices import MergeChoices, SplitTexts
from keras_bert.layers.window_pooling import WindowPooling
from keras_bert.models.base import backbone_inputs
from keras_bert.models.task import (
    TaskModel,
    as_backbone,
    checked_labels,
    dense_head,
    dropout_rate,
)


@keras.saving.register_keras_serializable("keras_bert")
class BertTextClassifier(TaskModel):
    """One label, several labels or numbers for a text or a pair of texts, from the first token.

    Source: Devlin et al. 2018, section 4.1; google-research/bert `run_classifier.py`; Hugging
    Face's `BertForSequenceClassification`.

    Args:
        backbone: `BertBackbone`.
        labels: list of str, the outputs' names; output `i` is `labels[i]`.
        dropout: float, rate on the pooled output. Default: the backbone's `dropout`.
        problem_type: str, what the outputs mean. `"single_label"`: exactly one of two or more
            classes is right, by softmax; compile with `kb.losses.classification`.
            `"multi_label"`: any of one or more labels are right, each by a sigmoid of its own;
            `kb.losses.multi_label_classification`. `"regression"`: one or more numbers;
            `kb.losses.regression`. Default `"single_label"`.
        thresholds: float, or list of one a label: the probability that a label must reach to be
            told. Of several labels each that does is told; of one class the likeliest, where it
            does, else `out_of_scope`. They are tuned on a validation set
            (`kb.thresholds`) and kept with the model. Default: 0.5 for several labels, 0.0 with
            `out_of_scope`.
        out_of_scope: str, what is told of a text that belongs to none of the classes; for
            `"single_label"` only. Default None: a class is told of every text.
        window_pooling: str, for documents longer than the position table, in windows: how the
            pooled outputs of a document's windows become one, `"mean"`, `"max"` or `"attention"`
            (`keras_bert.layers.window_pooling`). Default None: a text is one row. Hugging Face's
            class reads the files, and knows nothing of windows.

    Call arguments: the backbone's dict; with `window_pooling` each int32 `(batch, windows,
        sequence)`, as `TextClassifierPreprocessor(..., windows=8)` makes them. A batch has any
        number of windows; those of padding alone count for nothing.

    Returns: a dict with one entry:
        classification: float32 logits `(batch, len(labels))`, but for regression;
        regression: float32 numbers `(batch, len(labels))`.

    Raises:
        ValueError: too few labels, a label twice, or one that is not a str; an unknown
            `problem_type` or `window_pooling`; thresholds that are none, or mean nothing to the
            `problem_type`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> model = BertTextClassifier(backbone, labels=["negative", "positive"])
        >>> model.output["classification"].shape
        (None, 2)
        >>> similarity = BertTextClassifier(backbone, ["score"], problem_type="regression")
        >>> similarity.output["regression"].shape
        (None, 1)
    """

    def __init__(
        self,
        backbone,
        labels,
        dropout=None,
        problem_type="single_label",
        thresholds=None,
        out_of_scope=None,
        window_pooling=None,
        **kwargs,
    ):
        backbone = as_backbone(backbone)
        if problem_type not in PROBLEM_TYPES:
            raise ValueError(
                f"BertTextClassifier: problem_type must be one of {', '.join(PROBLEM_TYPES)}; "
                f"received {problem_type!r}"
            )
        least = 2 if problem_type == "single_label" else 1
        labels = checked_labels("BertTextClassifier", labels, least)
        thresholds = _checked_thresholds(thresholds, labels, problem_type, out_of_scope)
        rate = dropout_rate(backbone, dropout)
        output = "regression" if problem_type == "regression" else "classification"

        # === Layers ===
        pooling = None
        if window_pooling is not None:
            pooling = WindowPooling(window_pooling, name="window_pooling")
            merge, split = MergeChoices(name="merge_windows"), SplitTexts(name="split_windows")
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = dense_head(backbone, len(labels), output)

        # === Functional graph ===
        if pooling is None:
            inputs = backbone.input
            x = backbone(inputs)["pooled_output"]
        else:
            inputs = backbone_inputs(dimensions=2)
            rows = {name: merge(x) for name, x in inputs.items()}  # (batch * windows, sequence)
            x = split(backbone(rows)["pooled_output"], inputs["token_ids"])
            x = pooling(x, inputs["padding_mask"])
        outputs = {output: classifier(dropout_layer(x))}

        # === Config ===
        kwargs.setdefault("name", "bert_text_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.labels = labels
        self.dropout_rate = rate
        self.problem_type = problem_type
        self.thresholds = thresholds
        self.out_of_scope = out_of_scope
        self.window_pooling = window_pooling
        self.pooling_layer = pooling
        self.classifier = classifier

    def get_config(self):
        return {
            **super().get_config(),
            "labels": list(self.labels),
            "dropout": self.dropout_rate,
            "problem_type": self.problem_type,
            "thresholds": None if self.thresholds is None else list(self.thresholds),
            "out_of_scope": self.out_of_scope,
            "window_pooling": self.window_pooling,
        }

    def own_values(self):
        values = {
            "thresholds": self.thresholds,
            "out_of_scope": self.out_of_scope,
            "window_pooling": self.window_pooling,
        }
        return {
            name: list(value) if name == "thresholds" else value
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def from_preset(cls, directory, labels=None, problem_type=None, dtype=None, recompute=False):
        """Reads a model directory with its classifier, or starts a new one on it.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            labels: list of str, the outputs' names. Default: the directory's `id2label`.
            problem_type: str, as in `BertTextClassifier`. Default: the directory's; where it says
                none, `"regression"` for a classifier of one output, as Hugging Face has it, else
                `"single_label"`.

        Returns:
            A `BertTextClassifier`. Where the directory has no classifier, or that of another task,
            a new one of `labels`, with a warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`; ValueError also where
                `labels` do not fit the directory's classifier, or neither is there.

        Example:
            >>> model = BertTextClassifier.from_preset("path/to/model_dir")
            >>> new = BertTextClassifier.from_preset("path/to/encoder", labels=["bad", "good"])
        """
        source = open_source(directory)
        return cls.from_source(source, dtype, recompute, labels=labels, problem_type=problem_type)

    @classmethod
    def arguments_from(cls, source, labels=None, problem_type=None):
        arguments = {
            "labels": classifier_labels(source, labels),
            "dropout": source.values.get("classifier_dropout"),
            "problem_type": classifier_problem_type(source, problem_type),
        }
        if classifier_size(source):  # its own, not those of a new one on its backbone
            for name in ("thresholds", "out_of_scope", "window_pooling"):
                arguments[name] = source.values.get(name)
        return arguments


def _checked_thresholds(thresholds, labels, problem_type, out_of_scope):
    """The thresholds as a list, or None where the model has none."""
    if out_of_scope is not None and (problem_type != "single_label" or out_of_scope in labels):
        raise ValueError(
            "BertTextClassifier: out_of_scope is the name of texts of none of the classes, for "
            f"problem_type='single_label'; received {out_of_scope!r}, "
            f"problem_type={problem_type!r}, labels={labels}"
        )
    if problem_type != "multi_label" and out_of_scope is None:
        if thresholds is not None:
            raise ValueError(
                "BertTextClassifier: thresholds are for problem_type='multi_label', or for one "
                f"class with out_of_scope; received {thresholds}, problem_type={problem_type!r}"
            )
        return None
    if thresholds is None:
        thresholds = 0.5 if problem_type == "multi_label" else 0.0
    if not hasattr(thresholds, "__iter__"):
        thresholds = [thresholds] * len(labels)
    thresholds = [float(threshold) for threshold in thresholds]
    if len(thresholds) != len(labels) or not all(0 <= t <= 1 for t in thresholds):
        raise ValueError(
            f"BertTextClassifier: expected thresholds in [0, 1], one for each of {len(labels)} "
            f"labels; received {thresholds}"
        )
    return thresholds
