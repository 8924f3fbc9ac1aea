"""WarmupLinearDecay: values and errors."""

import keras
import numpy as np
import pytest

from keras_bert.training.schedules import WarmupLinearDecay


@pytest.mark.parametrize(
    ("arguments", "points"),
    [
        ((2.0, 4, 12), {0: 0, 1: 0.5, 3: 1.5, 4: 2, 6: 1.5, 8: 1, 11: 0.25, 12: 0, 13: 0, 99: 0}),
        ((2.0, 4, None), {0: 0, 2: 1, 4: 2, 5: 2, 10**6: 2}),
        ((2.0, 0, 4), {0: 2, 1: 1.5, 3: 0.5, 4: 0}),
        ((3.0, 0, None), {0: 3, 7: 3}),
        ((1.0, 1, 2), {0: 0, 1: 1, 2: 0}),
    ],
)
def test_values(arguments, points):
    schedule = WarmupLinearDecay(*arguments)
    copies = [
        WarmupLinearDecay.from_config(schedule.get_config()),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule)),
    ]
    for step, rate in points.items():
        for each in (schedule, *copies):
            assert float(each(np.int64(step))) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1, 2), "peak=0.0"),
        ((-1.0,), "peak=-1.0"),
        ((float("nan"),), "peak=nan"),
        ((1.0, -1), "warmup_steps=-1"),
        ((1.0, 5, 5), "total_steps=5, warmup_steps=5"),
        ((1.0, 5, 3), "total_steps must be above warmup_steps"),
        ((1.0, 0, 0), "total_steps=0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmupLinearDecay(*arguments)
