"""AdamW as BERT is trained with it: decoupled decay, warm-up, linear decay, global clipping."""

import keras
from keras import ops

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

    Returns:
        `AdamW`, a Keras optimizer.

    Raises:
        ValueError: a rate, a step count, a decay or a norm out of range.

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
    if warmup_steps or total_steps is not None:
        learning_rate = WarmupLinearDecay(learning_rate, warmup_steps, total_steps)
    return AdamW(
        learning_rate,
        weight_decay=weight_decay,
        global_clipnorm=clip_norm,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


@keras.saving.register_keras_serializable("keras_bert")
class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW, which decays matrices only, clips the whole batch's gradient, and is fused.

    Keras clips each replica's gradient before summing them; here they are summed first, so any
    number of replicas gives the same step. On TensorFlow one fused kernel updates a variable: the
    step is bound by memory, and Keras's own formula passes over it a dozen times.

    Args: those of `keras.optimizers.AdamW`.

    Example:
        >>> optimizer = AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    """

    def _use_weight_decay(self, variable):
        # Biases and LayerNorm's weights are vectors; everything else decays.
        return len(variable.shape) > 1

    def _clip_gradients(self, grads):
        if keras.backend.backend() == "tensorflow":
            return grads  # after the sum over replicas, in _backend_update_step
        return super()._clip_gradients(grads)

    def _clip_summed(self, grads):
        if not self.global_clipnorm:
            return super()._clip_gradients(grads)
        import tensorflow as tf

        # Its norm is one pass over the gradients; Keras's writes their squares first.
        return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]

    def _apply_weight_decay(self, variables):
        if keras.backend.backend() != "tensorflow":
            super()._apply_weight_decay(variables)  # on TensorFlow in update_step

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if keras.backend.backend() != "tensorflow":
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        import tensorflow as tf

        # Dense, because slices of one row that occurs twice have another norm than their sum.
        grads = [tf.convert_to_tensor(grad) for grad in grads]
        variables = [variable.value for variable in trainable_variables]
        summed = self._all_reduce_sum_gradients(zip(grads, variables, strict=True))
        clipped = self._clip_summed([grad for grad, _ in summed])
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._distributed_tf_update_step,
            self._distribution_strategy,
            list(zip(clipped, variables, strict=True)),
            learning_rate,
        )

    def update_step(self, gradient, variable, learning_rate):
        is_tensorflow = keras.backend.backend() == "tensorflow"
        if is_tensorflow and self.weight_decay and self._use_weight_decay(variable):
            kept = 1.0 - ops.cast(learning_rate * self.weight_decay, variable.dtype)
            # The product's buffer becomes the variable's: subtracting would pass over both again.
            variable.assign(variable * kept)
        if not is_tensorflow or self.amsgrad:  # no kernel is fused for amsgrad
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )
