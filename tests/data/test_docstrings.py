"""The examples in the docstrings of the pretraining data run and give what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    ("module", "examples"),
    [
        ("keras_bert.data.corpus", 1),
        ("keras_bert.data.position", 1),
        ("keras_bert.data.randomness", 1),
        ("keras_bert.data.stream", 2),
        ("keras_bert.text.masking", 1),
    ],
)
def test_examples(module, examples):
    module = importlib.import_module(module)
    with_examples = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert len(with_examples) == examples
    assert doctest.testmod(module).failed == 0
