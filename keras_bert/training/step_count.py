"""How many steps the optimizer of a model has taken, under any strategy."""

from keras import ops


def steps_taken(model):
    """Returns the optimizer's steps as an int.

    `int` of the variable fails where a strategy keeps a copy on each replica.

    Args:
        model: a compiled Keras model; inside a callback `self.model`, which on JAX brings the
            variables up to date.

    Example:
        >>> steps_taken(model)
        1000
    """
    return int(ops.convert_to_numpy(model.optimizer.iterations))
