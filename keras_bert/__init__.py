"""keras_bert: BERT for TensorFlow and Keras, from raw text to a served model.

`import keras_bert as kb` is light: a room (`kb.text`, `kb.data`, ...) and what it holds load on
first use, so that models alone never import TensorFlow Text.
"""

import importlib
import sys

__version__ = "0.1.0"

# Public name -> module that holds it; a module named by itself is the value.
_PUBLIC = {
    "AveragedWeights": "keras_bert.training.averaging",
    "BertBackbone": "keras_bert.models.backbone",
    "BertConfig": "keras_bert.config",
    "BertEmbeddingTrainer": "keras_bert.models.embedding_trainer",
    "BertMaskedLM": "keras_bert.models.masked_lm",
    "BertMultiTask": "keras_bert.models.multi_task",
    "BertMultipleChoice": "keras_bert.models.multiple_choice",
    "BertNextSentence": "keras_bert.models.next_sentence",
    "BertPretrainer": "keras_bert.models.pretrainer",
    "BertRelationClassifier": "keras_bert.models.relation_classifier",
    "BertSeq2SeqLM": "keras_bert.models.seq2seq_lm",
    "BertSpanClassifier": "keras_bert.models.span_classifier",
    "BertTextClassifier": "keras_bert.models.text_classifier",
    "BertTextEmbedder": "keras_bert.models.text_embedder",
    "BertTokenClassifier": "keras_bert.models.token_classifier",
    "BertTokenizer": "keras_bert.text.tokenizer",
    "EarlyStopping": "keras_bert.training.early_stopping",
    "MaskedLMPreprocessor": "keras_bert.text.preprocessors",
    "MultipleChoicePreprocessor": "keras_bert.text.choice_preprocessor",
    "Predictor": "keras_bert.serving.predictor",
    "RelationPreprocessor": "keras_bert.text.relation_preprocessor",
    "Resume": "keras_bert.training.resume",
    "RunLog": "keras_bert.training.run_log",
    "Seq2SeqPreprocessor": "keras_bert.text.seq2seq_preprocessor",
    "SpanPreprocessor": "keras_bert.text.span_preprocessor",
    "SemanticIndex": "keras_bert.serving.semantic_search",
    "SentenceEncoder": "keras_bert.serving.sentence_encoder",
    "TextClassifierPreprocessor": "keras_bert.text.preprocessors",
    "TextGenerator": "keras_bert.serving.text_generator",
    "TokenClassifierPreprocessor": "keras_bert.text.token_preprocessor",
    "Throughput": "keras_bert.training.throughput",
    "add_lora": "keras_bert.models.lora",
    "averaged_weights": "keras_bert.models.averaged_weights",
    "distribution": "keras_bert.training.jax_distribution",
    "ensemble": "keras_bert.models.ensemble",
    "export_checkpoint": "keras_bert.checkpoints.exporting",
    "export_saved_model": "keras_bert.export.saved_model",
    "extend_vocabulary": "keras_bert.models.vocabulary",
    "find_learning_rate": "keras_bert.training.rate_finding",
    "freeze": "keras_bert.models.freezing",
    "lengthen": "keras_bert.models.positions",
    "merge_lora": "keras_bert.models.lora",
    "model_from_preset": "keras_bert.models.any_task",
    "precision": "keras_bert.training.precision",
    "preprocessor_from_preset": "keras_bert.export.preprocessor",
    "rank": "keras_bert.serving.ranking",
    "regularize": "keras_bert.training.regularization",
    "replace_vocabulary": "keras_bert.models.vocabulary",
    "search": "keras_bert.training.search",
    "save_preset": "keras_bert.checkpoints.preset",
    "strategy": "keras_bert.training.distribution",
}
_ROOMS = {
    "data": "keras_bert.data",
    "evaluation": "keras_bert.training.evaluation",
    "losses": "keras_bert.training.losses",
    "metrics": "keras_bert.training.metrics",
    "optimizers": "keras_bert.training.optimizers",
    "plots": "keras_bert.plots",
    "text": "keras_bert.text",
    "thresholds": "keras_bert.training.thresholds",
}

# Modules with classes that a `.keras` file may name.
_SAVED = (
    "keras_bert.models.embedding_trainer",
    "keras_bert.models.ensemble",
    "keras_bert.models.masked_lm",
    "keras_bert.models.multiple_choice",
    "keras_bert.models.next_sentence",
    "keras_bert.models.pretrainer",
    "keras_bert.models.relation_classifier",
    "keras_bert.models.seq2seq_lm",
    "keras_bert.models.span_classifier",
    "keras_bert.models.text_classifier",
    "keras_bert.models.text_embedder",
    "keras_bert.models.token_classifier",
    "keras_bert.training.chain_losses",
    "keras_bert.training.embedding_losses",
    "keras_bert.training.losses",
    "keras_bert.training.optimizers",
)

__all__ = ["__version__", *_PUBLIC, *_ROOMS]


def __getattr__(name):
    if name in _ROOMS:
        value = importlib.import_module(_ROOMS[name])
    elif name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
    else:
        raise AttributeError(f"module 'keras_bert' has no attribute {name!r}")
    globals()[name] = value
    _register_with_keras()
    return value


def __dir__():
    return sorted(__all__)


def _register_with_keras():
    """Makes our classes known to `keras.models.load_model`, once Keras is there to know them."""
    if "keras" in sys.modules:
        for module in _SAVED:
            importlib.import_module(module)


_register_with_keras()
