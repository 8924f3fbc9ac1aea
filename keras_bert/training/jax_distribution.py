"""Several devices on Keras's JAX backend: whole models on each, or models spread over them."""

import keras

DISTRIBUTIONS = ("data", "model")

# Megatron's split of a layer, https://arxiv.org/abs/1909.08053: a column of heads, or of the inner
# part, lives on one device, from the first product to the second, whose results are then summed.
# Path of a variable (a regular expression) -> the axis of the mesh along which each axis is cut.
LAYOUTS = {
    r".*/attention/(query|key|value)/kernel": (None, "model"),
    r".*/attention/(query|key|value)/bias": ("model",),
    r".*/attention/projection/kernel": ("model", None),
    r".*/intermediate/kernel": (None, "model"),
    r".*/intermediate/bias": ("model",),
    r".*/output/kernel": ("model", None),
    r"(.*/)?embeddings/token_table": ("model", None),
    r"(.*/)?masked_lm/bias": ("model",),
}


def distribution(name="data", model_shards=None):
    """Makes a `keras.distribution` for the models here; build, compile and fit in its `scope()`.

    A batch is spread over the devices, or over the groups of devices that hold one model together,
    so their number must divide it. Losses and metrics are those of the whole batch.

    Args:
        name: str. `"data"`: every device holds the whole model. `"model"`: `model_shards` devices
            hold one model together: attention is cut by heads, the feed-forward part by its inner
            dimension, the token table by the vocabulary, or by its vectors where the vocabulary
            does not divide. The optimizer's moments are cut likewise.
        model_shards: int, devices that share one model, with `"model"` only; it divides the number
            of devices. Default: all of them.

    Returns:
        A `keras.distribution.Distribution` over all devices that JAX sees.

    Raises:
        ValueError: the name is not known, Keras does not run on JAX, or `model_shards` does not
            fit the devices.

    Example:
        >>> with distribution("model", model_shards=4).scope():
        ...     model = BertPretrainer(BertBackbone(BertConfig.named("large")))
        ...     model.compile(optimizer=adamw(1e-4), **pretraining())
        ...     model.fit(data, steps_per_epoch=1_000)
    """
    if name not in DISTRIBUTIONS:
        raise ValueError(
            f"distribution: expected one of {', '.join(DISTRIBUTIONS)}; received {name!r}"
        )
    if keras.backend.backend() != "jax":
        raise ValueError(
            "distribution: keras.distribution needs Keras on JAX (KERAS_BACKEND=jax); Keras runs "
            f"on {keras.backend.backend()}. Use kb.strategy there"
        )
    devices = keras.distribution.list_devices()
    if name == "data":
        if model_shards is not None:
            raise ValueError('distribution: model_shards goes with "model", not with "data"')
        return keras.distribution.DataParallel(devices=devices)
    shards = len(devices) if model_shards is None else model_shards
    if shards < 1 or len(devices) % shards:
        raise ValueError(
            f"distribution: model_shards must divide the number of devices, {len(devices)}; "
            f"received {shards}"
        )
    mesh = keras.distribution.DeviceMesh(
        (len(devices) // shards, shards), ("batch", "model"), devices
    )
    layouts = keras.distribution.LayoutMap(mesh)
    for path, axes in LAYOUTS.items():
        layouts[path] = axes
    return _ModelParallel(layout_map=layouts, batch_dim_name="batch")


class _ModelParallel(keras.distribution.ModelParallel):
    """Keras's, but a variable that does not divide is cut along another axis, or not at all."""

    def get_variable_layout(self, variable):
        layout = super().get_variable_layout(variable)
        shards = self.device_mesh.shape[1]
        for axes in (layout.axes, layout.axes[::-1]):
            if all(
                axis != "model" or size % shards == 0
                for axis, size in zip(axes, variable.shape, strict=True)
            ):
                return keras.distribution.TensorLayout(axes, self.device_mesh)
        return keras.distribution.TensorLayout([None] * len(variable.shape), self.device_mesh)
