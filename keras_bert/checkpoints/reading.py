"""Values of a checkpoint on their way into a model: one tensor at a time, the next read ahead."""

import concurrent.futures

import numpy as np


class _Values:
    """An array that a backend copies once: of one that it knows, TensorFlow makes two copies."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __array__(self, dtype=None, copy=None):
        return self._array if dtype is None else self._array.astype(dtype, copy=False)


def read_ahead(found, tensors):
    """Yields (variable, value): a thread reads and transposes the next while one is assigned.

    Args:
        found: dict of canonical name -> `names.Tensor`.
        tensors: those of a `Source`.
    """

    def read(name, tensor):
        value = tensors.read(name)
        return np.ascontiguousarray(value.T) if tensor.transposed else value

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        following = None
        for name, tensor in found.items():
            current, following = following, (tensor.variable, pool.submit(read, name, tensor))
            if current is not None:
                yield current[0], _Values(current[1].result())
                current = None  # its memory goes before the next is waited for
        if following is not None:
            yield following[0], _Values(following[1].result())
