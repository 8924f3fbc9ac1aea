"""A batch of 64 rows of 128 through 12 layers of 768, float32: memory of activations, and time.

Whole, in 2, 4 and 8 parts, and with the activations computed again. Peak memory is that of a
fresh process that has trained three steps; taken off is the peak of one that trained on a single
row, which holds the same weights, gradients and optimizer state and hardly an activation. (Between
the loop's sums and the gradients of a part, parts hold the gradients twice; that is theirs to
answer for.) Times are of a step, the first one left out.
"""

import json
import resource
import subprocess
import sys
from functools import partial

from benchmarks import peers
from benchmarks.groups import Group
from benchmarks.training_step import VOCABULARY_SIZE, element_of

SIZE, BATCH = (12, 768, 12), 64
QUICK_SIZE, QUICK_BATCH = (2, 64, 2), 16
STEPS = 2  # measured, after the first one


def train(layers, hidden, heads, batch, parts, recompute, steps):
    """Trains; returns the `Stopwatch` of the steps and the process's peak in GB."""
    import tensorflow as tf

    import keras_bert as kb

    config = peers.our_config(layers, hidden, heads, VOCABULARY_SIZE)
    model = kb.BertPretrainer(kb.BertBackbone(config, recompute=recompute))
    model.compile(
        optimizer=kb.optimizers.adamw(1e-4, total_steps=100_000), **kb.losses.pretraining()
    )
    data = tf.data.Dataset.from_tensors(element_of(batch)).repeat()
    watch = peers.fit_steps(model, data, 1 + steps, micro_batches=parts)
    return watch, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _arguments(setting, batch=None, parts=1, recompute=False):
    size = QUICK_SIZE if setting.quick else SIZE
    full = QUICK_BATCH if setting.quick else BATCH
    return (*size, batch or full, parts, recompute, STEPS)


def _fresh(arguments):
    """The peak in GB of a process that does nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.micro_batches", json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def _memory(parts, recompute, setting):
    baseline = _fresh(_arguments(setting, batch=1))["peak"]

    def repeat():
        peak = _fresh(_arguments(setting, parts=parts, recompute=recompute))["peak"]
        # Memory takes no CPU time; the same figure stands in both columns.
        return {"figure": peak - baseline, "by_cpu": peak - baseline}

    return repeat


def _time(parts, recompute, setting):
    def repeat():
        seconds = _fresh(_arguments(setting, parts=parts, recompute=recompute))
        return {"figure": seconds["step"], "by_cpu": seconds["cpu"]}

    return repeat


WAYS = {
    "ours, 4 parts": (4, False),
    "ours, whole batch": (1, False),
    "ours, 2 parts": (2, False),
    "ours, 8 parts": (8, False),
    "ours, computed again": (1, True),
}


def _group(what, unit, function, goal_ratio):
    return Group(
        name=f"micro-batches 12x768, batch {BATCH}, {what}",
        unit=unit,
        contenders={name: partial(function, *way) for name, way in WAYS.items()},
        larger_is_better=False,
        goal_ratios={"ours, whole batch": goal_ratio},
    )


GROUPS = [
    # How many times less four parts hold than the whole batch, and how near their step comes.
    _group("activations", "GB", _memory, 2.5),
    _group("step", "s", _time, 1 / 1.1),
]


if __name__ == "__main__":
    clock, peak_gigabytes = train(*json.loads(sys.argv[1]))
    figures = {"peak": peak_gigabytes, "step": clock.seconds / STEPS}
    print(json.dumps({**figures, "cpu": clock.cpu_seconds / STEPS}))
