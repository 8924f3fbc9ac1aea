"""Batches of several tasks: how often each comes, in which order, and that all rows do."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def sets(tokenizer, **options):
    """Batches of classes (5 of them), of choices (3) and of several labels (1)."""
    preprocess = kb.TextClassifierPreprocessor(tokenizer, 8)
    letters = "abcdefghijklmnopqrst"
    choices = [
        {"question": letter, "choices": ["cat", "dog", "mat"], "label": i % 3}
        for i, letter in enumerate(letters[:6])
    ]
    texts = [f"{letter} cat dog"[: 1 + 4 * (i % 3)] for i, letter in enumerate(letters)]
    rows = [(text, "xy"[i % 2]) for i, text in enumerate(texts)][:10]
    options = {"batch_size": 2, **options}
    return {
        "classes": kb.data.classification(rows, preprocess, **options),
        "choice": kb.data.choices(choices, kb.MultipleChoicePreprocessor(tokenizer, 8), **options),
        "labels": kb.data.classification(
            [("dog", "x|y"), ("cat", "y")], preprocess, problem_type="multi_label", **options
        ),
    }


def drawn(batch):
    """The tasks that have rows in a batch."""
    return [task for task, part in batch.items() if len(part[0]["token_ids"])]


def test_one_task_at_a_time_as_its_own_set_has_it(tokenizer):
    data = kb.data.mixed(sets(tokenizer, shuffle=False), seed=1)
    assert data.steps_per_epoch == 5 + 3 + 1
    assert data.rates == pytest.approx({"classes": 5 / 9, "choice": 3 / 9, "labels": 1 / 9})
    queues = {task: itertools.cycle([*own]) for task, own in sets(tokenizer, shuffle=False).items()}
    seen = []
    for batch in data.take(60):
        (task,) = drawn(batch)
        seen.append(task)
        for found, wanted in zip(
            tf.nest.flatten(batch[task]), tf.nest.flatten(next(queues[task])), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
        for other, part in batch.items():
            for value, spec in zip(
                tf.nest.flatten(part), tf.nest.flatten(data.element_spec[other]), strict=True
            ):
                assert spec.is_compatible_with(value)
    assert set(seen) == set(queues)


def test_rates_and_seeds(tokenizer):
    rates = {"classes": 6, "labels": 3, "choice": 1}
    order = {}
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        data = kb.data.mixed(sets(tokenizer), rates, seed)
        order[name] = [drawn(batch)[0] for batch in data.take(1500)]
    assert order["one"] == order["again"] != order["other"]
    for name in ("one", "other"):
        for task, rate in rates.items():
            share = order[name].count(task) / 1500
            deviation = np.sqrt(rate / 10 * (1 - rate / 10) / 1500)
            assert abs(share - rate / 10) < 4 * deviation, (task, share)
    # One draw knows nothing of the one before.
    pairs = list(itertools.pairwise(order["one"]))
    follow = pairs.count(("labels", "labels")) / order["one"].count("labels")
    assert abs(follow - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 450)


def test_a_set_that_is_through_begins_in_another_order(tokenizer):
    data = kb.data.mixed(sets(tokenizer), {"classes": 50, "choice": 1, "labels": 1})
    passes, rows = [], []
    for batch in data.take(60):
        if drawn(batch) == ["classes"]:
            ids = batch["classes"][0]["token_ids"].numpy()
            rows += [tuple(row[row > 0]) for row in ids]
        if len(rows) == 10:
            passes.append(rows)
            rows = []
    assert len(passes) > 3 and all(len(set(each)) == 10 for each in passes)
    assert {frozenset(each) for each in passes} == {frozenset(passes[0])}
    assert len(set(map(tuple, passes))) > 1


def test_what_cannot_be_mixed(tokenizer, tiny_vocabulary):
    tasks = sets(tokenizer)
    one = {"classes": tasks["classes"]}
    for wrong, message in (
        (({},), "expected a dict of two or more datasets"),
        ((one,), r"received \['classes'\]"),
        (([*tasks.values()],), "received list"),
        ((tasks, {"classes": 1}), "expected a rate for each of the tasks classes, choice, labels"),
        ((tasks, {**dict.fromkeys(tasks, 1), "ner": 1}), "and no other; received"),
        ((tasks, {**dict.fromkeys(tasks, 1), "choice": 0}), "the rate of choice is 0; expected"),
        ((tasks, {**dict.fromkeys(tasks, 1), "choice": -1.0}), "the rate of choice is -1.0"),
        ((tasks, {**dict.fromkeys(tasks, 1), "labels": "2"}), "the rate of labels is '2'"),
        (({**tasks, "endless": one["classes"].repeat()},), "the length of endless is unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            kb.data.mixed(*wrong)
    other = kb.BertTokenizer([*tiny_vocabulary[:-1], "##other"])
    cased = kb.BertTokenizer(tiny_vocabulary, lowercase=False)
    for each in (other, cased):
        with pytest.raises(ValueError, match="classes and choice are made by different tokenizers"):
            kb.data.mixed({**one, "choice": sets(each)["choice"]})
