"""BERT that finds the part of a text that answers a question."""

import keras

from keras_bert.models.task import TaskModel, as_backbone, dense_head


@keras.saving.register_keras_serializable("keras_bert")
class BertSpanClassifier(TaskModel):
    """Where an answer begins and where it ends: extractive question answering.

    Source: Devlin et al. 2018, section 4.2; google-research/bert `run_squad.py`; Hugging Face's
    `BertForQuestionAnswering`. Compile with `kb.losses.span`.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.

    Call arguments: the backbone's dict; usually the question first, the text second.

    Returns: a dict:
        span_start: float32 logits `(batch, sequence)`, of the answer's first token.
        span_end: float32 logits `(batch, sequence)`, of its last token. As in the source, padding
            has logits too, in both: leave it out when you choose an answer.

    Example:
        >>> model = BertSpanClassifier(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> sorted(model.output)
        ['span_end', 'span_start']
    """

    def __init__(self, backbone, **kwargs):
        backbone = as_backbone(backbone)

        # === Layers ===
        classifier = dense_head(backbone, 2, "span")

        # === Functional graph ===
        inputs = backbone.input
        logits = classifier(backbone(inputs)["sequence_output"])  # (batch, sequence, 2)
        outputs = {"span_start": logits[..., 0], "span_end": logits[..., 1]}

        # === Config ===
        kwargs.setdefault("name", "bert_span_classifier")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.span_classifier = classifier
