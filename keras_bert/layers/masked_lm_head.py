"""The masked-LM head: scores of the vocabulary at the masked positions only."""

import keras
from keras import ops

from keras_bert.layers.embeddings import BertEmbeddings
from keras_bert.layers.initializers import activation as activation_function
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable("keras_bert")
class MaskedLMHead(keras.layers.Layer):
    """Gathers the masked positions, transforms them and scores them against the token table.

    Source: Devlin et al. 2018, section 3.1; google-research/bert `run_pretraining.py`,
    `get_masked_lm_output`. The output matrix is the token table itself (tied), with a bias.

    Args:
        embeddings: the backbone's `BertEmbeddings` layer, whose token table is shared.
        activation: str, as `BertConfig.activation`. Default `"gelu"`.
        layer_norm_epsilon: float, default 1e-12.
        initializer_range: float, default 0.02.

    Call arguments:
        sequence_output: float `(batch, sequence, hidden_dim)`.
        mask_positions: int `(batch, masks)`, positions in the sequence; unused slots 0.

    Returns:
        float32 logits `(batch, masks, vocabulary_size)`.

    Example:
        >>> backbone = BertBackbone(BertConfig.named("tiny", vocabulary_size=100))
        >>> head = MaskedLMHead(backbone.embeddings)
        >>> head(np.ones((2, 5, 128), "float32"), np.array([[1, 3], [2, 0]])).shape
        TensorShape([2, 2, 100])
    """

    def __init__(
        self,
        embeddings,
        activation="gelu",
        layer_norm_epsilon=1e-12,
        initializer_range=0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.embeddings = embeddings
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.activation_function = activation_function(activation)
        self.transform = keras.layers.Dense(
            embeddings.embedding_dim,
            kernel_initializer=kernel_initializer(initializer_range),
            dtype=self.dtype_policy,
            name="transform",
        )
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )

    def build(self, sequence_output_shape, mask_positions_shape=None):
        self.transform.build(sequence_output_shape)
        self.layer_norm.build((*sequence_output_shape[:-1], self.embeddings.embedding_dim))
        self.bias = self.add_weight(
            name="bias", shape=(self.embeddings.vocabulary_size,), initializer="zeros"
        )

    def call(self, sequence_output, mask_positions):
        batch, length = ops.shape(sequence_output)[0], ops.shape(sequence_output)[1]
        # Rows of the flattened batch: a gather along one axis is the cheapest there is.
        flat = ops.reshape(sequence_output, (batch * length, sequence_output.shape[-1]))
        positions = ops.cast(mask_positions, "int32")
        rows = positions + ops.arange(batch)[:, None] * length
        # A position beyond its row would read the next one; a row that is not there is an error.
        rows = ops.where((positions >= 0) & (positions < length), rows, batch * length)
        x = ops.take(flat, ops.reshape(rows, (-1,)), axis=0)  # (batch * masks, hidden_dim)
        x = self.layer_norm(self.activation_function(self.transform(x)))
        table = ops.cast(self.embeddings.token_table, self.compute_dtype)
        logits = ops.matmul(x, ops.transpose(table)) + self.bias
        logits = ops.cast(logits, "float32")
        return ops.reshape(
            logits, (batch, ops.shape(mask_positions)[1], self.embeddings.vocabulary_size)
        )

    def compute_output_spec(self, sequence_output, mask_positions):
        shape = (*mask_positions.shape, self.embeddings.vocabulary_size)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "embeddings": keras.saving.serialize_keras_object(self.embeddings),
            "activation": self.activation,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "initializer_range": self.initializer_range,
        }

    @classmethod
    def from_config(cls, config):
        embeddings = config["embeddings"]
        if not isinstance(embeddings, BertEmbeddings):
            embeddings = keras.saving.deserialize_keras_object(embeddings)
        return cls(**{**config, "embeddings": embeddings})
