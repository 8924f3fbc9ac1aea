"""The model that teaches an embedder by pairs and triplets of texts."""

import keras

from keras_bert.layers.choices import MergeChoices, SplitTexts
from keras_bert.models.base import backbone_inputs
from keras_bert.models.task import TaskModel
from keras_bert.models.text_embedder import BertTextEmbedder


@keras.saving.register_keras_serializable("keras_bert")
class BertEmbeddingTrainer(TaskModel):
    """Embeddings of all texts of a row: a pair, or an anchor, its positive and its negatives.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084, section 3. All texts of a
    batch go through the one embedder at once. Compile it with `kb.losses.in_batch_negatives`,
    `kb.losses.cosine_regression` or `kb.losses.triplet`. It has no weights of its own: what is
    trained is `embedder`, and `save_preset` writes this model as it writes the embedder.

    Args:
        embedder: `BertTextEmbedder`, which is trained in place.

    Call arguments: a dict of int32 `(batch, texts, sequence)`, of the backbone's keys and with
        their meaning, as `kb.data.embedding_pairs` makes it.

    Returns: a dict:
        embeddings: float32 `(batch, texts, hidden_dim)`.

    Raises:
        ValueError: `embedder` is of another class.

    Example:
        >>> embedder = BertTextEmbedder(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> model = BertEmbeddingTrainer(embedder)
        >>> ones = np.ones((4, 2, 5), "int32")
        >>> x = {"token_ids": ones, "segment_ids": 0 * ones, "padding_mask": ones}
        >>> model(x)["embeddings"].shape
        TensorShape([4, 2, 128])
    """

    def __init__(self, embedder, **kwargs):
        if not isinstance(embedder, BertTextEmbedder):
            raise ValueError(
                f"Expected a BertTextEmbedder; received {type(embedder).__name__}. Put a backbone "
                "into one first: BertTextEmbedder(backbone)"
            )

        # === Layers ===
        merge = MergeChoices(name="merge_texts")
        split = SplitTexts(dtype="float32", name="split_texts")

        # === Functional graph ===
        inputs = backbone_inputs(dimensions=2)
        rows = {name: merge(x) for name, x in inputs.items()}  # (batch * texts, sequence)
        x = embedder(rows)["embedding"]
        outputs = {"embeddings": split(x, inputs["token_ids"])}

        # === Config ===
        kwargs.setdefault("name", "bert_embedding_trainer")
        super().__init__(inputs, outputs, embedder.backbone, **kwargs)
        self.embedder = embedder
        self.pooling = embedder.pooling
        self.normalize = embedder.normalize

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling, "normalize": self.normalize}

    @classmethod
    def from_config(cls, config):
        parts = ("backbone", "pooling", "normalize")
        embedder = BertTextEmbedder(*(config[part] for part in parts))
        return cls(embedder, **{key: x for key, x in config.items() if key not in parts})

    @classmethod
    def from_preset(cls, directory, pooling=None, normalize=None, dtype=None, recompute=False):
        """Reads an embedder, or makes one of any checkpoint's backbone, to be trained.

        Args:
            directory, pooling, normalize, dtype, recompute: as in `BertTextEmbedder.from_preset`.

        Returns:
            A `BertEmbeddingTrainer`.

        Raises:
            FileNotFoundError, ValueError: as `BertTextEmbedder.from_preset`.

        Example:
            >>> model = BertEmbeddingTrainer.from_preset("path/to/all-MiniLM-L6-v2")
        """
        return cls(BertTextEmbedder.from_preset(directory, pooling, normalize, dtype, recompute))

    @classmethod
    def from_source(cls, source, dtype=None, recompute=False, **arguments):
        return cls(BertTextEmbedder.from_source(source, dtype, recompute, **arguments))
