"""BERT with both pretraining heads."""

import keras

from keras_bert.models.masked_lm import mask_positions_input, masked_lm_head
from keras_bert.models.task import TaskModel, as_backbone, dense_head


@keras.saving.register_keras_serializable("keras_bert")
class BertPretrainer(TaskModel):
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
        backbone = as_backbone(backbone)

        # === Layers ===
        head = masked_lm_head(backbone)
        next_sentence = dense_head(backbone, 2, "next_sentence")

        # === Functional graph ===
        inputs = {**backbone.input, "mask_positions": mask_positions_input()}
        hidden = backbone(backbone.input)
        outputs = {
            "masked_lm": head(hidden["sequence_output"], inputs["mask_positions"]),
            "next_sentence": next_sentence(hidden["pooled_output"]),
        }

        # === Config ===
        kwargs.setdefault("name", "bert_pretrainer")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.masked_lm_head = head
        self.next_sentence_head = next_sentence
