"""Flags meet what a job takes before it begins; what fails inside of it is no wrong flag."""

import inspect

import pytest

from keras_bert.cli import reading
from keras_bert.jobs import JOBS, find_job

OPEN = inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize("name", JOBS)
def test_every_job_says_which_options_it_takes(name):
    job = find_job(name)
    for function in ("preprocessor", "read", "build", "losses", "split"):
        if hasattr(job, function):
            parameters = inspect.signature(getattr(job, function)).parameters.values()
            assert all(part.kind is not OPEN for part in parameters), (name, function)


def test_options_are_checked_before_the_call():
    begun = []

    def read(path, header=None):
        begun.append(path)
        path.strip(wrongly=header)

    with pytest.raises(ValueError, match="--class_weights, --labels means nothing to this job"):
        reading.call(read, "x", header=["a"], labels=["b"], class_weights="balanced")
    assert begun == []
    with pytest.raises(TypeError, match="takes no keyword arguments"):
        reading.call(read, "x", header=["a"])
    read_any = find_job("choice").read
    with pytest.raises(ValueError, match="--labels means nothing to this job; leave it out"):
        reading.call(read_any, "absent.tsv", None, labels=["a"])
