"""Reads a model directory's preprocessor, whichever it is."""

from keras_bert.checkpoints.opening import open_source
from keras_bert.export.saved_model import preprocessor_class, preprocessor_classes
from keras_bert.models.any_task import served_task_of
from keras_bert.preset_folder import find_preset
from keras_bert.text.tokenizer_files import read_tokenizer


def preprocessor_from_preset(directory, sequence_length=None):
    """Reads the preprocessor that a model was saved with, its settings included.

    Of a directory that `save_preset` wrote with a preprocessor it is that one; of any other, such
    as one of Hugging Face, the one that the model's task is exported with, by its defaults.

    Args:
        directory: str or path-like, or an `hf://` name.
        sequence_length: int, in place of the one of the directory. Default None: as it says.

    Returns:
        A preprocessor, such as `kb.SpanPreprocessor`.

    Raises:
        FileNotFoundError: no directory, or no vocabulary in it.
        ValueError: a file is damaged; the model has no task, so that nothing says which
            preprocessor it needs.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who"])
        >>> config = kb.BertConfig.named("tiny", vocabulary_size=6)
        >>> model = kb.BertSpanClassifier(kb.BertBackbone(config))
        >>> folder = os.path.join(tempfile.mkdtemp(), "model")
        >>> kb.save_preset(folder, model, kb.SpanPreprocessor(tokenizer, stride=50))
        >>> kb.preprocessor_from_preset(folder).stride
        50
    """
    folder = find_preset(directory)
    stored = read_tokenizer(folder)["preprocessor"]
    if stored is not None:
        classes = {found.__name__: found for found in preprocessor_classes()}
        if stored["class"] not in classes:
            raise ValueError(
                f"{directory}: was saved with a {stored['class']}; expected one of "
                f"{', '.join(classes)}. Read it by that class's from_preset"
            )
        return classes[stored["class"]].from_preset(folder, sequence_length)
    task = served_task_of(open_source(folder))
    found = preprocessor_class(task)
    if found is None:
        raise ValueError(
            f"{directory}: is read as a {task.__name__}, which no preprocessor belongs to; read it "
            "by a class, such as kb.TextClassifierPreprocessor.from_preset(directory)"
        )
    return found.from_preset(folder, sequence_length)
