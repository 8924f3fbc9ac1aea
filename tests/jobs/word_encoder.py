"""A tiny encoder of a few words for jobs run by the command line, and how they are run."""

import keras_bert as kb
from keras_bert.cli.main import main


def run(command, *words, **flags):
    """Runs a command; returns its exit code."""
    return main([command, *words, *(f"--{name}={value}" for name, value in flags.items())])


def save_encoder(folder, words, **config):
    """Writes FOLDER/encoder, one layer of 32 that knows the words."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    config = kb.BertConfig(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        hidden_dim=32,
        num_heads=2,
        dropout=0.0,
        **config,
    )
    kb.save_preset(folder / "encoder", kb.BertBackbone(config), kb.BertTokenizer(vocabulary))
