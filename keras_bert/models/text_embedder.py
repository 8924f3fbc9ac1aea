"""BERT that makes of a text one vector, to be compared with those of others."""

import keras

from keras_bert.checkpoints.opening import open_source
from keras_bert.layers.token_pooling import TokenPooling
from keras_bert.models.task import TaskModel, as_backbone


@keras.saving.register_keras_serializable("keras_bert")
class BertTextEmbedder(TaskModel):
    """A sentence embedding: the tokens' vectors pooled and, or not, scaled to length 1.

    Source: Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084. It has no weights beside
    the backbone's; directories of sentence-transformers are read, and what `save_preset` writes
    is one.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.
        pooling: str, `"mean"`, `"cls"`, `"max"` or `"mean_sqrt_len_tokens"`; see `TokenPooling`.
            Default `"mean"`.
        normalize: bool, whether embeddings have length 1, so that their dot product is the cosine.
            Default True.

    Call arguments: the backbone's dict.

    Returns: a dict:
        embedding: float32 `(batch, hidden_dim)`.

    Raises:
        ValueError: an unknown `pooling`.

    Example:
        >>> model = BertTextEmbedder(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> model.output["embedding"].shape
        (None, 128)
    """

    def __init__(self, backbone, pooling="mean", normalize=True, **kwargs):
        backbone = as_backbone(backbone)

        # === Layers ===
        pool = TokenPooling(pooling, normalize, name="token_pooling")

        # === Functional graph ===
        inputs = backbone.input
        x = backbone(inputs)["sequence_output"]
        outputs = {"embedding": pool(x, inputs["padding_mask"])}

        # === Config ===
        kwargs.setdefault("name", "bert_text_embedder")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.pooling = pooling
        self.normalize = normalize

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling, "normalize": self.normalize}

    @classmethod
    def from_preset(cls, directory, pooling=None, normalize=None, dtype=None, recompute=False):
        """Reads an embedder, or makes one of any checkpoint's backbone.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.
            pooling, normalize: as in `BertTextEmbedder`. Default: as a directory of
                sentence-transformers says; `"mean"` and True where it is none.

        Returns:
            A `BertTextEmbedder`.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`.

        Example:
            >>> model = BertTextEmbedder.from_preset("path/to/all-MiniLM-L6-v2")
        """
        source = open_source(directory)
        return cls.from_source(source, dtype, recompute, pooling=pooling, normalize=normalize)

    @classmethod
    def arguments_from(cls, source, pooling=None, normalize=None):
        stored = source.embedding or {"pooling": "mean", "normalize": True}
        return {
            "pooling": stored["pooling"] if pooling is None else pooling,
            "normalize": stored["normalize"] if normalize is None else normalize,
        }
