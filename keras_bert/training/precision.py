"""Which numbers to compute with, by device and size of the model."""

import keras

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
# From this hidden size on bfloat16 was faster than float32 on a CPU that multiplies it: by 10% at
# 256, 60-80% at 512, 30% at 768 (python -m benchmarks.run --only=training_step has both).
BFLOAT16_FROM = 256


def precision(name="auto", config=None):
    """Chooses the dtype policy of a model's layers; weights stay float32.

    Losses, softmax and LayerNorm are computed in float32 under every policy.

    Args:
        name: str, `"auto"` or a Keras dtype policy, which comes back as it is. Default `"auto"`.
        config: `BertConfig`; on a CPU its `hidden_dim` decides too. Default None: a large one.

    Returns:
        str. For `"auto"`: on TPUs `"mixed_bfloat16"`; on GPUs that from compute capability 8.0,
        `"mixed_float16"` from 7.0 (compile with `adamw(..., loss_scale="dynamic")`), `"float32"`
        below; on a CPU `"mixed_bfloat16"` where it has instructions for it and `hidden_dim` is at
        least 256, else `"float32"`. The least of all devices decides.

    Example:
        >>> precision("auto", BertConfig.named("tiny")) in POLICIES
        True
    """
    if name != "auto":
        return name
    kind, capabilities = _devices()
    if kind == "TPU":
        return "mixed_bfloat16"
    if kind == "GPU":
        least = min(capabilities)
        if least >= (8, 0):
            return "mixed_bfloat16"
        return "mixed_float16" if least >= (7, 0) else "float32"
    is_large = config is None or config.hidden_dim >= BFLOAT16_FROM
    # Inside XLA, where JAX computes, bfloat16 is slower than float32 on a CPU.
    is_fast = keras.backend.backend() == "tensorflow" and _multiplies_bfloat16()
    return "mixed_bfloat16" if is_large and is_fast else "float32"


def policy_of(dtype, config):
    """The Keras policy for a model's `dtype`, which may be `"auto"`."""
    return keras.dtype_policies.get(precision(dtype, config) if dtype == "auto" else dtype)


def _devices():
    """The kind that computes, `"TPU"`, `"GPU"` or `"CPU"`, and the GPUs' compute capabilities."""
    if keras.backend.backend() == "jax":
        import jax

        devices = jax.local_devices()
        kind = devices[0].platform.upper()
        if kind in ("GPU", "CUDA"):
            numbers = [str(getattr(device, "compute_capability", "0.0")) for device in devices]
            return "GPU", [tuple(int(part) for part in number.split(".")) for number in numbers]
        return kind, []
    import tensorflow as tf

    if tf.config.list_logical_devices("TPU"):
        return "TPU", []
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU", []
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    # Other makers' GPUs name none; float32 is right everywhere.
    return "GPU", [detail.get("compute_capability", (0, 0)) for detail in details]


def _multiplies_bfloat16():
    """Whether this processor has AVX512-BF16 or AMX-BF16 (as Linux tells)."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))
