"""Useful arithmetic counted another way; peaks by name and by measurement."""

import time

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training import peak
from keras_bert.training.arithmetic import useful_flops


@pytest.mark.parametrize("changes", [{}, {"embedding_dim": 6, "intermediate_dim": 20}])
def test_useful_arithmetic_is_that_of_the_kernels(changes):
    config = kb.BertConfig(
        vocabulary_size=50, num_layers=3, hidden_dim=12, num_heads=3, max_sequence_length=8
    ).replace(**changes)
    model = kb.BertMaskedLM(kb.BertBackbone(config))
    sizes = {weight.path: int(np.prod(weight.shape)) for weight in model.weights}
    encoder = sum(
        size
        for path, size in sizes.items()
        if path.endswith("kernel") and ("encoder_layer" in path or "projection" in path)
    )
    (transform,) = (size for path, size in sizes.items() if "transform/kernel" in path)
    head = transform + 50 * config.embedding_dim
    assert useful_flops(config, 7, 2) == 6 * (7 * encoder + 2 * head) > 0
    shared = config.replace(share_layers=True)  # used as often, stored once
    assert useful_flops(shared, 7, 2) == useful_flops(config, 7, 2)


@pytest.mark.parametrize(
    ("name", "dtype", "teraflops"),
    [
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989),
        ("NVIDIA H100 PCIe", "bfloat16", 756),
        ("NVIDIA H200", "float32", 494),
        ("NVIDIA A100-SXM4-40GB", "float16", 312),
        ("NVIDIA A10", "float32", 62.5),
        ("NVIDIA A10G", "bfloat16", 70),
        ("NVIDIA L4", "bfloat16", 121),
        ("NVIDIA L40S", "bfloat16", 362),
        ("Tesla V100-SXM2-16GB", "float16", 125),
        ("Tesla V100-PCIE-32GB", "float32", 14),
        ("Tesla T4", "float16", 65),
        ("NVIDIA GeForce RTX 4090", "bfloat16", 165),
        # Not in the table, or no such arithmetic in hardware: measured.
        ("Tesla T4", "bfloat16", None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bfloat16", None),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "bfloat16", None),
        ("", "float32", None),
    ],
)
def test_gpus_are_known_by_name(monkeypatch, name, dtype, teraflops):
    monkeypatch.setattr(peak, "measured_peak", lambda dtype: -1.0)
    assert peak.device_peak(name, dtype) == (1e12 * teraflops if teraflops else -1.0)


@pytest.mark.parametrize(
    ("names", "teraflops"),
    [
        (("TPU v2", "v2"), 22.5),
        (("TPU v4", "v4"), 275),
        (("TPU v5 lite", "TPU v5e", "v5litepod"), 197),
        (("TPU v5", "TPU v5p", "v5p"), 459),
        (("TPU v6 lite", "v6e"), 918),
        (("TPU v99", ""), None),
    ],
)
def test_tpus_are_known_by_kind(names, teraflops):
    assert {peak._look_up(peak.TPUS, name) for name in names} == {teraflops}


def test_a_cpu_is_measured_once():
    peak.measured_peak.cache_clear()
    start = time.perf_counter()
    figure = peak.measured_peak("float32")
    first = time.perf_counter() - start
    # NumPy's product of the same factors is no faster than five times this, nor ten times slower.
    factor = np.random.default_rng(0).standard_normal((1024, 1024), "float32")
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        factor @ factor
        seconds.append(time.perf_counter() - start)
    assert 0.2 < figure / (2 * 1024**3 / min(seconds)) < 10
    start = time.perf_counter()
    assert peak.measured_peak("float32") == figure
    assert time.perf_counter() - start < first / 100


def test_the_peak_follows_the_layers_dtype(monkeypatch):
    monkeypatch.setattr(peak, "measured_peak", {"float32": 2.0, "bfloat16": 5.0}.get)
    config = kb.BertConfig(vocabulary_size=9, num_layers=1, hidden_dim=4, num_heads=2)
    for policy, expected in (("float32", 2.0), ("mixed_bfloat16", 5.0)):
        model = kb.BertMaskedLM(kb.BertBackbone(config, dtype=policy))
        assert peak.training_peak(model) == expected
