"""AdamW as BERT is trained with it: decoupled decay, warm-up, linear decay, global clipping."""

import keras
from keras import ops

from keras_bert.training.layer_decay import checked_layer_decay, rate_factors
from keras_bert.training.loss_scale import (
    SMALLEST_SCALE,
    checked_loss_scale,
    initial_scale,
    next_scale,
)
from keras_bert.training.schedules import WarmupLinearDecay


def adamw(
    learning_rate,
    warmup_steps=0,
    total_steps=None,
    weight_decay=0.01,
    clip_norm=1.0,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-6,
    loss_scale=None,
    on_nonfinite="stop",
    layer_decay=None,
    average=None,
    crf_learning_rate=None,
):
    """Makes the optimizer for pretraining and fine-tuning.

    Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101; Devlin et al. 2018,
    appendix A.2. Unlike google-research/bert's `AdamWeightDecayOptimizer` it corrects the bias of
    the first steps, which makes fine-tuning steadier (Mosbach et al. 2020).

    Args:
        learning_rate: float, the peak, reached at the end of the warm-up.
        warmup_steps: int, steps of linear warm-up from 0. Default 0.
        total_steps: int, steps until the rate has fallen linearly to 0. Default None: it stays.
        weight_decay: float, decoupled; not applied to biases and LayerNorm. Default 0.01.
        clip_norm: float or None, largest global norm of the whole batch's gradient. Default 1.0.
        beta_1, beta_2: floats, decay of the two moments. Defaults 0.9 and 0.999.
        epsilon: float, default 1e-6.
        loss_scale: None, a float, or `"dynamic"`, what the loss is multiplied by for float16, so
            that small gradients do not vanish; needed with `"mixed_float16"`. Dynamic: from 32,768
            down by half at each overflow, whose step is left out, and up again after 2,000 steps
            without one. Default None.
        on_nonfinite: `"stop"` or `"skip"`, what `fit` does about a gradient that is not finite.
            The weights stay as they were before that step, either way. Stop: no step is taken any
            more, and `fit` raises a FloatingPointError with step, loss and learning rate. Skip: it
            goes on with the next batch and counts, `skipped_steps`. Default `"stop"`.
        layer_decay: float in (0, 1], what the rate is multiplied by once for each step down from
            the head, so that lower layers, which know what is common to all texts, move less:
            heads and pooler 1, the top encoder layer `layer_decay`, the one below its square, the
            embeddings the most (Howard and Ruder 2018, https://arxiv.org/abs/1801.06146, section
            3.2). 0.8 to 0.95 are usual. Default None: one rate for all.
        average: float in (0, 1), what the running average of the weights keeps of itself at each
            step (Polyak and Juditsky 1992, https://doi.org/10.1137/0330046), about the last
            1 / (1 - average) steps: 0.99 to 0.999. The model has the averages when `fit` is over;
            with `kb.AveragedWeights` they are measured each epoch too. Default None: none.
        crf_learning_rate: float, the peak for the scores of a CRF (`BertTokenClassifier`), which
            begin as 0 and, at a rate fit for BERT, would hardly leave it; it rises and falls as
            the other does. 1e-3 to 1e-2 are usual. Default None: `learning_rate`.

    Returns:
        `AdamW`, a Keras optimizer.

    Raises:
        ValueError: a rate, a step count, a decay, a norm or a scale out of range.

    Example:
        >>> optimizer = adamw(1e-4, warmup_steps=10, total_steps=100)
        >>> float(optimizer.learning_rate)
        0.0
    """
    if isinstance(learning_rate, (int, float)) and not learning_rate > 0:
        raise ValueError(f"adamw: learning_rate must be above 0; received {learning_rate}")
    if weight_decay < 0 or (clip_norm is not None and clip_norm <= 0):
        raise ValueError(
            "adamw: weight_decay must be at least 0 and clip_norm above 0 (or None for no "
            f"clipping); received weight_decay={weight_decay}, clip_norm={clip_norm}"
        )
    if average is not None and not 0 < average < 1:
        raise ValueError(f"adamw: average must be between 0 and 1, or None; received {average}")
    crf_factor = None
    if crf_learning_rate is not None:
        if not isinstance(learning_rate, (int, float)) or not crf_learning_rate > 0:
            raise ValueError(
                "adamw: crf_learning_rate must be above 0, and learning_rate a number beside it; "
                f"received {crf_learning_rate} and {learning_rate}"
            )
        crf_factor = crf_learning_rate / learning_rate
    if warmup_steps or total_steps is not None:
        learning_rate = WarmupLinearDecay(learning_rate, warmup_steps, total_steps)
    return AdamW(
        learning_rate,
        weight_decay=weight_decay,
        global_clipnorm=clip_norm,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        loss_scale=loss_scale,
        on_nonfinite=on_nonfinite,
        layer_decay=layer_decay,
        crf_factor=crf_factor,
        use_ema=average is not None,
        ema_momentum=0.99 if average is None else average,
    )


