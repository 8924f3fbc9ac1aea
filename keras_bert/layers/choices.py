"""Choices of a row as rows of their own, and back."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class MergeChoices(keras.layers.Layer):
    """Makes each choice of a row a row: what follows knows of no choices.

    Call arguments:
        x: `(batch, choices, sequence)`.

    Returns:
        `(batch * choices, sequence)`, a row's choices next to each other.

    Example:
        >>> MergeChoices()(np.ones((2, 3, 5), "int32")).shape
        TensorShape([6, 5])
    """

    def call(self, x):
        batch, choices, length = ops.shape(x)
        return ops.reshape(x, (batch * choices, length))

    def compute_output_spec(self, x):
        batch, choices, length = x.shape
        rows = None if batch is None or choices is None else batch * choices
        return keras.KerasTensor((rows, length), dtype=x.dtype)


@keras.saving.register_keras_serializable("keras_bert")
class SplitChoices(keras.layers.Layer):
    """Puts the scores of a row's choices into a row again.

    Call arguments:
        scores: float `(batch * choices, 1)`.
        x: what `MergeChoices` received, `(batch, choices, sequence)`.

    Returns:
        Float `(batch, choices)`.

    Example:
        >>> SplitChoices()(np.ones((6, 1), "float32"), np.ones((2, 3, 5), "int32")).shape
        TensorShape([2, 3])
    """

    def call(self, scores, x):
        return ops.reshape(scores, ops.shape(x)[:2])

    def compute_output_spec(self, scores, x):
        return keras.KerasTensor(x.shape[:2], dtype=scores.dtype)


@keras.saving.register_keras_serializable("keras_bert")
class SplitTexts(keras.layers.Layer):
    """Puts the vectors of a row's texts into a row again.

    Call arguments:
        vectors: float `(batch * texts, dim)`.
        x: what `MergeChoices` received, `(batch, texts, sequence)`.

    Returns:
        Float `(batch, texts, dim)`.

    Example:
        >>> SplitTexts()(np.ones((6, 4), "float32"), np.ones((2, 3, 5), "int32")).shape
        TensorShape([2, 3, 4])
    """

    def call(self, vectors, x):
        return ops.reshape(vectors, (*ops.shape(x)[:2], vectors.shape[-1]))

    def compute_output_spec(self, vectors, x):
        return keras.KerasTensor((*x.shape[:2], vectors.shape[-1]), dtype=vectors.dtype)
