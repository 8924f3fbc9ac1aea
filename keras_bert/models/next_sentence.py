"""BERT that says whether a text follows another."""

import keras

from keras_bert.models.task import TaskModel, as_backbone, dense_head


@keras.saving.register_keras_serializable("keras_bert")
class BertNextSentence(TaskModel):
    """The next-sentence head alone, the one of `BertPretrainer`.

    Source: Devlin et al. 2018, section 3.1; Hugging Face's `BertForNextSentencePrediction`.
    Compile with `kb.losses.next_sentence`.

    Args:
        backbone: `BertBackbone`.

    Call arguments: the backbone's dict, of pairs.

    Returns: a dict:
        next_sentence: float32 logits `(batch, 2)`; class 0 = the second segment really follows
            the first, 1 = it is random.

    Example:
        >>> model = BertNextSentence(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> model.output["next_sentence"].shape
        (None, 2)
    """

    def __init__(self, backbone, **kwargs):
        backbone = as_backbone(backbone)

        # === Layers ===
        next_sentence = dense_head(backbone, 2, "next_sentence")

        # === Functional graph ===
        inputs = backbone.input
        outputs = {"next_sentence": next_sentence(backbone(inputs)["pooled_output"])}

        # === Config ===
        kwargs.setdefault("name", "bert_next_sentence")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.next_sentence_head = next_sentence
