"""BERT with the masked-LM head alone."""

import keras

from keras_bert.layers.masked_lm_head import MaskedLMHead
from keras_bert.models.task import TaskModel, as_backbone


def masked_lm_head(backbone):
    """Makes the head that fits a backbone: its table, activation, epsilon and initializer."""
    config = backbone.config
    return MaskedLMHead(
        backbone.embeddings,
        config.head_activation,
        config.head_layer_norm_epsilon,
        config.initializer_range,
        dtype=backbone.embeddings.dtype_policy,
        name="masked_lm",
    )


def mask_positions_input():
    """Returns the input of masked positions, int32 `(batch, masks)`; unused slots 0."""
    return keras.Input((None,), dtype="int32", name="mask_positions")


@keras.saving.register_keras_serializable("keras_bert")
class BertMaskedLM(TaskModel):
    """Scores the vocabulary at the masked positions: fill-mask, or pretraining without pairs.

    Source: Devlin et al. 2018, section 3.1.

    Args:
        backbone: `BertBackbone`.

    Call arguments: the backbone's dict and
        mask_positions: int32 `(batch, masks)`; unused slots 0.

    Returns: a dict:
        masked_lm: float32 logits `(batch, masks, vocabulary_size)`.

    Example:
        >>> model = BertMaskedLM(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> ones = np.ones((2, 5), "int32")
        >>> model({"token_ids": ones, "segment_ids": ones, "padding_mask": ones,
        ...        "mask_positions": ones[:, :3]})["masked_lm"].shape
        TensorShape([2, 3, 100])
    """

    def __init__(self, backbone, **kwargs):
        backbone = as_backbone(backbone)

        # === Layers ===
        head = masked_lm_head(backbone)

        # === Functional graph ===
        inputs = {**backbone.input, "mask_positions": mask_positions_input()}
        hidden = backbone(backbone.input)
        outputs = {"masked_lm": head(hidden["sequence_output"], inputs["mask_positions"])}

        # === Config ===
        kwargs.setdefault("name", "bert_masked_lm")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.masked_lm_head = head
