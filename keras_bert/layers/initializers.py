"""The initializer and the activation every layer takes from the configuration."""

import keras


def kernel_initializer(stddev):
    """Returns a fresh truncated normal, as google-research/bert's `create_initializer`."""
    return keras.initializers.TruncatedNormal(stddev=stddev)


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
