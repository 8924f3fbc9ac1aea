"""Checkpoints for other systems: Google's TensorFlow 1 layout and KerasHub's presets."""

from keras_bert.checkpoints import google, keras_hub
from keras_bert.checkpoints.preset import write_whole

# Format -> a file that every folder of the kind holds, and no other.
_MARKERS = {"google": google.CONFIG_FILE, "keras_hub": keras_hub.MARKER}


def export_checkpoint(
    model,
    preprocess_or_tokenizer,
    directory,
    format,
    overwrite=False,
    approximate_gelu=False,
    verify=False,
):
    """Writes a model as a checkpoint of another system; `save_preset` writes Hugging Face's.

    Reading it back with `from_preset` gives the same weights, bit for bit. The folder appears when
    it is complete: a kill or a full disk leaves the former one. Models that do not read the pooler
    (masked LM) are written without it, as by `save_preset`.

    Args:
        model: `BertBackbone` or a task model.
        preprocess_or_tokenizer: the preprocessor or the `BertTokenizer` that the model was trained
            with.
        directory: str or path-like, the folder to make.
        format: str. `"google"`: `bert_config.json`, `bert_model.ckpt.*` and `vocab.txt` as
            google-research/bert and what reads its releases expect; heads for pretraining,
            classes and SQuAD. `"keras_hub"`: what `keras_hub.models.BertBackbone.from_preset` (or
            `BertMaskedLM`, `BertTextClassifier`, `BertTextEmbedder`) reads; needs a model of
            `activation="gelu_tanh"`, for KerasHub has no other, and for a masked LM
            `head_activation="gelu"` and `head_layer_norm_epsilon=1e-5`. Names of classes have no
            place in either; a warning lists what was lost.
        overwrite: bool, whether a folder of this format that exists is replaced, as a whole.
            Default False.
        approximate_gelu: bool, whether a KerasHub preset may compute something else than the
            model: the tanh form of GELU for the exact one, and KerasHub's own in the masked-LM
            head. Default False: such a model is refused. Google's layout needs none of it.
        verify: as in `save_preset`.

    Raises:
        FileExistsError: the folder exists and `overwrite` is False, or it is no such checkpoint.
        ValueError: an unknown format; the format has no such variant of BERT or no such head; the
            tokenizer's vocabulary is not as long as the model's embedding table, or the
            preprocessor's `sequence_length` is longer than the position table.
        OSError: something cannot be written; a former folder stays whole.

    Example:
        >>> import os, tempfile, keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> model = kb.BertPretrainer(backbone)
        >>> folder = os.path.join(tempfile.mkdtemp(), "google")
        >>> kb.export_checkpoint(model, tokenizer, folder, "google")
        >>> kb.BertPretrainer.from_preset(folder).config == model.config
        True
    """
    if format not in _MARKERS:
        raise ValueError(
            f"export_checkpoint: format must be one of {', '.join(_MARKERS)}; received {format!r}. "
            "save_preset writes Hugging Face's layout"
        )

    def write(folder, model, preprocess_or_tokenizer):
        tokenizer = getattr(preprocess_or_tokenizer, "tokenizer", preprocess_or_tokenizer)
        if format == "google":
            google.write_folder(folder, model, tokenizer)
            return
        length = model.config.max_sequence_length
        length = getattr(preprocess_or_tokenizer, "sequence_length", length)
        keras_hub.write_folder(folder, model, tokenizer, length, approximate_gelu)

    write_whole(
        directory,
        model,
        preprocess_or_tokenizer,
        write=write,
        marker=_MARKERS[format],
        overwrite=overwrite,
        verify=verify,
    )
