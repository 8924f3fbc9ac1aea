"""Exporting a task model as a SavedModel that takes raw text."""

import os

import keras
import tensorflow as tf

from keras_bert import atomic
from keras_bert.checkpoints.preset import check_sequence_length, check_vocabulary
from keras_bert.export.classifier import ServedClassifier
from keras_bert.export.masked_lm import ServedMaskedLM
from keras_bert.export.multiple_choice import ServedMultipleChoice
from keras_bert.export.next_sentence import ServedNextSentence
from keras_bert.export.relations import ServedRelations
from keras_bert.export.seq2seq import ServedSeq2Seq
from keras_bert.export.span_classifier import ServedSpanClassifier
from keras_bert.export.text_embedder import ServedEmbedder
from keras_bert.export.token_classifier import ServedTokenClassifier
from keras_bert.export.warmup import write_warmup
from keras_bert.models.embedding_trainer import BertEmbeddingTrainer
from keras_bert.models.ensemble import Ensemble
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

SAVED_MODEL_FILE = "saved_model.pb"

# A task that can be served has a line here and a file beside this one.
_SERVED = {
    BertTextClassifier: ServedClassifier,
    BertMaskedLM: ServedMaskedLM,
    BertMultipleChoice: ServedMultipleChoice,
    BertNextSentence: ServedNextSentence,
    BertRelationClassifier: ServedRelations,
    BertSeq2SeqLM: ServedSeq2Seq,
    BertSpanClassifier: ServedSpanClassifier,
    BertTextEmbedder: ServedEmbedder,
    BertTokenClassifier: ServedTokenClassifier,
}


def export_saved_model(model, preprocess, directory, overwrite=False):
    """Writes a SavedModel that takes strings and returns answers, for TF Serving or `Predictor`.

    It needs nothing of this package: `import tensorflow, tensorflow_text` and
    `tf.saved_model.load` are enough, and TF Serving has TF Text built in. Batches of any size and
    texts of any length are taken; what is longer than `preprocess.sequence_length` is cut. Beside
    the model lies a warm-up file in `assets.extra`. The folder appears when it is complete.

    The signatures, with their inputs and outputs, are those of the `Served...` class in
    `keras_bert/export/` of the model's task; all have `serving_default` (strings) and
    `serve_tokens` (token ids), the classifier has `serve_pairs` too.

    Args:
        model: a task model, but for `BertPretrainer`; or a `kb.ensemble` of such.
        preprocess: the preprocessor that the model was trained with.
        directory: str or path-like, `<name>/<version>` for TF Serving, the version a number.
        overwrite: bool, whether a SavedModel that exists is replaced, as a whole. Default False.

    Raises:
        FileExistsError: the folder exists and `overwrite` is False, or it is no SavedModel.
        ValueError: the model is of another task, or its labels are none of spans; the tokenizer's
            vocabulary is not as long as the embedding table; `sequence_length` is longer than the
            position table; the model does not run on TensorFlow.
        OSError: something cannot be written; a former folder stays whole.

    Example:
        >>> import tempfile, keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> model = kb.BertTextClassifier(backbone, labels=["bad", "good"])
        >>> preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=16)
        >>> folder = os.path.join(tempfile.mkdtemp(), "mood", "1")
        >>> kb.export_saved_model(model, preprocess, folder)
        >>> sorted(kb.Predictor(folder)("good"))
        ['label', 'score']
    """
    own = model.task if isinstance(model, Ensemble) else type(model)
    served_class = next((s for task, s in _SERVED.items() if issubclass(own, task)), None)
    if served_class is None:
        raise ValueError(
            f"expected one of {', '.join(task.__name__ for task in _SERVED)}; received "
            f"{type(model).__name__}. {_advice(model)}"
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"a SavedModel needs a model on TensorFlow; Keras runs on {keras.backend.backend()}. "
            "Use save_preset, then from_preset and this function under KERAS_BACKEND=tensorflow"
        )
    served = served_class(model, preprocess)
    check_vocabulary(model, preprocess.tokenizer)
    check_sequence_length(model, preprocess)
    with atomic.atomic_directory(directory, overwrite, marker=SAVED_MODEL_FILE) as temporary:
        signatures = served.signatures()
        functions = {name: function for name, (function, _) in signatures.items()}
        requests = {name: requests for name, (_, requests) in signatures.items()}
        served_name = os.path.basename(os.path.dirname(os.path.realpath(os.fspath(directory))))
        logger = tf.get_logger()
        level = logger.level
        try:
            # It would name the temporary folder as the place where the model now lies.
            logger.setLevel("WARNING")
            tf.saved_model.save(served, temporary, signatures=functions)
            write_warmup(temporary, served_name, requests)
        except tf.errors.ResourceExhaustedError as error:  # TensorFlow's name for a full disk
            raise OSError(f"{directory} cannot be written: {error.message}") from error
        finally:
            logger.setLevel(level)


def preprocessor_class(task):
    """The class of the preprocessor that a task model is exported with; None if it is not.

    Args:
        task: class of a model.
    """
    return _SERVED[task].preprocessor_class if task in _SERVED else None


def preprocessor_classes():
    """The classes of preprocessors that task models are exported with, each once, a list."""
    return list(dict.fromkeys(served.preprocessor_class for served in _SERVED.values()))


def _advice(model):
    """Returns how to make of a model that has no task of its own one that can be exported."""
    if isinstance(model, BertPretrainer):
        return (
            "Save it by save_preset(folder, model, preprocess), then export "
            "BertMaskedLM.from_preset(folder), or fine-tune BertTextClassifier.from_preset(folder, "
            "labels)"
        )
    if isinstance(model, BertEmbeddingTrainer):
        return "Export its embedder: model.embedder"
    return "Put the backbone into one of them and train it"
