"""Ways to fine-tune on two replicas: the weights and logs of one device."""

import numpy as np
import pytest


@pytest.mark.parametrize("name", ["r_drop", "fgm", "layer_decay", "average"])
def test_two_replicas_train_as_one_device(two_replicas, name):
    report = two_replicas["ways"][name]
    assert report["effect"] > 1e-3  # the way does something
    assert report["difference"] < 2e-5
    one, two = report["logs"]
    assert set(one) == set(two) and ("val_loss" in one) == (name == "average")
    for measure, values in one.items():
        np.testing.assert_allclose(two[measure], values, rtol=1e-4, err_msg=measure)


def test_the_rising_rate_meets_the_same_losses(two_replicas):
    one, two = two_replicas["ways"]["layer_decay"]["losses"]
    assert len(one) == 10 and np.ptp(one) > 1e-3
    np.testing.assert_allclose(two, one, rtol=1e-4)
