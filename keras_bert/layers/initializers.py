"""The initializer and the activation every layer takes from the configuration."""

import contextlib
import contextvars

import keras

# What makes the values of a weight that a checkpoint will fill, or None.
_unfilled = contextvars.ContextVar("_unfilled", default=None)


@keras.saving.register_keras_serializable("keras_bert")
class KernelInitializer(keras.initializers.TruncatedNormal):
    """A truncated normal; nothing is drawn inside `without_values`."""

    def __call__(self, shape, dtype=None, **kwargs):
        unfilled = _unfilled.get()
        if unfilled is not None:
            return unfilled(shape, dtype)
        return super().__call__(shape, dtype=dtype, **kwargs)


def kernel_initializer(stddev):
    """Returns a fresh truncated normal, as google-research/bert's `create_initializer`."""
    return KernelInitializer(stddev=stddev)


@contextlib.contextmanager
def without_values(unfilled=keras.ops.zeros):
    """Draws no values for layers that are built inside: a checkpoint will fill them.

    Drawing takes longer than reading a file.

    Args:
        unfilled: function of (shape, dtype), what weights hold meanwhile. Default: zeros.
    """
    token = _unfilled.set(unfilled)
    try:
        yield
    finally:
        _unfilled.reset(token)


def activation(name):
    """Returns the activation function of a `BertConfig.activation` name.

    Keras's own `"gelu"` depends on a default; here `"gelu"` is always the exact erf form and
    `"gelu_tanh"` the approximation.
    """
    if name == "gelu":
        return _gelu_erf
    if name == "gelu_tanh":
        return _gelu_tanh
    return keras.activations.get(name)


def _gelu_erf(x):
    return keras.ops.gelu(x, approximate=False)


def _gelu_tanh(x):
    return keras.ops.gelu(x, approximate=True)
