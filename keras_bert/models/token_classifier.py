"""BERT that gives every token a label: named entities, parts of speech."""

import keras

from keras_bert.checkpoints.heads import classifier_labels
from keras_bert.checkpoints.opening import open_source
from keras_bert.models.task import (
    TaskModel,
    as_backbone,
    checked_labels,
    dense_head,
    dropout_rate,
)


@keras.saving.register_keras_serializable("keras_bert")
class BertTokenClassifier(TaskModel):
    """One label for each token, from its own vector.

    Source: Devlin et al. 2018, section 5.3; Hugging Face's `BertForTokenClassification`. Compile
    with `kb.losses.token_classification`.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.
        labels: list of str, two or more names; class `i` of the output is `labels[i]`.
        dropout: float, rate on the tokens' vectors. Default: the backbone's `dropout`.

    Call arguments: the backbone's dict.

    Returns: a dict:
        token_classification: float32 logits `(batch, sequence, len(labels))`; those of padding
            mean nothing.

    Raises:
        ValueError: fewer than two labels, a label twice, or one that is not a str.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> model = BertTokenClassifier(backbone, labels=["O", "B-PER", "I-PER"])
        >>> model.output["token_classification"].shape
        (None, None, 3)
    """

    def __init__(self, backbone, labels, dropout=None, **kwargs):
        backbone = as_backbone(backbone)
        labels = checked_labels("BertTokenClassifier", labels, least=2)
        rate = dropout_rate(backbone, dropout)

        # === Layers ===
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = dense_head(backbone, len(labels), "token_classification")

        # === Functional graph ===
        inputs = backbone.input
        x = backbone(inputs)["sequence_output"]
        outputs = {"token_classification": classifier(dropout_layer(x))}

        # === Config ===
        kwargs.setdefault("name", "bert_token_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.labels = labels
        self.dropout_rate = rate
        self.token_classifier = classifier

    def get_config(self):
        return {**super().get_config(), "labels": list(self.labels), "dropout": self.dropout_rate}

    @classmethod
    def from_preset(cls, directory, labels=None, dtype=None, recompute=False):
        """Reads a model directory with its token classifier, or starts a new one on it.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            labels: list of str, the classes' names. Default: the directory's `id2label`.

        Returns, raises: as `BertTextClassifier.from_preset`.

        Example:
            >>> model = BertTokenClassifier.from_preset("path/to/model_dir")
            >>> new = BertTokenClassifier.from_preset("path/to/encoder", labels=["O", "B", "I"])
        """
        return cls.from_source(open_source(directory), dtype, recompute, labels=labels)

    @classmethod
    def arguments_from(cls, source, labels=None):
        return {
            "labels": classifier_labels(source, labels, part="token_classifier"),
            "dropout": source.values.get("classifier_dropout"),
        }
