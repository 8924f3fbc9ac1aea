"""The pooler: one vector a sequence, from the first token."""

import keras

from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable("keras_bert")
class Pooler(keras.layers.Layer):
    """Passes the first token's vector through a dense layer with tanh.

    Source: google-research/bert `modeling.py`, `BertModel.get_pooled_output`.

    Args:
        initializer_range: float, default 0.02.

    Call arguments:
        sequence_output: float `(batch, sequence, hidden_dim)`.

    Returns:
        Float `(batch, hidden_dim)`.

    Example:
        >>> Pooler()(np.ones((2, 5, 8), "float32")).shape
        TensorShape([2, 8])
    """

    def __init__(self, initializer_range=0.02, **kwargs):
        super().__init__(**kwargs)
        self.initializer_range = initializer_range

    def build(self, sequence_output_shape):
        self.dense = keras.layers.Dense(
            sequence_output_shape[-1],
            activation="tanh",
            kernel_initializer=kernel_initializer(self.initializer_range),
            dtype=self.dtype_policy,
            name="dense",
        )
        self.dense.build((sequence_output_shape[0], sequence_output_shape[-1]))

    def initialize(self):
        """Draws the kernel anew."""
        kernel = self.dense.kernel
        kernel.assign(kernel_initializer(self.initializer_range)(kernel.shape, kernel.dtype))

    def call(self, sequence_output):
        return self.dense(sequence_output[:, 0, :])

    def get_config(self):
        return {**super().get_config(), "initializer_range": self.initializer_range}
