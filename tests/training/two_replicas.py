"""Run by a fixture of conftest.py in a process of its own, two logical CPUs before all else.

Trains one model on one device and its twin on two, in the ways a step can be taken.
"""

import json
import pathlib
import sys
import threading

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from models import head_models  # noqa: E402
from models.head_models import TRAINED  # noqa: E402
from training import embedding_batches, tuned  # noqa: E402
from training.masked_batches import dataset, difference, pretrainer  # noqa: E402
from training.test_nonfinite import BAD, with_bad_batch  # noqa: E402

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


def nonfinite():
    """NaN on one replica alone: both must leave the step out, weights and moments untouched."""
    report = {}
    for policy in ("stop", "skip"):
        models = []
        for data in with_bad_batch(batch=8):
            with MIRRORED.scope():
                optimizer = kb.optimizers.adamw(1e-2, clip_norm=0.3, on_nonfinite=policy)
            models.append(pretrainer(optimizer, strategy=MIRRORED))
            error = None
            try:
                data = data.take(BAD - 1) if policy == "stop" and len(models) == 2 else data
                models[-1].fit(data, verbose=0)
            except FloatingPointError as found:
                error = str(found)
            if len(models) == 1:
                report[policy] = {"error": error}
        skipped = MIRRORED.experimental_local_results(models[0].optimizer.skipped_steps.value)
        report[policy]["difference"] = difference(*models)
        report[policy]["skipped"] = [int(value) for value in skipped]
    return report


def recompute():
    """Activations computed again, with dropout, in parts and on two replicas."""
    models = [
        pretrainer(dropout=0.2, strategy=MIRRORED, recompute=again) for again in (False, True)
    ]
    start = models[0].get_weights()
    for model in models:
        model.fit(dataset(16), verbose=0, micro_batches=2)
    return {"difference": difference(*models), "moved": difference(models[0], start)}


def heads():
    """Each head's loss: the whole batch on one device against two replicas, some in two parts."""
    report = {}
    for name in TRAINED:
        x, y, w = head_models.arrays(name, 11)
        data = tf.data.Dataset.from_tensor_slices((x, y, w)).batch(8)
        models, logs = [], []
        parts = 2 if name in ("token", "chain", "score") else 1
        for strategy, number in ((tf.distribute.get_strategy(), 1), (MIRRORED, parts)):
            with strategy.scope():
                model = head_models.make(name)
                optimizer = kb.optimizers.adamw(1e-2, epsilon=1e-3)
                model.compile(optimizer, **head_models.HEADS[name][1]())
            start = model.get_weights()
            logs.append(model.fit(data, verbose=0, micro_batches=number).history)
            models.append(model)
        report[name] = {
            "moved": difference(models[0], start),
            "difference": difference(*models),
            "logs": logs,
        }
    return report


def embeddings():
    """Losses of pairs and triplets: one device against two replicas, in parts where that holds."""
    report = {}
    for name, parts in (("cosine_regression", 2), ("triplet", 2), ("in_batch_negatives", 1)):
        x, y, w = embedding_batches.arrays(name, 11)
        data = tf.data.Dataset.from_tensor_slices((x, y, w)).batch(8)
        models, logs = [], []
        for strategy, number in ((tf.distribute.get_strategy(), 1), (MIRRORED, parts)):
            with strategy.scope():
                model = embedding_batches.make()
                optimizer = kb.optimizers.adamw(1e-2, epsilon=1e-3)
                model.compile(optimizer, **getattr(kb.losses, name)())
            start = model.get_weights()
            evaluated = model.evaluate(data, verbose=0, return_dict=True)
            logs.append([evaluated, model.fit(data, verbose=0, micro_batches=number).history])
            models.append(model)
        report[name] = {
            "moved": difference(models[0], start),
            "difference": difference(*models),
            "logs": logs,
        }
    return report


def second_pass_differs(model):
    """Puts in place of dropout what takes three tenths off in a replica's every second pass."""
    layer, replica = model.get_layer("classifier_dropout"), threading.local()
    layer.rate = 0.3

    def call(inputs, training=False):
        replica.passes = getattr(replica, "passes", 0) + bool(training)
        return inputs * (0.7 if training and replica.passes % 2 == 0 else 1.0)

    layer.call = call


# Way to fine-tune -> arguments of adamw, arguments of fit.
WAYS = {
    "r_drop": ({"layer_decay": 0.5}, {"r_drop": 2.0}),
    "fgm": ({"layer_decay": 0.5}, {"fgm": 0.5, "micro_batches": 2}),
    "layer_decay": ({"layer_decay": 0.5}, {}),
    "average": ({"average": 0.8}, {}),
}


def ways():
    """Ways to fine-tune on one device against two replicas, a partial last batch among theirs."""
    data, dev = tuned.dataset(2 * 8 + 3, 8), tuned.dataset(11, 8, seed=1)
    report, without = {}, tuned.classifier(num_layers=1)
    without.compile(kb.optimizers.adamw(1e-2, epsilon=1e-3), **kb.losses.classification())
    without.fit(data, epochs=2, verbose=0)
    for name, (of_adamw, of_fit) in WAYS.items():
        models, logs, found = [], [], []
        for strategy in (tf.distribute.get_strategy(), MIRRORED):
            with strategy.scope():
                model = tuned.classifier(num_layers=1)
                optimizer = kb.optimizers.adamw(1e-2, epsilon=1e-3, **of_adamw)
                model.compile(optimizer, **kb.losses.classification())
            if name == "r_drop":
                second_pass_differs(model)
            if name == "average":
                of_fit = {"validation_data": dev, "callbacks": [kb.AveragedWeights()]}
            logs.append(model.fit(data, epochs=2, verbose=0, **of_fit).history)
            models.append(model)
            if name == "layer_decay":
                found.append(kb.find_learning_rate(model, data, 1e-5, 1e-2, steps=10).losses)
        report[name] = {
            "effect": difference(models[0], without),
            "difference": difference(*models),
            "logs": logs,
            "losses": found,
        }
    return report


TESTS = [micro_batches, nonfinite, recompute, heads, embeddings, ways]


def main(path):
    report = {"replicas": MIRRORED.num_replicas_in_sync}
    report |= {test.__name__: test() for test in TESTS}
    with open(path, "w") as file:
        json.dump(report, file, default=float)


main(sys.argv[1])
