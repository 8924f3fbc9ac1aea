"""Dropout whose draw can be made beforehand, and so made again."""

import keras


class Dropout(keras.layers.Dropout):
    """Keras's dropout; with `seed` it draws what it drew from that seed before.

    Call arguments:
        x: float, any shape.
        training: bool, without which nothing is dropped. Default False.
        seed: what `draw` returned; default None: a new draw.

    Returns:
        Float, the shape of `x`.

    Example:
        >>> layer = Dropout(0.5)
        >>> seed = layer.draw()
        >>> first = layer(np.ones(4, "float32"), training=True, seed=seed)
        >>> bool(np.all(first == layer(np.ones(4, "float32"), training=True, seed=seed)))
        True
    """

    def draw(self):
        """Returns the next seed, and moves the layer's generator on; None at rate 0."""
        return self.seed_generator.next() if self.rate > 0 else None

    def call(self, x, training=False, seed=None):
        if seed is None or not training:
            return super().call(x, training=training)
        return keras.random.dropout(x, self.rate, seed=_Drawn(seed))


class _Drawn(keras.random.SeedGenerator):
    """A seed that is there already, in the form that Keras's random functions take."""

    def __init__(self, seed):
        self._seed = seed  # and no state

    def next(self, ordered=True):
        return self._seed
