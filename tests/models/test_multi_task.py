"""Several tasks on one backbone: whose weights change by what, logs, learning, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb

LOSSES = {"mood": kb.losses.classification, "tags": kb.losses.token_classification}
WHO = ("the cat", "a dog", "it")
SENTENCES = [(f"{who} was {word} .", word) for who in WHO for word in ("good", "bad")]


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


def make(tokenizer):
    keras.utils.set_random_seed(0)
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        num_layers=1,
        hidden_dim=24,
        num_heads=2,
        max_sequence_length=12,
        dropout=0.0,
        initializer_range=0.1,
    )
    backbone = kb.BertBackbone(config)
    model = kb.BertMultiTask(
        {
            "mood": kb.BertTextClassifier(backbone, ["bad", "good"]),
            "tags": kb.BertTokenClassifier(backbone, ["O", "B-PET", "I-PET"]),
        }
    )
    model.compile(kb.optimizers.adamw(1e-2), {task: losses() for task, losses in LOSSES.items()})
    return model


@pytest.fixture(scope="module")
def data(tokenizer, tmp_path_factory):
    """Training sets of both tasks, of the same sentences."""
    path = tmp_path_factory.mktemp("tags") / "train.jsonl"
    with open(path, "w") as file:
        for text, _ in SENTENCES:
            spans = [[0, 7 if "cat" in text else 5, "PET"]] if "it" not in text else []
            file.write(f'{{"text": "{text}", "spans": {spans}}}\n'.replace("'", '"'))
    return {
        "mood": kb.data.classification(
            SENTENCES, kb.TextClassifierPreprocessor(tokenizer, 12), batch_size=2
        ),
        "tags": kb.data.token_classification(
            path, kb.TokenClassifierPreprocessor(tokenizer, 12), batch_size=2
        ),
    }


def values(model):
    return [np.array(weight) for weight in model.weights]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_head_changes_by_its_own_batches_alone(tokenizer, data):
    model = make(tokenizer)
    mood, tags = model.tasks["mood"], model.tasks["tags"]
    assert mood.backbone is tags.backbone is model.backbone
    shared = {id(weight) for weight in model.backbone.weights}
    assert shared == {id(w) for w in mood.weights} & {id(w) for w in tags.weights}
    unique = {id(weight) for weight in (*mood.trainable_weights, *tags.trainable_weights)}
    assert {id(weight) for weight in model.trainable_weights} == unique
    optimizer = model.optimizer
    assert mood.optimizer is tags.optimizer is optimizer
    heads = {"mood": mood.classifier, "tags": tags.token_classifier}
    seen = set()
    for batch in kb.data.mixed(data, seed=3).take(12):
        (task,) = [name for name, part in batch.items() if len(part[0]["token_ids"])]
        other = next(name for name in heads if name != task)
        before = {name: values(head) for name, head in heads.items()}
        backbone = values(model.backbone)
        moments = {
            variable.path: np.array(variable)
            for variable in optimizer.variables
            if f"/{heads[other].name}_" in variable.path
        }
        assert len(moments) == 4
        one = tf.data.Dataset.from_tensors(batch)
        model.fit(one, steps_per_epoch=1, verbose=0)
        assert not same(values(heads[task]), before[task]), task
        assert same(values(heads[other]), before[other]), task
        assert not same(values(model.backbone), backbone)
        for variable in optimizer.variables:
            if variable.path in moments:
                np.testing.assert_array_equal(variable, moments[variable.path])
        seen.add(task)
    assert seen == set(heads) and int(optimizer.iterations) == 12
    # The step is that of the task's model alone.
    alone = make(tokenizer).tasks["mood"]
    together = make(tokenizer)
    inputs, labels, weights = next(iter(data["mood"]))
    empty = tf.nest.map_structure(lambda x: x[:0], next(iter(data["tags"])))
    batch = {"mood": (inputs, labels, weights), "tags": empty}
    together.fit(tf.data.Dataset.from_tensors(batch), steps_per_epoch=1, verbose=0)
    alone.compile(kb.optimizers.adamw(1e-2), **LOSSES["mood"]())
    alone.train_on_batch(inputs, labels, weights)
    for found, wanted in zip(values(together.tasks["mood"]), values(alone), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_both_tasks_are_learned_and_told_of(tokenizer, data, tmp_path):
    model = make(tokenizer)
    mixed = kb.data.mixed(data, {"mood": 1, "tags": 1}, seed=0)
    before = model.evaluate(data, verbose=0)
    log = kb.RunLog(tmp_path / "run", tensorboard=False)
    history = model.fit(
        mixed, steps_per_epoch=20, epochs=3, validation_data=data, callbacks=[log], verbose=0
    ).history
    names = {f"{task}_{name}" for task in data for name in ("loss", "accuracy")}
    assert set(before) >= names
    assert set(history) >= {"loss", *names, *(f"val_{name}" for name in names)}
    assert float(model.get_metrics_result()["real_tokens"]) > 100
    for task in data:
        assert history[f"{task}_loss"][-1] < history[f"{task}_loss"][0]
        assert history[f"val_{task}_accuracy"][-1] == 1.0 > before[f"{task}_accuracy"]
    means = [np.mean(pair) for pair in zip(history["mood_loss"], history["tags_loss"], strict=True)]
    np.testing.assert_allclose(history["loss"], means, rtol=1e-5)
    lines = (tmp_path / "run/log.csv").read_text().splitlines()
    assert len(lines) == 4 and "val_tags_accuracy" in lines[0]
    after = model.evaluate(data, verbose=0)
    assert after["mood_loss"] == pytest.approx(history["val_mood_loss"][-1], rel=1e-5)

    # Each is a model of its own, with the backbone that both have trained.
    preprocess = kb.TextClassifierPreprocessor(tokenizer, 12)
    for task, each in model.tasks.items():
        kb.save_preset(tmp_path / task, each, preprocess)
        again = kb.model_from_preset(tmp_path / task)
        assert type(again) is type(each)
        table = model.backbone.embeddings.token_table
        np.testing.assert_array_equal(again.backbone.embeddings.token_table, table)
    kb.export_saved_model(model.tasks["mood"], preprocess, tmp_path / "saved/1")
    answers = kb.Predictor(tmp_path / "saved/1")([text for text, _ in SENTENCES])
    assert [answer["label"] for answer in answers] == [label for _, label in SENTENCES]


def test_a_gradient_that_is_not_finite_stops_it(tokenizer, data):
    model = make(tokenizer)
    head = model.tasks["mood"].classifier
    head.bias.assign([np.nan, 0])
    with pytest.raises(FloatingPointError, match="not finite at step"):
        model.fit(kb.data.mixed(data), steps_per_epoch=8, verbose=0)


def test_what_cannot_be_trained_together(tokenizer, data, tmp_path):
    model = make(tokenizer)
    mood, tags = model.tasks["mood"], model.tasks["tags"]
    for wrong, message in (
        ({"mood": mood}, r"expected a dict of two or more task models .* \['mood'\]"),
        ([mood, tags], "expected a dict of two or more"),
        ({"mood": mood, "tags": model.backbone}, "tags is a BertBackbone; expected a task model"),
        ({"mood": mood, "a/b": tags}, "a task's name must be a str; received 'a/b'"),
        ({"mood": mood, "tags": make(tokenizer).tasks["tags"]}, "tags stands on a backbone of its"),
    ):
        with pytest.raises(ValueError, match=message):
            kb.BertMultiTask(wrong)
    with pytest.raises(
        ValueError, match="compile: losses: expected an entry for each of the tasks"
    ):
        model.compile(kb.optimizers.adamw(1e-3), {"mood": LOSSES["mood"]()})
    with pytest.raises(ValueError, match="mixed batches have no end; say steps_per_epoch"):
        model.fit(kb.data.mixed(data))
    resume = kb.Resume(tmp_path, every_steps=1)
    with pytest.raises(ValueError, match=r"kb.Resume knows no place in mixed batches"):
        model.fit(kb.data.mixed(data), steps_per_epoch=1, callbacks=[resume])
    other = kb.data.mixed({"mood": data["mood"], "ner": data["tags"]})
    with pytest.raises(
        ValueError, match=r"fit: x: expected an entry for each of .* received mood, ner"
    ):
        model.fit(other, steps_per_epoch=1)
    with pytest.raises(ValueError, match="validation_data: expected entries for the tasks mood"):
        model.fit(kb.data.mixed(data), steps_per_epoch=1, validation_data={"ner": data["tags"]})
    with pytest.raises(ValueError, match=r"evaluate: x: expected entries for .* a list"):
        model.evaluate([data["mood"]])
