"""What `fit` does about values that are not finite."""

import math

import keras
from keras import ops


class Nonfinite(keras.callbacks.Callback):
    """Ends a training that has met a value that is not finite, or counts what was skipped.

    `BertModel.fit` adds it by itself, before the callbacks it is given: nothing is saved after
    such a step. With `kb.optimizers.adamw` the weights are those before the step, and its
    `on_nonfinite` decides; with another optimizer the loss alone is looked at.

    Logs, with `adamw`: `skipped_steps` at the end of an epoch where `on_nonfinite="skip"`, and
    `loss_scale` and `overflows` with a dynamic scale, all counted from the first step.

    Raises:
        FloatingPointError: names the step, the loss and the learning rate.

    Example:
        >>> model.compile(adamw(1e-4, on_nonfinite="skip"), **pretraining())
        >>> history = model.fit(data).history  # has skipped_steps
    """

    # Without it Keras would wait for every step's logs. (JAX gives their memory to the next step.)
    async_safe = keras.backend.backend() != "jax"

    def on_train_begin(self, logs=None):
        self._seen = 0
        if self._policy() == "stop":
            self.model.optimizer.skipped_steps.assign(0)
            self.model.optimizer.first_skipped.assign(0)
        elif self._policy() == "skip":
            self._seen = self._skipped()

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        # On JAX the optimizer's variables hold the state at the end of an epoch only.
        skipped = self._skipped() if keras.backend.backend() == "tensorflow" else 0
        if self._policy() != "skip":
            if skipped or not math.isfinite(loss):
                raise FloatingPointError(self._message(loss))
        elif skipped > self._seen:
            self._seen = skipped
            self._forget()

    def on_epoch_end(self, epoch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        if self._policy() == "skip":
            logs["skipped_steps"] = self._skipped()
        optimizer = self.model.optimizer
        if getattr(optimizer, "loss_scale", None) == "dynamic":
            logs["loss_scale"] = float(ops.convert_to_numpy(optimizer.current_loss_scale))
            logs["overflows"] = int(ops.convert_to_numpy(optimizer.overflows))

    def _policy(self):
        return getattr(self.model.optimizer, "on_nonfinite", None)

    def _skipped(self):
        """Steps left out so far."""
        if self._policy() is None:
            return 0
        return int(ops.convert_to_numpy(self.model.optimizer.skipped_steps))

    def _forget(self):
        """Starts those means of the epoch anew that a value which is not finite has gone into."""
        for metric in self.model.metrics:
            for part in getattr(metric, "metrics", [metric]):
                if not math.isfinite(float(ops.convert_to_numpy(part.result()))):
                    part.reset_state()

    def _message(self, loss):
        optimizer, kept = self.model.optimizer, ""
        step = int(ops.convert_to_numpy(optimizer.iterations))
        if self._skipped():  # steps may have been tried since
            step = int(ops.convert_to_numpy(optimizer.first_skipped))
            kept = "; the weights are those before that step"
        rate = optimizer._learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = rate(step - 1)
        rate = float(ops.convert_to_numpy(rate))
        what = "gradient" if math.isfinite(loss) else "loss"
        return (
            f"fit: the {what} is not finite at step {step} (loss {loss:.6g}, the epoch's mean; "
            f"learning rate {rate:.6g}){kept}. Look at that batch, lower the learning rate or "
            'lengthen the warm-up, or leave such steps out by adamw(..., on_nonfinite="skip")'
        )


def with_nonfinite(args, kwargs):
    """The arguments of `fit` after `x`, with `Nonfinite` before the callbacks."""
    place = 4  # y, batch_size, epochs, verbose, callbacks
    is_positional = len(args) > place
    callbacks = args[place] if is_positional else kwargs.get("callbacks")
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return args, kwargs  # made for one model by hand, and so complete
    callbacks = [Nonfinite(), *keras.tree.flatten(callbacks or [])]
    if is_positional:
        return (*args[:place], callbacks, *args[place + 1 :]), kwargs
    return args, {**kwargs, "callbacks": callbacks}


def check_float16(model):
    """ValueError where float16 is trained without a scaled loss, or with two scales.

    Args:
        model: a compiled `keras.Model`.
    """
    optimizer = model.optimizer
    if optimizer is None:
        return  # not compiled, as Keras will say
    ours = getattr(optimizer, "loss_scale", None)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        if getattr(optimizer.inner_optimizer, "loss_scale", None) is not None:
            raise ValueError(
                "fit: the loss is scaled twice, by adamw(loss_scale=...) and by the "
                "LossScaleOptimizer around it; compile with auto_scale_loss=False"
            )
        return
    is_scaled = ours is not None or getattr(optimizer, "loss_scale_factor", None) is not None
    is_float16 = any(layer.compute_dtype == "float16" for layer in model._flatten_layers())
    if is_float16 and not is_scaled:
        raise ValueError(
            "fit: layers compute in float16 and the loss is not scaled, so that small gradients "
            'vanish; compile with kb.optimizers.adamw(..., loss_scale="dynamic"), or use '
            "mixed_bfloat16"
        )
