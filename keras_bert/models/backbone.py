"""The BERT encoder as a functional Keras model."""

import keras

from keras_bert.checkpoints.opening import open_source
from keras_bert.checkpoints.weights import load_weights
from keras_bert.layers.embeddings import BertEmbeddings
from keras_bert.layers.encoder_layer import EncoderLayer
from keras_bert.layers.initializers import kernel_initializer, without_values
from keras_bert.layers.pooler import Pooler
from keras_bert.models.base import BertModel, as_config, backbone_inputs
from keras_bert.models.encoder import Encoder
from keras_bert.models.unfilled import unfilled
from keras_bert.training.precision import policy_of


@keras.saving.register_keras_serializable("keras_bert")
class BertBackbone(BertModel):
    """BERT's encoder with pooler: token ids in, a vector a token and a vector a sequence out.

    Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805.

    Args:
        config: `BertConfig`.
        dtype: dtype policy of the layers, for instance `"mixed_bfloat16"`, or `"auto"`: chosen
            by device and size, see `kb.precision`. Default: Keras's global policy.
        recompute: bool, whether training computes the encoder layers' activations again in the
            backward pass and does not keep them: less memory, a longer step, the same gradients.
            Default False.

    Call arguments: a dict of int32 `(batch, sequence)`:
        token_ids: in [0, vocabulary_size).
        segment_ids: 0 = first segment and padding, 1 = second.
        padding_mask: 1 = real token, 0 = padding.

    Returns: a dict:
        sequence_output: float `(batch, sequence, hidden_dim)`.
        pooled_output: float `(batch, hidden_dim)`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> ones = np.ones((2, 5), "int32")
        >>> outputs = backbone({"token_ids": ones, "segment_ids": ones, "padding_mask": ones})
        >>> outputs["pooled_output"].shape
        TensorShape([2, 128])
    """

    def __init__(self, config, dtype=None, recompute=False, **kwargs):
        config = as_config(config)
        policy = policy_of(dtype, config)

        # === Layers ===
        embeddings = BertEmbeddings(
            config.vocabulary_size,
            config.embedding_dim,
            config.max_sequence_length,
            config.num_segments,
            config.dropout,
            config.layer_norm_epsilon,
            config.initializer_range,
            dtype=policy,
            name="embeddings",
        )
        projection = None
        if config.embedding_dim != config.hidden_dim:
            projection = keras.layers.Dense(
                config.hidden_dim,
                kernel_initializer=kernel_initializer(config.initializer_range),
                dtype=policy,
                name="embedding_projection",
            )
        encoder_layers = [
            EncoderLayer(
                config.num_heads,
                config.intermediate_dim,
                config.activation,
                config.dropout,
                config.attention_dropout,
                config.layer_norm_epsilon,
                config.initializer_range,
                config.pre_norm,
                recompute,
                dtype=policy,
                name="encoder_layer" if config.share_layers else f"encoder_layer_{i}",
            )
            for i in range(1 if config.share_layers else config.num_layers)
        ]
        final_norm = None
        if config.pre_norm:
            final_norm = keras.layers.LayerNormalization(
                epsilon=config.layer_norm_epsilon, dtype=policy, name="final_norm"
            )
        pooler = Pooler(config.initializer_range, dtype=policy, name="pooler")

        # === Functional graph ===
        inputs = backbone_inputs()
        encoder = Encoder(
            embeddings,
            projection,
            # Shared layers are one that is passed again and again.
            encoder_layers * (config.num_layers if config.share_layers else 1),
            final_norm,
        )
        x, states, attention_maps = encoder.encode(
            inputs["token_ids"], inputs["segment_ids"], inputs["padding_mask"]
        )
        outputs = {"sequence_output": x, "pooled_output": pooler(x)}

        # === Config ===
        kwargs.setdefault("name", "bert_backbone")
        super().__init__(inputs, outputs, config=config, dtype=policy, **kwargs)
        self.embeddings = embeddings
        self.embedding_projection = projection
        self.encoder_layers = encoder_layers
        self.final_norm = final_norm
        self.pooler = pooler
        self.recompute = recompute
        self._states, self._attention_maps = tuple(states), tuple(attention_maps)

    @property
    def encoder(self):
        """`Encoder` of this backbone's layers: what is computed, for models with other masks."""
        layers = list(self.encoder_layers)
        if self.config.share_layers:
            layers *= self.config.num_layers
        return Encoder(self.embeddings, self.embedding_projection, layers, self.final_norm)

    def internals(self):
        """Makes a model that also returns what happens inside, sharing this one's weights.

        Returns:
            A functional model with the backbone's inputs and outputs and, beside them,
            `layer_outputs`: list of `num_layers + 1` floats `(batch, sequence, hidden_dim)`, the
            embeddings first; `attention_maps`: list of `num_layers` float32
            `(batch, num_heads, sequence, sequence)`, rows are queries and sum to 1.

        Example:
            >>> maps = backbone.internals()(inputs)["attention_maps"]
        """
        return keras.Model(
            self.input,
            {
                **self.output,
                "layer_outputs": list(self._states),
                "attention_maps": list(self._attention_maps),
            },
            name=f"{self.name}_internals",
        )

    def get_config(self):
        return {
            "config": self.config.to_dict(),
            "dtype": keras.dtype_policies.serialize(self._policy),
            "recompute": self.recompute,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_preset(cls, directory, dtype=None, recompute=False):
        """Reads the backbone of a Hugging Face model directory; its heads are left aside.

        Args:
            directory: str or path-like, a folder with `config.json` and `model.safetensors`, as
                `save_preset` and Hugging Face write it; or `"hf://organization/name"`.
            dtype, recompute: as in `BertBackbone`.

        Returns:
            A `BertBackbone`. A directory without pooler gets a new one, with a warning.

        Raises:
            FileNotFoundError: the folder or one of the files is missing.
            ValueError: it is no BERT, or its files do not fit together; the message names file,
                tensor, expected and received.

        Example:
            >>> backbone = BertBackbone.from_preset("path/to/model_dir")
        """
        return cls.from_source(open_source(directory), dtype, recompute)

    @classmethod
    def from_source(cls, source, dtype=None, recompute=False):
        """Reads an opened checkpoint: `from_preset` for who has looked at it before."""
        backbone = cls.empty(source.config, dtype, recompute)
        backbone.fill_from(source, backbone)
        return backbone

    @classmethod
    def empty(cls, config, dtype=None, recompute=False):
        """A backbone whose weights are of any values until `fill_from`: nothing drawn in vain."""
        with without_values(unfilled):
            return cls(config, dtype=dtype, recompute=recompute)

    def fill_from(self, source, model):
        """Fills a model that stands on this backbone, made by `empty`, from an opened checkpoint.

        Args:
            source: `Source`.
            model: this backbone, or the task model on it.
        """
        load_weights(model, source)
        if "pooler.dense.weight" not in source.tensors:
            self.pooler.initialize()
