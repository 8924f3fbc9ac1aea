"""The arithmetic peak of the devices a model trains on: from a table, or measured."""

import functools
import os
import re
import time

import keras
import numpy as np
from keras import ops

# TFLOP/s of dense products by the end of a GPU's name, from its makers' data sheets: bfloat16
# with float32 sums, float16 likewise, float32 as TF32 (which TensorFlow uses) where there is such.
# None: no such arithmetic in hardware, so it is measured.
GPUS = {
    r"B200": (2250.0, 2250.0, 1100.0),
    r"H100 PCIe": (756.0, 756.0, 378.0),
    r"H[12]00 NVL": (835.0, 835.0, 417.0),
    r"(G?H100|G?H200|H800)\b.*": (989.0, 989.0, 494.0),
    r"(A100|A800)\b.*": (312.0, 312.0, 156.0),
    r"A30": (165.0, 165.0, 82.0),
    r"A40": (150.0, 150.0, 75.0),
    r"A10": (125.0, 125.0, 62.5),
    r"A10G": (70.0, 70.0, 35.0),
    r"L4": (121.0, 121.0, 60.0),
    r"L40": (181.0, 181.0, 90.5),
    r"L40S": (362.0, 362.0, 183.0),
    r"V100-PCIE\b.*": (None, 112.0, 14.0),
    r"V100\b.*": (None, 125.0, 15.7),
    r"T4": (None, 65.0, 8.1),
    r"RTX A6000": (155.0, 155.0, 77.0),
    r"RTX 6000 Ada Generation": (364.0, 364.0, 182.0),
    r"RTX 3090": (71.0, 71.0, 35.6),
    r"RTX 4090": (165.0, 165.0, 82.6),
    r"RTX 5090": (209.0, 209.0, 104.0),
}
# TFLOP/s of one device as the runtime counts them (a core in v2 and v3), bfloat16 products with
# float32 sums, which is also how float32 layers run there. Kinds as JAX and Google Cloud say them.
TPUS = {
    r"v2": 22.5,
    r"v3": 61.5,
    r"v4": 275.0,
    r"v5 ?(lite|e|litepod)": 197.0,
    r"v5p?": 459.0,
    r"v6 ?(lite|e)": 918.0,
}


def training_peak(model):
    """Finds how many operations a second the devices could do that a model trains on.

    Args:
        model: a compiled `BertModel`.

    Returns:
        float, FLOP/s of all devices of all workers together in the layers' compute dtype (workers
        are taken to be alike), or None where it can neither be looked up nor measured.

    Example:
        >>> training_peak(model) / 1e9
        215.3...
    """
    dtype = getattr(model, "backbone", model).embeddings.compute_dtype
    backend = keras.backend.backend()
    if backend == "tensorflow":
        kind, name, devices, workers = _on_tensorflow(model.distribute_strategy)
    elif backend == "jax":
        kind, name, devices, workers = _on_jax()
    else:
        return None
    if kind == "TPU":
        known = _look_up(TPUS, name)
        return known and 1e12 * known * devices
    if kind == "GPU":
        return device_peak(name, dtype) * devices
    # Virtual devices share the processors of their machine.
    return measured_peak(dtype) * workers


def device_peak(name, dtype):
    """Returns FLOP/s of one GPU by its name, as the driver gives it; measured if not known."""
    row = None if "MIG" in name else _look_up(GPUS, name)  # a slice does less than its card
    known = row and row[{"bfloat16": 0, "float16": 1}.get(dtype, 2)]
    return 1e12 * known if known else measured_peak(dtype)


@functools.cache
def measured_peak(dtype):
    """Measures FLOP/s of this process's first device: the best of a few square matrix products.

    The product grows from 512 rows until it takes a twentieth of a second or has 8,192: about a
    second in all. It is measured once a process.

    Args:
        dtype: str, of both factors.

    Returns:
        float.
    """
    size = 512
    while True:
        factor = ops.convert_to_tensor(
            np.random.default_rng(0).standard_normal((size, size), "float32"), dtype=dtype
        )
        seconds = min(_seconds_of_product(factor) for _ in range(3))  # the first warms up
        if seconds > 0.05 or size == 8192:
            # A neighbour on the machine can slow some of them, and hasten none.
            seconds = min(seconds, *(_seconds_of_product(factor) for _ in range(8)))
            return 2.0 * size**3 / seconds
        size *= 2


def _seconds_of_product(factor):
    start = time.perf_counter()
    # Reading one value waits for the product.
    ops.convert_to_numpy(ops.cast(ops.matmul(factor, factor)[0, 0], "float32"))
    return time.perf_counter() - start


def _look_up(table, name):
    for pattern, value in table.items():
        if re.search(rf"\b{pattern}$", name):
            return value
    return None


def _on_tensorflow(strategy):
    """Returns (kind, name, devices of all workers, workers)."""
    import tensorflow as tf

    devices = strategy.num_replicas_in_sync
    if devices == 1:
        here = ["GPU" if tf.config.list_logical_devices("GPU") else "CPU"]
    else:
        here = [tf.DeviceSpec.from_string(d).device_type for d in strategy.extended.worker_devices]
    kind = here[0]
    name = ""
    if kind == "GPU":
        gpu = tf.config.list_physical_devices("GPU")[0]
        name = tf.config.experimental.get_device_details(gpu).get("device_name", "")
    elif kind == "TPU":
        name = os.environ.get("TPU_ACCELERATOR_TYPE", "").rpartition("-")[0]  # v4-8 has 8 cores
    return kind, name, devices, devices // len(here)


def _on_jax():
    import jax

    distribution = keras.distribution.distribution()
    devices = 1 if distribution is None else distribution.device_mesh.devices.size
    device = jax.devices()[0]
    return device.platform.upper(), device.device_kind, devices, jax.process_count()
