"""Fixtures of the checkpoints' tests."""

import json
import pathlib
import sys

import pytest
from safetensors.numpy import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
def hf_directory(tmp_path):
    """A function that writes a Hugging Face model directory by hand and returns its path."""

    def write(config, tensors, name="hf", vocabulary=None):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "config.json").write_text(json.dumps(config))
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
        if vocabulary is not None:
            (directory / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary))
        return directory

    return write
