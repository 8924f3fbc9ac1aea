"""The running averages of the weights, in the model while it is measured."""

import keras
from keras import ops


class AveragedWeights(keras.callbacks.Callback):
    """Puts the optimizer's averages into the model for validation and for later callbacks.

    For an optimizer that keeps them, `kb.optimizers.adamw(average=0.99)`. Validation inside `fit`
    measures the averages, and callbacks behind this one find them in the model at the end of an
    epoch: `kb.EarlyStopping` there keeps the best averages. `kb.Resume` belongs before it. Training
    goes on from the weights that it had, bit for bit; Keras's `SwapEMAWeights` swaps by adding and
    subtracting, which rounds them. A copy of the weights is in host memory meanwhile.

    Raises:
        ValueError: the optimizer keeps no averages.

    Example:
        >>> model.compile(kb.optimizers.adamw(2e-5, average=0.99), **kb.losses.classification())
        >>> model.fit(train, validation_data=dev, callbacks=[kb.AveragedWeights()])
    """

    def on_train_begin(self, logs=None):
        self._own = None
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ValueError(
                "AveragedWeights: the optimizer keeps no averages; compile with "
                "kb.optimizers.adamw(..., average=0.99)"
            )

    def on_test_begin(self, logs=None):
        self._show()

    def on_test_end(self, logs=None):
        self._hide()

    def on_epoch_begin(self, epoch, logs=None):
        self._hide()

    def on_epoch_end(self, epoch, logs=None):
        self._show()

    def _show(self):
        optimizer = self.model.optimizer
        self._own = [ops.convert_to_numpy(v) + 0 for v in optimizer._trainable_variables]
        self._assign([ops.convert_to_numpy(v) for v in optimizer._model_variables_moving_average])

    def _hide(self):
        if self._own is not None:
            self._assign(self._own)
            self._own = None

    def _assign(self, values):
        for variable, value in zip(self.model.optimizer._trainable_variables, values, strict=True):
            variable.assign(value)