@keras.saving.register_keras_serializable("keras_bert")
class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW, which decays matrices only, clips the whole batch's gradient, and is fused.

    Keras clips each replica's gradient before summing them; here they are summed first, so any
    number of replicas gives the same step. On TensorFlow one fused kernel updates a variable: the
    step is bound by memory, and Keras's own formula passes over it a dozen times.

    A step whose gradient is not finite changes no weight and no moment, without a branch and
    without a pass over memory of its own: `tf.cond` cannot hold an update under a strategy.

    Args: those of `keras.optimizers.AdamW`; `loss_scale`, `on_nonfinite` and `layer_decay` of
    `adamw`; and `crf_factor`, float above 0, what the rate of a CRF's scores is multiplied by,
    default None: 1.

    Attributes:
        skipped_steps: int variable, steps that were left out because their gradient was not
            finite, overflows of a loss scale that could still fall not among them.
        first_skipped: int variable, the number (from 1) of the first of them; 0: none.
        overflows: int variable, those.
        current_loss_scale: float32 variable, or None.

    Example:
        >>> optimizer = AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    """

    def __init__(
        self,
        *args,
        loss_scale=None,
        on_nonfinite="stop",
        layer_decay=None,
        crf_factor=None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.layer_decay = checked_layer_decay(layer_decay)
        self.crf_factor = crf_factor
        self._rate_factors = None
        self.loss_scale = checked_loss_scale(loss_scale)
        if on_nonfinite not in ("stop", "skip"):
            raise ValueError(
                f'AdamW: on_nonfinite must be "stop" or "skip"; received {on_nonfinite!r}'
            )
        self.on_nonfinite = on_nonfinite
        # Made here rather than in build: a step reads them before Keras builds the rest.
        self.skipped_steps = self._scalar("skipped_steps", "int")
        self.first_skipped = self._scalar("first_skipped", "int")
        self.overflows = self._scalar("overflows", "int")
        self.current_loss_scale = None
        if self.loss_scale is not None:
            start = initial_scale(self.loss_scale)
            self.current_loss_scale = self._scalar("loss_scale", "float32", start)
            self._good_steps = self._scalar("good_steps", "int")

    def build(self, variables):
        super().build(variables)
        if self.layer_decay is not None or self.crf_factor is not None:
            paths = [variable.path for variable in variables]
            self._rate_factors = rate_factors(
                paths, self.layer_decay or 1.0, self.crf_factor or 1.0
            )

    def _rate_of(self, variable, learning_rate):
        """The rate of one variable."""
        if self._rate_factors is None:
            return learning_rate
        factor = self._rate_factors[self._get_variable_index(variable)]
        return learning_rate * ops.cast(factor, learning_rate.dtype)

    def _scalar(self, name, dtype, value=0):
        return self.add_variable(
            (),
            keras.initializers.Constant(value),
            dtype,
            aggregation="only_first_replica",
            name=name,
        )

    def scale_loss(self, loss):
        if self.loss_scale is None:
            return super().scale_loss(loss)
        return loss * ops.cast(self.current_loss_scale.value, loss.dtype)

    def _use_weight_decay(self, variable):
        # Biases and LayerNorm's weights are vectors; everything else decays.
        return len(variable.shape) > 1

    def _judge(self, norm):
        """Counts a step by the norm of its gradient, the loss's scale still in it.

        Returns: bool scalar, whether the step is to be taken; float32 scalar, the loss's scale;
        float32 scalar, the steps taken with this one.
        """
        finite = ops.isfinite(norm)
        skipped_before, first = self.skipped_steps.value, self.first_skipped.value
        number = self.iterations.value + 1 - skipped_before - self.overflows.value
        stopped = self.on_nonfinite == "stop" and skipped_before > 0
        taken = finite & ops.logical_not(stopped)
        scale, overflow = 1.0, False
        if self.loss_scale is not None:
            scale = self.current_loss_scale.value * 1.0  # as it is now, before it changes
        if self.loss_scale == "dynamic":
            overflow = ops.logical_not(finite | stopped) & (scale > SMALLEST_SCALE)
            self.overflows.assign_add(ops.cast(overflow, self.overflows.dtype))
            new_scale, good_steps = next_scale(scale, self._good_steps.value, finite)
            self.current_loss_scale.assign(new_scale)
            self._good_steps.assign(good_steps)
        skipped = ops.logical_not(taken | overflow)
        is_first = skipped & (first == 0)
        self.first_skipped.assign(ops.where(is_first, self.iterations.value + 1, first))
        self.skipped_steps.assign_add(ops.cast(skipped, self.skipped_steps.dtype))
        return taken, scale, ops.cast(number, "float32")

    def _backend_apply_gradients(self, grads, trainable_variables):
        if keras.backend.backend() == "tensorflow":
            super()._backend_apply_gradients(grads, trainable_variables)
            return
        taken, scale, _ = self._judge(ops.sqrt(sum(ops.sum(ops.square(grad)) for grad in grads)))
        state = [*trainable_variables, *self._momentums, *self._velocities]
        before = [variable.value for variable in state]
        grads = [ops.where(taken, grad / scale, 0.0) for grad in grads]
        super()._backend_apply_gradients(grads, trainable_variables)
        for variable, value in zip(state, before, strict=True):
            variable.assign(ops.where(taken, variable.value, value))

    def _clip_gradients(self, grads):
        if keras.backend.backend() == "tensorflow":
            return grads  # after the sum over replicas, in _backend_update_step
        return super()._clip_gradients(grads)

    def _apply_weight_decay(self, variables):
        if keras.backend.backend() == "tensorflow" or not self.weight_decay:
            return  # on TensorFlow in update_step
        for variable in filter(self._use_weight_decay, variables):
            rate = self._rate_of(variable, ops.cast(self.learning_rate, variable.dtype))
            variable.assign(variable - variable * (rate * self.weight_decay))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if keras.backend.backend() != "tensorflow":
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        import tensorflow as tf

        # On one device rows of a table stay rows until they are applied: to find their norm and to
        # scale them passes over those of the batch alone, not over the whole table.
        is_alone = self._distribution_strategy.num_replicas_in_sync == 1
        grads = [(_each_row_once if is_alone else tf.convert_to_tensor)(grad) for grad in grads]
        variables = [variable.value for variable in trainable_variables]
        summed = self._all_reduce_sum_gradients(zip(grads, variables, strict=True))
        # Its norm is one pass over the gradients; Keras's writes their squares first.
        norm = tf.linalg.global_norm([grad for grad, _ in summed])
        taken, scale, number = self._judge(norm)
        factor = 1.0 / scale
        if self.global_clipnorm:
            factor = self.global_clipnorm * tf.minimum(1.0 / norm, factor / self.global_clipnorm)
        # By 0 even what is not finite becomes 0: one product scales, clips and cleans.
        factor = tf.where(taken, factor, 0.0)
        grads = [_scaled(grad, tf.cast(factor, grad.dtype)) for grad, _ in summed]
        if not self.global_clipnorm:
            grads = super()._clip_gradients(grads)
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_everywhere,
            self._distribution_strategy,
            list(zip(grads, variables, strict=True)),
            (ops.where(taken, learning_rate, 0.0), taken, number),
        )

    def _update_everywhere(self, strategy, grads_and_variables, step):
        for grad, variable in grads_and_variables:
            strategy.extended.update(
                variable,
                lambda variable, grad, *step: self.update_step(grad, variable, *step),
                args=(grad, *step),
                group=False,
            )

    def update_step(self, gradient, variable, learning_rate, taken=True, number=None):
        learning_rate = self._rate_of(variable, learning_rate)
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        if self.weight_decay and self._use_weight_decay(variable):
            kept = 1.0 - ops.cast(learning_rate * self.weight_decay, variable.dtype)
            # The product's buffer becomes the variable's: subtracting would pass over both again.
            variable.assign(variable * kept)
        index = self._get_variable_index(variable)
        if self.amsgrad:  # no kernel is fused for it
            state = [
                getattr(self, name)[index]
                for name in ("_momentums", "_velocities", "_velocity_hats")
            ]
            before = [tf.identity(value) for value in state]
            super().update_step(gradient, variable, learning_rate)
            for value, old in zip(state, before, strict=True):
                value.assign(tf.where(taken, value, old))
            return

        def scalar(value, if_not_taken=None):
            value = tf.cast(value, variable.dtype)
            if if_not_taken is None:
                return value
            return tf.where(taken, value, tf.cast(if_not_taken, variable.dtype))

        # A step not taken has the rate 0 and moments that keep all of themselves.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(scalar(self.beta_1), scalar(number)),
            beta2_power=tf.pow(scalar(self.beta_2), scalar(number)),
            lr=scalar(learning_rate),
            beta1=scalar(self.beta_1, 1.0),
            beta2=scalar(self.beta_2, 1.0),
            epsilon=scalar(self.epsilon),
            grad=scalar(gradient),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "loss_scale": self.loss_scale,
            "on_nonfinite": self.on_nonfinite,
            "layer_decay": self.layer_decay,
            "crf_factor": self.crf_factor,
        }


def _each_row_once(gradient):
    """A gradient of slices with those of one row added up: twice the row has another norm than
    the sum. Dense ones are returned as they are."""
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(gradient)
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _scaled(gradient, factor):
    """The dense gradient times a factor, 0 where that is 0."""
    import tensorflow as tf

    if isinstance(gradient, tf.IndexedSlices):
        values = tf.math.multiply_no_nan(gradient.values, factor)
        gradient = tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
        return tf.convert_to_tensor(gradient)
    return tf.math.multiply_no_nan(gradient, factor)
