"""Reads a checkpoint into the model that its heads ask for."""

from keras_bert.checkpoints.opening import open_source
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.masked_lm import BertMaskedLM
from keras_bert.models.multiple_choice import BertMultipleChoice
from keras_bert.models.next_sentence import BertNextSentence
from keras_bert.models.pretrainer import BertPretrainer
from keras_bert.models.relation_classifier import BertRelationClassifier
from keras_bert.models.seq2seq_lm import BertSeq2SeqLM
from keras_bert.models.span_classifier import BertSpanClassifier
from keras_bert.models.text_classifier import BertTextClassifier
from keras_bert.models.text_embedder import BertTextEmbedder
from keras_bert.models.token_classifier import BertTokenClassifier

# Hugging Face's class, as the `architectures` of config.json name it -> ours.
_TASKS = {
    "BertModel": BertBackbone,
    "BertForPreTraining": BertPretrainer,
    "BertForMaskedLM": BertMaskedLM,
    "BertForNextSentencePrediction": BertNextSentence,
    "BertForSequenceClassification": BertTextClassifier,
    "BertForTokenClassification": BertTokenClassifier,
    "BertForQuestionAnswering": BertSpanClassifier,
    "BertForMultipleChoice": BertMultipleChoice,
    "BertRelationClassifier": BertRelationClassifier,
    "BertSeq2SeqLM": BertSeq2SeqLM,
}
# The biases of heads that a checkpoint without such a name holds -> the class that has them all.
_HEADS = {
    ("cls.predictions.bias", "cls.seq_relationship.bias"): BertPretrainer,
    ("cls.predictions.bias",): BertMaskedLM,
    ("cls.seq_relationship.bias",): BertNextSentence,
    ("relation_classifier.bias",): BertRelationClassifier,
    ("qa_outputs.bias",): BertSpanClassifier,
    ("classifier.bias",): BertTextClassifier,
}


def model_from_preset(directory, dtype=None, recompute=False):
    """Reads a checkpoint of any kind into the model that its heads ask for.

    Args:
        directory, dtype, recompute: as in `BertBackbone.from_preset`.

    Returns:
        A task model, or a `BertBackbone` where there is no head.

    Raises:
        FileNotFoundError, ValueError: as `BertBackbone.from_preset`.

    Example:
        >>> model = model_from_preset("path/to/uncased_L-12_H-768_A-12.zip")
        >>> type(model).__name__
        'BertPretrainer'
    """
    source = open_source(directory)
    return task_of(source).from_source(source, dtype, recompute)


def task_of(source):
    """The class of the model that an opened checkpoint's heads ask for."""
    if source.embedding is not None:
        return BertTextEmbedder
    for name in source.values.get("architectures") or []:
        if name in _TASKS:
            return _TASKS[name]
    for biases, task in _HEADS.items():
        if all(bias in source.tensors for bias in biases):
            return task
    return BertBackbone


def served_task_of(source):
    """As `task_of`, but of a `BertPretrainer` the head that can be used: its masked LM."""
    task = task_of(source)
    return BertMaskedLM if task is BertPretrainer else task
