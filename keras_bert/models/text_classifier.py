"""BERT that sorts a text, or a pair of texts, into one of several classes."""

import keras

from keras_bert.checkpoints.opening import open_source
from keras_bert.checkpoints.preset import classifier_labels
from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.task import TaskModel, as_backbone


@keras.saving.register_keras_serializable("keras_bert")
class BertTextClassifier(TaskModel):
    """One label for a text or a pair of texts, from the pooled first token.

    Source: Devlin et al. 2018, section 4.1; google-research/bert `run_classifier.py`.

    Args:
        backbone: `BertBackbone`.
        labels: list of str, the classes' names; class `i` of the output is `labels[i]`.
        dropout: float, rate on the pooled output. Default: the backbone's `dropout`.

    Call arguments: the backbone's dict.

    Returns: a dict:
        classification: float32 logits `(batch, len(labels))`.

    Raises:
        ValueError: fewer than two labels, a label twice, or one that is not a str.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> model = BertTextClassifier(backbone, labels=["negative", "positive"])
        >>> model.output["classification"].shape
        (None, 2)
    """

    def __init__(self, backbone, labels, dropout=None, **kwargs):
        backbone = as_backbone(backbone)
        if isinstance(labels, str):
            raise ValueError(
                f"BertTextClassifier: labels must be a list of str; received {labels!r}"
            )
        labels = list(labels)
        if not all(isinstance(label, str) for label in labels):
            raise ValueError(
                f"BertTextClassifier: labels must be str; received {labels}. Write numbers as str, "
                'for instance ["0", "1"]'
            )
        if len(labels) < 2 or len(set(labels)) != len(labels):
            raise ValueError(
                f"BertTextClassifier: labels must be two or more different names; received {labels}"
            )
        rate = backbone.config.dropout if dropout is None else dropout

        # === Layers ===
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = keras.layers.Dense(
            len(labels),
            kernel_initializer=kernel_initializer(backbone.config.initializer_range),
            dtype="float32",
            name="classification",
        )

        # === Functional graph ===
        inputs = backbone.input
        x = backbone(inputs)["pooled_output"]
        outputs = {"classification": classifier(dropout_layer(x))}

        # === Config ===
        kwargs.setdefault("name", "bert_text_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.labels = labels
        self.dropout_rate = rate
        self.classifier = classifier

    def get_config(self):
        return {**super().get_config(), "labels": list(self.labels), "dropout": self.dropout_rate}

    @classmethod
    def from_preset(cls, directory, labels=None, dtype=None, recompute=False):
        """Reads a Hugging Face model directory with its classifier, or starts a new one on it.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            labels: list of str, the classes' names. Default: the directory's `id2label`.

        Returns:
            A `BertTextClassifier`. Where the directory has no classifier, a new one of `labels`,
            with a warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`; ValueError also where
                `labels` do not fit the directory's classifier, or neither is there.

        Example:
            >>> model = BertTextClassifier.from_preset("path/to/model_dir")
            >>> new = BertTextClassifier.from_preset("path/to/encoder", labels=["bad", "good"])
        """
        return cls.from_source(open_source(directory), dtype, recompute, labels=labels)

    @classmethod
    def arguments_from(cls, source, labels=None):
        return {
            "labels": classifier_labels(source, labels),
            "dropout": source.values.get("classifier_dropout"),
        }
