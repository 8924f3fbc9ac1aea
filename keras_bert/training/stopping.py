"""Ending a `fit` after a number of steps that epochs do not divide."""

import keras

from keras_bert.training.step_count import steps_taken


class StopAfter(keras.callbacks.Callback):
    """Ends training when the optimizer has taken `steps` steps, in the middle of an epoch too.

    Validation and the other callbacks still see that epoch's end.

    Args:
        steps: int, the optimizer's steps at which to stop.

    Example:
        >>> model.fit(data, steps_per_epoch=1_000, epochs=2, callbacks=[StopAfter(1_500)])
    """

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        if steps_taken(self.model) >= self.steps:
            self.model.stop_training = True
