"""Learning-rate schedules."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_bert")
class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to the peak, then falls linearly to 0.

    Source: Devlin et al. 2018, appendix A.2; google-research/bert `optimization.py`.

    Args:
        peak: float, the highest rate.
        warmup_steps: int, steps of the rise. Default 0.
        total_steps: int or None, the step at which the rate is 0 again; None: it stays at the
            peak. Default None.

    Call arguments:
        step: int scalar, updates done so far.

    Returns:
        float32 scalar, the rate of the next update.

    Raises:
        ValueError: a negative number, or `total_steps` not above `warmup_steps`.

    Example:
        >>> [float(WarmupLinearDecay(1.0, 2, 6)(step)) for step in range(7)]
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(self, peak, warmup_steps=0, total_steps=None):
        super().__init__()
        if not peak > 0 or warmup_steps < 0:
            raise ValueError(
                "WarmupLinearDecay: peak must be above 0 and warmup_steps at least 0; received "
                f"peak={peak}, warmup_steps={warmup_steps}"
            )
        if total_steps is not None and total_steps <= warmup_steps:
            raise ValueError(
                "WarmupLinearDecay: total_steps must be above warmup_steps; received "
                f"total_steps={total_steps}, warmup_steps={warmup_steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        factor = ops.minimum(1.0, step / max(1, self.warmup_steps)) if self.warmup_steps else 1.0
        if self.total_steps is not None:
            left = (self.total_steps - step) / (self.total_steps - self.warmup_steps)
            factor = ops.minimum(factor, ops.maximum(left, 0.0))
        return ops.cast(self.peak * factor, "float32")

    def get_config(self):
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }
