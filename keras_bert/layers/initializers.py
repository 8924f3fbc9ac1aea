"""The initializer and the activation every layer takes from the configuration."""

import contextlib
import contextvars

import keras

_without_values = contextvars.ContextVar("_without_values", default=False)


@keras.saving.register_keras_serializable("keras_bert")
class KernelInitializer(keras.initializers.TruncatedNormal):
    """A truncated normal; zeros while `without_values` says that a checkpoint fills them."""

    def __call__(self, shape, dtype=None, **kwargs):
        if _without_values.get():
            return keras.ops.zeros(shape, dtype=dtype)
        return super().__call__(shape, dtype=dtype, **kwargs)


def kernel_initializer(stddev):
    """Returns a fresh truncated normal, as google-research/bert's `create_initializer`."""
    return KernelInitializer(stddev=stddev)


@contextlib.contextmanager
def without_values():
    """Layers that are built inside start with zeros: drawing costs more than reading a file."""
    token = _without_values.set(True)
    try:
        yield
    finally:
        _without_values.reset(token)


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
