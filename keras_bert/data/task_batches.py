"""Batches of several tasks in one stream, one task at a time, drawn by rates."""

import math
import numbers

import numpy as np
import tensorflow as tf


def mixed(datasets, rates=None, seed=0):
    """Mixes the batches of several tasks' training sets, for `BertMultiTask`.

    Source: Liu et al. 2019, https://arxiv.org/abs/1901.11504, algorithm 1: a batch is of one task.
    Which one comes next is drawn by the rates, by (seed, number of the batch): the same arguments
    give the same tasks. A set that is through begins again, in another order; there is no end.

    Args:
        datasets: dict, a task's name -> dataset of `kb.data`, two or more.
        rates: dict, a task's name -> float above 0, how often its batches come; only ratios
            matter. Default: as many of each as its set has, as if all batches were shuffled.
        seed: int, default 0.

    Returns:
        `tf.data.Dataset` of dicts, a task's name -> `(inputs, labels, sample_weights)` of its own
        batch; all tasks but one have no rows in it. It has the attributes `rates` (dict of floats
        that sum to 1) and `steps_per_epoch` (int, the batches of all sets together).

    Raises:
        ValueError: fewer than two tasks; rates of other tasks, or that are not above 0; a set of
            unknown length without rates; sets of different tokenizers.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "no"])
        >>> preprocess = kb.TextClassifierPreprocessor(tokenizer)
        >>> mood = kb.data.classification([("good film", "yes"), ("no", "no")], preprocess)
        >>> topic = kb.data.classification([("film", "film"), ("no", "other")], preprocess)
        >>> data = kb.data.mixed({"mood": mood, "topic": topic}, {"mood": 3, "topic": 1})
        >>> data.rates, data.steps_per_epoch
        ({'mood': 0.75, 'topic': 0.25}, 2)
    """
    if not isinstance(datasets, dict) or len(datasets) < 2:
        raise ValueError(
            "mixed: expected a dict of two or more datasets by their tasks' names; received "
            f"{list(datasets) if isinstance(datasets, dict) else type(datasets).__name__}"
        )
    _check_tokenizers(datasets)
    sizes = {task: int(dataset.cardinality()) for task, dataset in datasets.items()}
    shares = _shares(datasets, sizes, rates)
    bounds = tf.constant(np.cumsum(list(shares.values()))[:-1], tf.float64)

    def draw(step):
        uniform = tf.random.stateless_uniform([], tf.stack([seed, step]), dtype=tf.float64)
        return tf.searchsorted(bounds, uniform[tf.newaxis], side="right", out_type=tf.int64)[0]

    streams = [
        dataset.repeat().map(_alone(task, datasets), num_parallel_calls=tf.data.AUTOTUNE)
        for task, dataset in datasets.items()
    ]
    tasks = tf.data.Dataset.counter().map(draw)
    result = tf.data.Dataset.choose_from_datasets(streams, tasks, stop_on_empty_dataset=True)
    result = result.prefetch(tf.data.AUTOTUNE)
    result.rates = shares
    result.steps_per_epoch = sum(size for size in sizes.values() if size > 0)
    return result


def _shares(datasets, sizes, rates):
    """Each task's share of the batches, a dict of float that sum to 1."""
    if rates is None:
        unknown = [task for task, size in sizes.items() if size < 1]
        if unknown:
            raise ValueError(f"mixed: the length of {', '.join(unknown)} is unknown; give rates")
        rates = sizes
    if not isinstance(rates, dict) or set(rates) != set(datasets):
        raise ValueError(
            f"mixed: expected a rate for each of the tasks {', '.join(datasets)}, and no other; "
            f"received {rates!r}"
        )
    for task, rate in rates.items():
        is_number = isinstance(rate, numbers.Real) and not isinstance(rate, bool)
        if not is_number or not 0 < rate < math.inf:
            raise ValueError(
                f"mixed: the rate of {task} is {rate!r}; expected a number above 0. Leave out a "
                "task that is not to be learned"
            )
    total = sum(rates.values())
    return {task: rates[task] / total for task in datasets}


def _alone(task, datasets):
    """A function that puts a task's batch beside batches without rows of the other tasks."""

    def beside(*batch):
        return {
            other: batch if other == task else tf.nest.map_structure(_without_rows, spec)
            for other, spec in ((other, each.element_spec) for other, each in datasets.items())
        }

    return beside


def _without_rows(spec):
    shape = [0, *(size or 0 for size in spec.shape[1:])]
    # Of the shape that the task's own batches are known by.
    return tf.raw_ops.PlaceholderWithDefault(
        input=tf.zeros(shape, spec.dtype), shape=[None, *spec.shape[1:]]
    )


def _check_tokenizers(datasets):
    known = {
        task: dataset.tokenizer
        for task, dataset in datasets.items()
        if hasattr(dataset, "tokenizer")
    }
    for task, tokenizer in known.items():
        first, other = next(iter(known.items()))
        same = tokenizer.vocabulary == other.vocabulary and tokenizer.options == other.options
        if not same:
            raise ValueError(
                f"mixed: {first} and {task} are made by different tokenizers; one backbone reads "
                "the ids of one"
            )
