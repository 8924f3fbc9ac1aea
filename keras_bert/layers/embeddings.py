"""Token, segment and position embeddings."""

import contextlib
import contextvars

import keras
from keras import ops

from keras_bert.layers.initializers import kernel_initializer

# What the vectors of tokens go through before anything is added to them, or None.
_token_vectors = contextvars.ContextVar("_token_vectors", default=None)


@contextlib.contextmanager
def token_vectors_through(function):
    """Inside it, `BertEmbeddings` hands the vectors of its tokens to a function.

    Args:
        function: of float `(batch, sequence, embedding_dim)`, as looked up in the token table;
            returns the same shape and dtype.
    """
    token = _token_vectors.set(function)
    try:
        yield
    finally:
        _token_vectors.reset(token)


@keras.saving.register_keras_serializable("keras_bert")
class BertEmbeddings(keras.layers.Layer):
    """Sums the token, segment and position tables, normalizes and drops out.

    Source: Devlin et al. 2018, section 3; google-research/bert `modeling.py`,
    `embedding_postprocessor`.

    Args:
        vocabulary_size: int, rows of the token table.
        embedding_dim: int, columns of the three tables.
        max_sequence_length: int, rows of the position table.
        num_segments: int, rows of the segment table. Default 2.
        dropout: float, rate on the sum. Default 0.1.
        layer_norm_epsilon: float, default 1e-12.
        initializer_range: float, standard deviation of the initializer. Default 0.02.

    Call arguments:
        token_ids: int `(batch, sequence)`, each in [0, vocabulary_size).
        segment_ids: int `(batch, sequence)`, 0 = first segment and padding, 1 = second.
        positions: int `(batch, sequence)`, the tokens' places in their rows. Default None: from 0.

    Returns:
        Float `(batch, sequence, embedding_dim)`.

    Raises:
        ValueError: the sequence is longer than the position table, or (when called on values
            rather than inside a compiled graph) an id lies outside its table.

    Example:
        >>> layer = BertEmbeddings(vocabulary_size=10, embedding_dim=4, max_sequence_length=8)
        >>> layer(np.array([[2, 5, 3]]), np.array([[0, 0, 0]])).shape
        TensorShape([1, 3, 4])
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        max_sequence_length,
        num_segments=2,
        dropout=0.1,
        layer_norm_epsilon=1e-12,
        initializer_range=0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.dropout_rate = dropout
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, token_ids_shape, segment_ids_shape=None, positions_shape=None):
        def table(name, rows):
            return self.add_weight(
                name=name,
                shape=(rows, self.embedding_dim),
                initializer=kernel_initializer(self.initializer_range),
                # Looked up in the variable's own precision: casting whole tables to gather a few
                # rows of them would cost more than the gather.
                autocast=False,
            )

        self.token_table = table("token_table", self.vocabulary_size)
        self.segment_table = table("segment_table", self.num_segments)
        self.position_table = table("position_table", self.max_sequence_length)
        self.layer_norm.build((*token_ids_shape, self.embedding_dim))

    def call(self, token_ids, segment_ids, positions=None, training=False):
        length = token_ids.shape[1]
        if length is not None and length > self.max_sequence_length:
            raise ValueError(
                f"{self.name}: received sequences of {length} tokens, but the position table has "
                f"max_sequence_length={self.max_sequence_length} entries; shorten the "
                "preprocessor's sequence_length or build the model with a longer table"
            )
        if _holds_values(token_ids):
            _check_ids(token_ids, self.vocabulary_size, "token_ids", "vocabulary_size")
            _check_ids(segment_ids, self.num_segments, "segment_ids", "num_segments")
        # (batch, sequence, embedding_dim). The segment table is small: a product with one-hot rows
        # has a dense gradient, which is cheaper than scattering into so few rows.
        x = ops.take(self.token_table, self._unwrapped(token_ids), axis=0)
        function = _token_vectors.get()
        if function is not None:
            x = function(x)
        x = x + ops.matmul(
            ops.one_hot(segment_ids, self.num_segments, dtype=x.dtype), self.segment_table
        )
        if positions is None:
            x = x + self.position_table[: ops.shape(token_ids)[1]]
        else:
            x = x + ops.take(self.position_table, positions, axis=0)
        x = ops.cast(x, self.compute_dtype)
        return self.dropout(self.layer_norm(x), training=training)

    def _unwrapped(self, ids):
        # Keras reads id -1 as the table's last row. One table further down it stays what it is: an
        # id outside the table, which fails, by its own number on TensorFlow.
        return ops.where(ids < 0, ids - self.vocabulary_size, ids)

    def compute_output_shape(self, token_ids_shape, segment_ids_shape=None, positions_shape=None):
        return (*token_ids_shape, self.embedding_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "max_sequence_length": self.max_sequence_length,
            "num_segments": self.num_segments,
            "dropout": self.dropout_rate,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "initializer_range": self.initializer_range,
        }


def _holds_values(x):
    """Whether `x` is an array with values, not a symbol in a graph being built or traced."""
    if isinstance(x, keras.KerasTensor):
        return False
    try:
        ops.convert_to_numpy(x)
    except Exception:  # each backend raises its own error for a symbol
        return False
    return True


def _check_ids(ids, table_rows, ids_name, rows_name):
    ids = ops.convert_to_numpy(ids)
    if ids.size and (ids.min() < 0 or ids.max() >= table_rows):
        wrong = ids[(ids < 0) | (ids >= table_rows)][0]
        raise ValueError(
            f"{ids_name}: received id {wrong}, expected ids in [0, {table_rows}) because the model "
            f"was built with {rows_name}={table_rows}; use the tokenizer this model belongs to"
        )
