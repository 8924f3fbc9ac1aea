"""The scale of the loss that keeps float16 gradients from vanishing.

Source: Micikevicius et al. 2017, https://arxiv.org/abs/1710.03740, section 3.2.
"""

from keras import ops

DYNAMIC_START = 2.0**15
SMALLEST_SCALE, LARGEST_SCALE = 1.0, 2.0**24
GOOD_STEPS = 2_000


def checked_loss_scale(value):
    """Returns `value`, which must be None, `"dynamic"` or a number above 0."""
    if value is None or value == "dynamic":
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise ValueError(
        f'loss_scale must be None, "dynamic" or a finite number above 0; received {value!r}'
    )


def initial_scale(loss_scale):
    """The scale of the first step, a float."""
    return DYNAMIC_START if loss_scale == "dynamic" else loss_scale


def next_scale(scale, good_steps, finite):
    """The dynamic scale after a step.

    Args:
        scale: float32 scalar, that of the step.
        good_steps: int scalar, steps without an overflow before it.
        finite: bool scalar, whether the step's gradient was finite.

    Returns:
        float32 scalar, half where it overflowed, twice after 2,000 steps that did not; int scalar,
        good steps.

    Example:
        >>> [float(x) for x in next_scale(8.0, 1_999, True)]
        [16.0, 0.0]
    """
    good_steps = ops.where(finite, good_steps + 1, 0)
    full = good_steps >= GOOD_STEPS
    larger = ops.where(full, ops.minimum(scale * 2.0, LARGEST_SCALE), scale)
    scale = ops.where(finite, larger, ops.maximum(scale * 0.5, SMALLEST_SCALE))
    return scale, ops.where(full, 0, good_steps)
