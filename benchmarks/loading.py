"""A model directory of base size into memory: 110 million parameters, both pretraining heads.

Seconds of `from_preset`, and by how much the most memory that the process ever had grows, over the
size of the file, each in a process of its own with the libraries imported and a tiny model built
before. The file lies in the system's cache, as after a download; its weights are random.
"""

import json
import os
import pathlib
import subprocess
import sys

from benchmarks.groups import Group

# In the child: prepare, reset the mark of the most memory, load, and print what it took.
_CHILD = """
import json, resource, sys, time
{prepare}
def most_memory():
    lines = open("/proc/self/status").read().split("\\n")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
open("/proc/self/clear_refs", "w").write("5")
memory, wall, cpu = most_memory(), time.perf_counter(), time.process_time()
model = {load}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({{"wall": wall, "cpu": cpu, "memory": most_memory() - memory}}))
"""
_OURS = (
    "import keras_bert as kb\n"
    'kb.BertPretrainer(kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=9)))',
    "kb.BertPretrainer.from_preset(sys.argv[1])",
)
_HF = (
    "import torch, transformers\n"
    "sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9)\n"
    "transformers.BertForPreTraining(transformers.BertConfig(**sizes))",
    "transformers.BertForPreTraining.from_pretrained(sys.argv[1])",
)


def _directory(setting):
    """The model directory, made once below the results."""
    size = "tiny" if setting.quick else "base"
    folder = pathlib.Path(__file__).parent / "results" / f"loading_{size}"
    if not folder.is_dir():
        import keras_bert as kb

        tokenizer = kb.BertTokenizer(setting.vocabulary)
        config = kb.BertConfig.named(size, vocabulary_size=tokenizer.vocabulary_size)
        kb.save_preset(folder, kb.BertPretrainer(kb.BertBackbone(config)), tokenizer)
    return folder


def _loaded(prepare, load, of_memory, setting):
    folder = _directory(setting)
    size = os.path.getsize(folder / "model.safetensors")
    code = _CHILD.format(prepare=prepare, load=load)

    def run():
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
        )
        taken = json.loads(done.stdout.strip().split("\n")[-1])
        if of_memory:
            return {"figure": taken["memory"] / size, "by_cpu": taken["memory"] / size}
        return {"figure": taken["wall"], "by_cpu": taken["cpu"]}

    run()
    return run


def _contenders(of_memory):
    return {
        "ours": lambda setting: _loaded(*_OURS, of_memory, setting),
        "HF PyTorch": lambda setting: _loaded(*_HF, of_memory, setting),
    }


GROUPS = [
    Group(
        name="Loading base size",
        unit="s",
        contenders=_contenders(of_memory=False),
        larger_is_better=False,
        goal=2,
    ),
    Group(
        name="Loading base size, memory over the file's size",
        unit="x",
        contenders=_contenders(of_memory=True),
        larger_is_better=False,
        goal=1.3,
    ),
]
