"""BERT that finds the part of a text that answers a question."""

import math

import keras

from keras_bert.checkpoints.config_file import no_answer_threshold_of
from keras_bert.models.task import TaskModel, as_backbone, dense_head


@keras.saving.register_keras_serializable("keras_bert")
class BertSpanClassifier(TaskModel):
    """Where an answer begins and where it ends: extractive question answering.

    Source: Devlin et al. 2018, section 4.2; google-research/bert `run_squad.py`; Hugging Face's
    `BertForQuestionAnswering`. Compile with `kb.losses.span`.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.
        no_answer_threshold: float, for a model that learnt that a question may have no answer: it
            has none where the score of the first token (the sum of both logits) exceeds that of
            the best span by more than this. It is kept with the model; nothing in the graph reads
            it. Default None: every question has an answer.

    Call arguments: the backbone's dict; usually the question first, the text second.

    Returns: a dict:
        span_start: float32 logits `(batch, sequence)`, of the answer's first token.
        span_end: float32 logits `(batch, sequence)`, of its last token. As in the source, padding
            has logits too, in both: leave it out when you choose an answer.

    Raises:
        ValueError: `no_answer_threshold` is no finite number.

    Example:
        >>> model = BertSpanClassifier(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> sorted(model.output)
        ['span_end', 'span_start']
    """

    def __init__(self, backbone, no_answer_threshold=None, **kwargs):
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
        self.no_answer_threshold = no_answer_threshold

    @property
    def no_answer_threshold(self):
        """float or None; may be set, as after tuning it."""
        return self._no_answer_threshold

    @no_answer_threshold.setter
    def no_answer_threshold(self, value):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (is_number and math.isfinite(value)):
            raise ValueError(
                "BertSpanClassifier: no_answer_threshold must be a finite number, or None where "
                f"every question has an answer; received {value!r}"
            )
        self._no_answer_threshold = None if value is None else float(value)

    def get_config(self):
        return {**super().get_config(), "no_answer_threshold": self.no_answer_threshold}

    @classmethod
    def arguments_from(cls, source, **given):
        return {"no_answer_threshold": no_answer_threshold_of(source), **given}
