"""BERT that gives every token a label: named entities, parts of speech."""

import re

import keras

from keras_bert.checkpoints.heads import classifier_labels, classifier_size
from keras_bert.checkpoints.opening import open_source
from keras_bert.layers.crf import Crf
from keras_bert.models.task import (
    TaskModel,
    as_backbone,
    checked_labels,
    dense_head,
    dropout_rate,
)

# How Keras and TensorFlow say that labels and logits are of different lengths.
_SHAPES = r"must have the same|Dimensions must be equal|Incompatible shapes"


@keras.saving.register_keras_serializable("keras_bert")
class BertTokenClassifier(TaskModel):
    """One label for each token, from its own vector, or from its neighbours' labels too.

    Source: Devlin et al. 2018, section 5.3; Hugging Face's `BertForTokenClassification`. Compile
    with `kb.losses.token_classification`.

    With `crf=True` labels form a chain (Lample et al. 2016, https://arxiv.org/abs/1603.01360): what
    follows what has a score too, the loss is that of whole chains, and the served model answers by
    the likeliest chain, each label with its probability over all of them. The chain runs over the
    tokens that have labels, first pieces of words, whatever lies between. Its scores move by the
    learning rate of an encoder hardly at all: see `crf_learning_rate` of `kb.optimizers.adamw`.
    Hugging Face's class reads the files, but for the chain's scores, which it names as unused.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.
        labels: list of str, two or more names; class `i` of the output is `labels[i]`.
        dropout: float, rate on the tokens' vectors. Default: the backbone's `dropout`.
        crf: bool, whether labels form a chain. Default False.

    Call arguments: the backbone's dict.

    Returns: a dict:
        token_classification: float32 logits `(batch, sequence, len(labels))`; those of padding
            mean nothing. With a CRF `(batch, sequence + len(labels) + 2, len(labels))`: the scores
            of the chain stand behind those of the tokens (`keras_bert.layers.crf`).

    Raises:
        ValueError: fewer than two labels, a label twice, or one that is not a str.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> model = BertTokenClassifier(backbone, labels=["O", "B-PER", "I-PER"])
        >>> model.output["token_classification"].shape
        (None, None, 3)
    """

    def __init__(self, backbone, labels, dropout=None, crf=False, **kwargs):
        backbone = as_backbone(backbone)
        labels = checked_labels("BertTokenClassifier", labels, least=2)
        rate = dropout_rate(backbone, dropout)

        # === Layers ===
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = dense_head(backbone, len(labels), "token_classification")
        chain = Crf(name="crf") if crf else None

        # === Functional graph ===
        inputs = backbone.input
        x = backbone(inputs)["sequence_output"]
        logits = classifier(dropout_layer(x))
        outputs = {"token_classification": chain(logits) if crf else logits}

        # === Config ===
        kwargs.setdefault("name", "bert_token_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.labels = labels
        self.dropout_rate = rate
        self.token_classifier = classifier
        self.crf = chain

    def get_config(self):
        return {
            **super().get_config(),
            "labels": list(self.labels),
            "dropout": self.dropout_rate,
            "crf": self.crf is not None,
        }

    def _advice(self, message):
        if self.crf is not None and re.search(_SHAPES, message):
            return (
                "This model has a CRF, whose output holds the scores of the chain too; compile it "
                "with **kb.losses.token_classification(crf=True)"
            )
        return super()._advice(message)

    def own_values(self):
        return {} if self.crf is None else {"crf": True}

    @classmethod
    def from_preset(cls, directory, labels=None, crf=None, dtype=None, recompute=False):
        """Reads a model directory with its token classifier, or starts a new one on it.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            labels: list of str, the classes' names. Default: the directory's `id2label`.
            crf: bool, as in `BertTokenClassifier`. Default: as the directory's classifier has it.

        Returns, raises: as `BertTextClassifier.from_preset`.

        Example:
            >>> model = BertTokenClassifier.from_preset("path/to/model_dir")
            >>> new = BertTokenClassifier.from_preset("path/to/encoder", labels=["O", "B", "I"])
        """
        return cls.from_source(open_source(directory), dtype, recompute, labels=labels, crf=crf)

    @classmethod
    def arguments_from(cls, source, labels=None, crf=None):
        if crf is None:  # its own, not that of a new one on its backbone
            has_own = classifier_size(source, part="token_classifier") > 0
            crf = has_own and source.values.get("crf", False)
        return {
            "crf": bool(crf),
            "labels": classifier_labels(source, labels, part="token_classifier"),
            "dropout": source.values.get("classifier_dropout"),
        }
