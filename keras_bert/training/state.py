"""All variables of a model that is being trained, as arrays and back."""

import re

import numpy as np

GROUPS = ("model", "optimizer", "metrics")


def read_state(model, groups=GROUPS):
    """Reads what training changes.

    Under a strategy over several workers all must call it together: metrics are summed over them.

    Args:
        model: a compiled and built model.
        groups: of `"model"` (weights, and the seeds of dropout), `"optimizer"`, `"metrics"`.

    Returns:
        dict of str to NumPy array.
    """
    # One copy each, which the next step does not change.
    return {name: np.asarray(v.value.numpy()) for name, v in _variables(model, groups)}


def write_state(model, arrays, groups=GROUPS):
    """Gives the variables of some groups the values that `read_state` read, where it did."""
    for name, variable in _variables(model, groups):
        if name in arrays:
            variable.assign(arrays[name])


def signature(model):
    """Name, shape and dtype of all variables but the metrics', as rows of plain values."""
    return [
        [name, list(variable.shape), variable.dtype]
        for name, variable in _variables(model, ("model", "optimizer"))
    ]


def zeros_like_state(model, groups=GROUPS):
    """Arrays of the shapes and dtypes of `read_state`."""
    return {
        name: np.zeros(variable.shape, variable.dtype)
        for name, variable in _variables(model, groups)
    }


def _variables(model, groups):
    found = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
    for group in groups:
        for place, variable in enumerate(found[group]):
            path = variable.path
            if group == "optimizer":
                path = path.partition("/")[2]
            # Keras counts what has no name of its own, on and on in one process.
            path = re.sub(r"(seed_generator|accuracy)_\d+/", r"\1/", path)
            yield f"{group}/{place}/{path}", variable
