"""BERT with the masked-LM head alone."""

import keras

from keras_bert.checkpoints.huggingface import load_weights
from keras_bert.checkpoints.preset import open_preset
from keras_bert.layers.masked_lm_head import MaskedLMHead
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.base import BertModel, as_backbone


def masked_lm_head(backbone):
    """Makes the head that fits a backbone: its table, activation, epsilon and initializer."""
    config = backbone.config
    return MaskedLMHead(
        backbone.embeddings,
        config.activation,
        config.layer_norm_epsilon,
        config.initializer_range,
        dtype=backbone.embeddings.dtype_policy,
        name="masked_lm",
    )


def mask_positions_input():
    """Returns the input of masked positions, int32 `(batch, masks)`; unused slots 0."""
    return keras.Input((None,), dtype="int32", name="mask_positions")


@keras.saving.register_keras_serializable("keras_bert")
class BertMaskedLM(BertModel):
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
        backbone = as_backbone(backbone, BertBackbone)

        # === Layers ===
        head = masked_lm_head(backbone)

        # === Functional graph ===
        inputs = {**backbone.input, "mask_positions": mask_positions_input()}
        hidden = backbone(backbone.input)
        outputs = {"masked_lm": head(hidden["sequence_output"], inputs["mask_positions"])}

        # === Config ===
        kwargs.setdefault("name", "bert_masked_lm")
        super().__init__(inputs, outputs, config=backbone.config, **kwargs)
        self.backbone = backbone
        self.masked_lm_head = head

    def get_config(self):
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    @classmethod
    def from_preset(cls, directory, dtype=None):
        """Reads a Hugging Face model directory with the masked-LM head.

        Args:
            directory, dtype: as in `BertBackbone.from_preset`.

        Returns:
            A `BertMaskedLM`. A head that the directory lacks starts anew, with a
            warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`.
        """
        directory, config = open_preset(directory)
        model = cls(BertBackbone(config, dtype=dtype))
        load_weights(model, directory)
        return model
