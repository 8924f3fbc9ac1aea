"""BERT that says how two entities of a text are related."""

import keras

from keras_bert.checkpoints.heads import classifier_labels
from keras_bert.checkpoints.opening import open_source
from keras_bert.layers.gather_tokens import GatherTokens
from keras_bert.models.task import (
    TaskModel,
    as_backbone,
    checked_labels,
    dense_head,
    dropout_rate,
)


@keras.saving.register_keras_serializable("keras_bert")
class BertRelationClassifier(TaskModel):
    """The relation of two entities, from the vectors of the markers before them.

    Source: Baldini Soares et al. 2019, https://arxiv.org/abs/1906.03158, section 3.2: markers
    around both entities, the vectors of the two opening ones joined ("entity start"). Hugging Face
    has no such class: `save_preset` writes it with a `model_type` of our own. Compile with
    `kb.losses.relation_classification`.

    Args:
        backbone: `BertBackbone`, whose vocabulary holds the markers, see
            `kb.RelationPreprocessor`. Its pooler is not used.
        labels: list of two or more str, the relations; output `i` is `labels[i]`.
        dropout: float, rate on the joined vectors. Default: the backbone's `dropout`.

    Call arguments: the backbone's dict and
        entity_positions: int32 `(batch, 2)`, where in its row each entity's opening marker stands.

    Returns: a dict:
        relation: float32 logits `(batch, len(labels))`.

    Raises:
        ValueError: too few labels, a label twice, or one that is not a str.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> model = BertRelationClassifier(backbone, ["Other", "Cause-Effect(e1,e2)"])
        >>> ones = np.ones((3, 5), "int32")
        >>> model({"token_ids": ones, "segment_ids": ones, "padding_mask": ones,
        ...        "entity_positions": ones[:, :2]})["relation"].shape
        TensorShape([3, 2])
    """

    def __init__(self, backbone, labels, dropout=None, **kwargs):
        backbone = as_backbone(backbone)
        labels = checked_labels("BertRelationClassifier", labels, 2)
        rate = dropout_rate(backbone, dropout)

        # === Layers ===
        gather = GatherTokens(name="entity_starts")
        join = keras.layers.Reshape((2 * backbone.config.hidden_dim,), name="join")
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = dense_head(backbone, len(labels), "relation")

        # === Functional graph ===
        positions = keras.Input((2,), dtype="int32", name="entity_positions")
        inputs = {**backbone.input, "entity_positions": positions}
        sequence = backbone(backbone.input)["sequence_output"]
        x = join(gather(sequence, positions))  # (batch, 2 * hidden_dim)
        outputs = {"relation": classifier(dropout_layer(x))}

        # === Config ===
        kwargs.setdefault("name", "bert_relation_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.labels = labels
        self.dropout_rate = rate
        self.relation_classifier = classifier

    def get_config(self):
        return {
            **super().get_config(),
            "labels": list(self.labels),
            "dropout": self.dropout_rate,
        }

    @classmethod
    def from_preset(cls, directory, labels=None, dtype=None, recompute=False):
        """Reads a model directory with its classifier, or starts a new one on it.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            labels: list of str, the relations. Default: the directory's `id2label`.

        Returns:
            A `BertRelationClassifier`. Where the directory has no such classifier, a new one of
            `labels`, with a warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`; ValueError also where
                `labels` do not fit the directory's classifier, or neither is there.

        Example:
            >>> model = BertRelationClassifier.from_preset("path/to/model_dir")
        """
        return cls.from_source(open_source(directory), dtype, recompute, labels=labels)

    @classmethod
    def arguments_from(cls, source, labels=None):
        return {
            "labels": classifier_labels(source, labels, "relation_classifier"),
            "dropout": source.values.get("classifier_dropout"),
        }
