"""The examples in docstrings of data, and of what goes with it, run and give what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    ("module", "examples"),
    [
        ("keras_bert.data.corpus", 1),
        ("keras_bert.data.masked_set", 1),
        ("keras_bert.data.next_sentence_set", 1),
        ("keras_bert.data.position", 1),
        ("keras_bert.data.randomness", 1),
        ("keras_bert.data.sentence_pairs", 1),
        ("keras_bert.data.stream", 2),
        ("keras_bert.export.preprocessor", 1),
        ("keras_bert.jobs.options", 1),
        ("keras_bert.serving.ranking", 1),
        ("keras_bert.text.history", 1),
        ("keras_bert.text.masking", 1),
    ],
)
def test_examples(module, examples):
    module = importlib.import_module(module)
    with_examples = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert len(with_examples) == examples
    assert doctest.testmod(module).failed == 0
