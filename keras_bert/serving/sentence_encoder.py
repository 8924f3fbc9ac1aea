"""Embeddings of texts from a model in this process."""

import numpy as np

from keras_bert.checkpoints.preset import check_sequence_length, check_vocabulary
from keras_bert.models.text_embedder import BertTextEmbedder
from keras_bert.serving.text_batches import batches_by_length, checked_texts


class SentenceEncoder:
    """Makes embeddings of texts, as `Predictor` does of an exported model.

    Args:
        model: `BertTextEmbedder`.
        preprocess: `TextClassifierPreprocessor`, the one that it was trained with.

    Call arguments:
        texts: str, or a list of str.
        batch_size: int, most texts at once. Default 32. Texts are sorted by length inside, so that
            batches hold little padding.

    Returns of a call: float32 `(texts, hidden_dim)`, in the order of the texts; for a single text
        `(hidden_dim,)`.

    Raises:
        ValueError: the model is of another class; the tokenizer or the length does not fit it;
            `batch_size` below 1.
        TypeError: something that is no text.

    Example:
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=6))
        >>> encode = SentenceEncoder(
        ...     kb.BertTextEmbedder(backbone), kb.TextClassifierPreprocessor(tokenizer))
        >>> encode(["good", "very good"]).shape
        (2, 128)
    """

    def __init__(self, model, preprocess):
        if not isinstance(model, BertTextEmbedder):
            raise ValueError(
                f"expected a BertTextEmbedder; received {type(model).__name__}. A "
                "BertEmbeddingTrainer's is its `embedder`"
            )
        check_vocabulary(model, preprocess.tokenizer)
        check_sequence_length(model, preprocess)
        self.model = model
        self.preprocess = preprocess

    def __call__(self, texts, batch_size=32):
        if isinstance(texts, str):
            return self([texts], batch_size)[0]
        texts = checked_texts(texts)
        batches = batches_by_length(texts, batch_size)
        vectors = np.zeros((len(texts), self.model.config.hidden_dim), "float32")
        for places in batches:
            inputs = self.preprocess([texts[place] for place in places])
            vectors[places] = self.model.predict_on_batch(inputs)["embedding"]
        return vectors
