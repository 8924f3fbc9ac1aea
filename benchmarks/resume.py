"""Stop and go on: runs killed again and again, and what saving costs.

A run of `keras-bert pretrain` is killed at random moments and started again by the same command,
in one process or in two workers of which one is killed; its weights must equal those of a run that
nobody stopped, bit for bit. The cost of saving is that of a model of 4 layers of 512: seconds lost
to the steps while a checkpoint is copied, hashed and written, over those of 1,000 steps, the
default interval; and milliseconds that training waits, beside those of copying all variables.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial

from benchmarks import peers
from benchmarks.data import GUTENBERG
from benchmarks.groups import Group
from benchmarks.measure import Stopwatch

SIZE = {"num_layers": 2, "hidden_dim": 32, "num_heads": 2, "max_sequence_length": 64}
STEPS = 600
INTERVAL = 1_000


def _command(setting, folder, processes):
    size = pathlib.Path(folder) / "size.json"
    lines = setting.vocabulary.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    size.write_text(json.dumps({**SIZE, "vocabulary_size": len(lines)}))
    steps = 60 if setting.quick else STEPS
    return [
        *(sys.executable, "-m", "keras_bert.cli.main", "pretrain", "--resume"),
        f"--input={setting.data / GUTENBERG}",
        *(f"--vocab={setting.vocabulary}", f"--size={size}"),
        *("--sequence_length=64", "--batch_size=8", f"--steps={steps}", "--checkpoint_every=7"),
        *(f"--report_every={steps // 2}", f"--processes={processes}", "--notensorboard"),
    ]


def _weights(output):
    return (pathlib.Path(output) / "model" / "model.safetensors").read_bytes()


def _last_step(output):
    found = pathlib.Path(output).glob("checkpoints/phase_1/step_*")
    return max((int(path.name.split("_")[1]) for path in found), default=0)


def _kills(processes, setting):
    import psutil

    folder = tempfile.mkdtemp()
    command = _command(setting, folder, processes)
    whole = f"{folder}/whole"
    subprocess.run([*command, f"--output={whole}"], check=True, stdout=sys.stderr)
    kills = 2 if setting.quick else 20
    rng = random.Random(0)

    def run():
        watch, output, done = Stopwatch(), f"{folder}/killed", 0
        shutil.rmtree(output, ignore_errors=True)
        last = 60 if setting.quick else STEPS
        for target in sorted(rng.sample(range(1, last - 10), kills)):
            # Not before it has gone on: something must have been trained since the last kill.
            target = max(target, _last_step(output) + 1)
            process = subprocess.Popen([*command, f"--output={output}"], stdout=sys.stderr)
            while process.poll() is None and _last_step(output) < target:
                time.sleep(0.002)
            time.sleep(0.05 * rng.random())
            victims = psutil.Process(process.pid).children() if processes > 1 else [process]
            if process.poll() is None and victims:
                rng.choice(victims).kill()
                done += 1
            process.wait()
        subprocess.run([*command, f"--output={output}"], check=True, stdout=sys.stderr)
        if _weights(output) != _weights(whole):
            raise AssertionError(f"after {done} kills the weights differ")
        watch.lap()
        return {"figure": done, "by_cpu": done}

    return run


def _trained(setting, callbacks, steps):
    """Seconds of so many steps of `fit`, after the first few."""
    import tensorflow as tf

    import keras_bert as kb
    from benchmarks.training_step import element_of

    model = _trained.model
    if model is None:
        config = peers.our_config(4, 512, 8, 30_522)
        model = kb.BertPretrainer(kb.BertBackbone(config, dtype="mixed_bfloat16"))
        model.compile(kb.optimizers.adamw(1e-4), **kb.losses.pretraining())
        _trained.model = model
    data = tf.data.Dataset.from_tensors(element_of(16)).repeat()
    watch = Stopwatch()
    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=callbacks)
    return watch.lap()


_trained.model = None


def _share(setting):
    """Percent of the time of 1,000 steps that their one checkpoint costs."""
    import keras

    import keras_bert as kb

    steps = 6 if setting.quick else 24
    _trained(setting, [], 3)

    class Saving(kb.Resume):
        # The first save is at half the steps; the last one, when training ends, is left out.
        def on_train_end(self, logs=None):
            self._wait()

    def run():
        plain = _trained(setting, [keras.callbacks.Callback()], steps)
        folder = tempfile.mkdtemp()
        saving = _trained(setting, [Saving(folder, every_steps=steps // 2 + 1)], steps)
        shutil.rmtree(folder)
        share = 100 * max(0.0, saving - plain) / (INTERVAL * plain / steps)
        return {"figure": share, "by_cpu": share}

    return run


def _blocking(setting):
    """Milliseconds that a step waits for a checkpoint."""
    import keras_bert as kb

    waited = []

    class Saving(kb.Resume):
        def _save(self):
            begin = time.perf_counter()
            super()._save()
            waited.append(1_000 * (time.perf_counter() - begin))

    def run():
        folder = tempfile.mkdtemp()
        waited.clear()
        _trained(setting, [Saving(folder, every_steps=4)], 6)
        shutil.rmtree(folder)
        return {"figure": waited[0], "by_cpu": waited[0]}

    return run


def _copying(setting):
    """Milliseconds of copying all variables once, as arrays."""
    _trained(setting, [], 3)
    model = _trained.model

    def run():
        begin = time.perf_counter()
        for variable in [*model.variables, *model.optimizer.variables]:
            variable.value.numpy().copy()
        waited = 1_000 * (time.perf_counter() - begin)
        return {"figure": waited, "by_cpu": waited}

    return run


GROUPS = [
    Group(
        name=f"kills after which the weights are the same, {what}",
        unit="kills",
        contenders={"ours": partial(_kills, processes)},
        files=(GUTENBERG,),
        goal=20,
    )
    for what, processes in (("one process", 1), ("one of two workers", 2))
] + [
    Group(
        name="saving every 1,000 steps, share of training time, 4 layers of 512",
        unit="%",
        contenders={"ours": _share},
        larger_is_better=False,
        goal=2,
    ),
    Group(
        name="saving, time that training waits, 4 layers of 512",
        unit="ms",
        contenders={"ours": _blocking, "ours, copying alone": _copying},
        larger_is_better=False,
    ),
]
