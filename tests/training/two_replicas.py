"""Run by conftest.py in a process of its own: two logical CPUs must come before all else.

Trains one model on one device and its twin on two, in the ways a step can be taken.
"""

import json
import pathlib
import sys

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from training.masked_batches import dataset, difference, pretrainer  # noqa: E402

import keras_bert as kb  # noqa: E402

MIRRORED = kb.strategy("mirrored")


def micro_batches():
    """The whole batch on one device against four parts on each of two replicas."""
    data = dataset(2 * 16 + 3, 16)
    one, two = pretrainer(), pretrainer(strategy=MIRRORED)
    expected = one.fit(data, epochs=2, verbose=0).history
    actual = two.fit(data, epochs=2, verbose=0, micro_batches=4).history
    dropped = [pretrainer(dropout=0.2, strategy=s) for s in (MIRRORED, MIRRORED)]
    losses = [model.fit(data, epochs=3, verbose=0, micro_batches=4) for model in dropped]
    return {
        "difference": difference(one, two),
        "expected": expected,
        "actual": actual,
        "dropout": [history.history["loss"] for history in losses],
        "dropout_difference": difference(*dropped),
    }


TESTS = [micro_batches]


def main(path):
    report = {"replicas": MIRRORED.num_replicas_in_sync}
    report |= {test.__name__: test() for test in TESTS}
    with open(path, "w") as file:
        json.dump(report, file, default=float)


main(sys.argv[1])
