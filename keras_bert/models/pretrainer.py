"""BERT with both pretraining heads."""

import keras

from keras_bert.checkpoints.huggingface import load_weights
from keras_bert.checkpoints.preset import open_preset
from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.base import BertModel, as_backbone
from keras_bert.models.masked_lm import mask_positions_input, masked_lm_head


@keras.saving.register_keras_serializable("keras_bert")
class BertPretrainer(BertModel):
    """Masked LM and next sentence on one backbone.

    Source: Devlin et al. 2018, section 3.1; google-research/bert `run_pretraining.py`.

    Args:
        backbone: `BertBackbone`.

    Call arguments: the backbone's dict and
        mask_positions: int32 `(batch, masks)`; unused slots 0.

    Returns: a dict:
        masked_lm: float32 logits `(batch, masks, vocabulary_size)`.
        next_sentence: float32 logits `(batch, 2)`; class 0 = the second segment really follows
            the first, 1 = it is random (with `pairs="sop"`: 0 = in order, 1 = swapped).

    Example:
        >>> model = BertPretrainer(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> sorted(model.output)
        ['masked_lm', 'next_sentence']
    """

    def __init__(self, backbone, **kwargs):
        backbone = as_backbone(backbone, BertBackbone)

        # === Layers ===
        head = masked_lm_head(backbone)
        next_sentence = keras.layers.Dense(
            2,
            kernel_initializer=kernel_initializer(backbone.config.initializer_range),
            dtype="float32",
            name="next_sentence",
        )

        # === Functional graph ===
        inputs = {**backbone.input, "mask_positions": mask_positions_input()}
        hidden = backbone(backbone.input)
        outputs = {
            "masked_lm": head(hidden["sequence_output"], inputs["mask_positions"]),
            "next_sentence": next_sentence(hidden["pooled_output"]),
        }

        # === Config ===
        kwargs.setdefault("name", "bert_pretrainer")
        super().__init__(inputs, outputs, config=backbone.config, **kwargs)
        self.backbone = backbone
        self.masked_lm_head = head
        self.next_sentence_head = next_sentence

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
        """Reads a Hugging Face model directory with the two heads.

        Args:
            directory, dtype: as in `BertBackbone.from_preset`.

        Returns:
            A `BertPretrainer`. A head that the directory lacks starts anew, with a
            warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`.
        """
        directory, config = open_preset(directory)
        model = cls(BertBackbone(config, dtype=dtype))
        load_weights(model, directory)
        return model
