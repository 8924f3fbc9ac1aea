"""BERT that picks one of several texts."""

import keras

from keras_bert.layers.choices import MergeChoices, SplitChoices
from keras_bert.models.base import backbone_inputs
from keras_bert.models.task import TaskModel, as_backbone, dense_head, dropout_rate


@keras.saving.register_keras_serializable("keras_bert")
class BertMultipleChoice(TaskModel):
    """A score for each choice of a row: which ending, which answer.

    Source: Devlin et al. 2018, section 4.4; Hugging Face's `BertForMultipleChoice`. Each choice,
    usually paired with the text before it, goes through the backbone as a row of its own. Compile
    with `kb.losses.multiple_choice`.

    Args:
        backbone: `BertBackbone`.
        dropout: float, rate on the pooled output. Default: the backbone's `dropout`.

    Call arguments: a dict of int32 `(batch, choices, sequence)`, of the backbone's keys and with
        their meaning. A batch has any number of choices, one for all of its rows.

    Returns: a dict:
        multiple_choice: float32 logits `(batch, choices)`.

    Example:
        >>> model = BertMultipleChoice(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> ones = np.ones((2, 4, 5), "int32")
        >>> x = {"token_ids": ones, "segment_ids": ones, "padding_mask": ones}
        >>> model(x)["multiple_choice"].shape
        TensorShape([2, 4])
    """

    def __init__(self, backbone, dropout=None, **kwargs):
        backbone = as_backbone(backbone)
        rate = dropout_rate(backbone, dropout)

        # === Layers ===
        merge = MergeChoices(name="merge_choices")
        dropout_layer = keras.layers.Dropout(rate, name="classifier_dropout")
        classifier = dense_head(backbone, 1, "choice_score")
        split = SplitChoices(dtype="float32", name="split_choices")

        # === Functional graph ===
        inputs = backbone_inputs(dimensions=2)
        rows = {name: merge(x) for name, x in inputs.items()}  # (batch * choices, sequence)
        x = classifier(dropout_layer(backbone(rows)["pooled_output"]))
        outputs = {"multiple_choice": split(x, inputs["token_ids"])}

        # === Config ===
        kwargs.setdefault("name", "bert_multiple_choice")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.dropout_rate = rate
        self.choice_classifier = classifier

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout_rate}

    @classmethod
    def arguments_from(cls, source):
        return {"dropout": source.values.get("classifier_dropout")}
