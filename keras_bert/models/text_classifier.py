"""BERT that sorts a text, or a pair of texts, into one of several classes."""

import keras

from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.base import BertModel, as_backbone


@keras.saving.register_keras_serializable("keras_bert")
class BertTextClassifier(BertModel):
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
        backbone = as_backbone(backbone, BertBackbone)
        labels = list(labels)
        if len(labels) < 2 or len(set(labels)) != len(labels):
            raise ValueError(
                f"BertTextClassifier: labels must be two or more different names; received {labels}"
            )
        if not all(isinstance(label, str) for label in labels):
            raise ValueError(
                f"BertTextClassifier: labels must be str; received {labels}. Write numbers as str, "
                'for instance ["0", "1"]'
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
        super().__init__(inputs, outputs, config=backbone.config, **kwargs)
        self.backbone = backbone
        self.labels = labels
        self.dropout_rate = rate
        self.classifier = classifier

    def get_config(self):
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "labels": list(self.labels),
            "dropout": self.dropout_rate,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
