"""A model in shards is the model in one file; an index that does not fit its shards is refused."""

import json

import numpy as np
import pytest
from numpy_bert import hf_config, hf_tensors
from safetensors.numpy import save_file

import keras_bert as kb
from keras_bert.checkpoints.safetensors_files import SafetensorsFiles

INDEX = "model.safetensors.index.json"


@pytest.fixture
def sharded(hf_directory):
    """A folder with three shards and their index, and the folder with the same in one file."""
    config = hf_config()
    tensors = hf_tensors(config)
    whole = hf_directory(config, tensors)
    folder = hf_directory(config, tensors, "sharded")
    (folder / "model.safetensors").unlink()
    names, places = sorted(tensors), {}
    for shard in range(3):
        file = f"model-{shard + 1:05}-of-00003.safetensors"
        part = {name: tensors[name] for name in names[shard::3]}
        save_file(part, folder / file, metadata={"format": "pt"})
        places.update(dict.fromkeys(part, file))
    write_index(folder, places)
    return folder, whole, places


def write_index(folder, places):
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": places}))


def test_shards_make_the_same_model(sharded):
    folder, whole, _ = sharded
    for task in (kb.BertBackbone, kb.BertPretrainer):
        ours, expected = task.from_preset(folder), task.from_preset(whole)
        for variable, other in zip(ours.weights, expected.weights, strict=True):
            np.testing.assert_array_equal(variable.numpy(), other.numpy())


@pytest.mark.parametrize(
    "shard", ["/etc/passwd", "../model.safetensors", "a/b.safetensors", "..", "", "..\\x", "C:\\x"]
)
def test_an_index_leads_to_no_other_folder(sharded, shard):
    folder, _, places = sharded
    name = next(iter(places))
    write_index(folder, {**places, name: shard})
    with pytest.raises(ValueError, match=rf"{name} in .*same folder"):
        kb.BertBackbone.from_preset(folder)


def test_an_index_that_disagrees_with_its_shards(sharded):
    folder, _, places = sharded
    name = sorted(places)[0]
    other = next(file for file in places.values() if file != places[name])
    for wrong, message in (
        ({**places, name: other}, rf"{name} in {other}, but it is in {places[name]}"),
        ({**places, "more": other}, rf"more in {other}, but it is in none"),
        ({n: f for n, f in places.items() if n != name}, rf"{name} in no file, but it is in"),
    ):
        write_index(folder, wrong)
        with pytest.raises(ValueError, match=message):
            SafetensorsFiles(str(folder))
    write_index(folder, {**places, name: "model-9.safetensors"})
    with pytest.raises(FileNotFoundError, match=r"model-9\.safetensors"):
        SafetensorsFiles(str(folder))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {}}', '{"weight_map": null}']
)
def test_what_is_no_index(sharded, text):
    folder, _, _ = sharded
    (folder / INDEX).write_text(text)
    with pytest.raises(ValueError, match="weight_map"):
        SafetensorsFiles(str(folder))


def test_a_tensor_twice(sharded):
    folder, _, places = sharded
    first, second = sorted(set(places.values()))[:2]
    name = next(name for name, file in places.items() if file == first)
    tensors = {n: np.zeros(2, "float32") for n, file in places.items() if file == second}
    save_file({**tensors, name: np.zeros(2, "float32")}, folder / second)
    with pytest.raises(ValueError, match=f"{name} once more"):
        SafetensorsFiles(str(folder))


def test_a_truncated_shard_is_named(sharded):
    folder, _, places = sharded
    file = folder / sorted(set(places.values()))[1]
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(ValueError, match=rf"{file.name} is no whole safetensors file"):
        kb.BertBackbone.from_preset(folder)


@pytest.mark.slow
def test_loading_takes_little_more_memory_than_the_file(tmp_path):
    """A process reads a 4 x 512 model: its peak grows by less than 1.3 of the file's size."""
    import os
    import subprocess
    import sys

    config = kb.BertConfig.named("small", vocabulary_size=20_000)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(19_995))]
    model = kb.BertPretrainer(kb.BertBackbone(config))
    kb.save_preset(tmp_path / "model", model, kb.BertTokenizer(tokens))
    code = f"""
import keras_bert as kb
kb.BertPretrainer(kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=10)))
def peak():
    lines = open("/proc/self/status").read().split("\\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
model = kb.BertPretrainer.from_preset({str(tmp_path / "model")!r})
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    size = os.path.getsize(tmp_path / "model" / "model.safetensors") // 1024
    assert int(done.stdout) < 1.3 * size + 20_000  # the graph takes as much for any width
