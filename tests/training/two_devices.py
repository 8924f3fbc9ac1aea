"""Run by test_distribution.py in a process of its own: two logical CPUs must come first.

Trains one model on one device and its twin on two, and writes what they became.
"""

import contextlib
import dataclasses
import json
import pathlib
import sys
import types

import keras
import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

import keras_bert as kb  # noqa: E402
from keras_bert.training import throughput  # noqa: E402
from keras_bert.training.stopping import StopAfter  # noqa: E402

CONFIG = kb.BertConfig(
    vocabulary_size=40,
    num_layers=1,
    hidden_dim=16,
    num_heads=2,
    max_sequence_length=12,
    dropout=0.0,
    attention_dropout=0.0,
)
STEPS, BATCH, LENGTH, MASKS = 20, 8, 10, 4
CLIP_NORM = 0.3


def dataset():
    rng = np.random.default_rng(3)
    rows = STEPS * BATCH
    lengths = rng.integers(4, LENGTH + 1, (rows, 1))
    inputs = {
        "token_ids": rng.integers(0, 40, (rows, LENGTH)),
        "segment_ids": rng.integers(0, 2, (rows, LENGTH)),
        "padding_mask": np.arange(LENGTH) < lengths,
        "mask_positions": rng.integers(0, lengths, (rows, MASKS)),
    }
    labels = {
        "masked_lm": rng.integers(0, 40, (rows, MASKS)),
        "next_sentence": rng.integers(0, 2, rows),
    }
    # The first half of a batch, one replica's, has nearly all masks; the second few, or none.
    rate = np.where(np.arange(rows) % BATCH < BATCH // 2, 0.9, 0.1)[:, None]
    weights = {
        "masked_lm": rng.random((rows, MASKS)) < rate,
        "next_sentence": np.ones(rows),
    }
    data = (
        {name: value.astype("int32") for name, value in inputs.items()},
        labels,
        {name: value.astype("float32") for name, value in weights.items()},
    )
    return tf.data.Dataset.from_tensor_slices(data).batch(BATCH, drop_remainder=True)


def real_pipelines(folder):
    """The two datasets as users make them: their last batch is partial, down to one row."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = kb.BertTokenizer(vocabulary)
    rng = np.random.default_rng(5)

    def words(count):
        return " ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), count))

    documents = ["\n".join(words(rng.integers(2, 6)) for _ in range(6)) for _ in range(20)]
    corpus = pathlib.Path(folder) / "corpus.txt"
    corpus.write_text("\n\n".join(documents))
    settings = {"sequence_length": LENGTH, "epochs": 1}

    def rows(seed):
        stream = kb.data.PretrainingStream(corpus, tokenizer, seed=seed, **settings)
        return sum(len(inputs["token_ids"]) for inputs, _, _ in stream.batches())

    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=LENGTH)
    data = {}
    for left in (1, 3):  # one row leaves a replica with none, three divide unevenly
        seed = next(seed for seed in range(100) if rows(seed) % 8 == left)
        data[f"pretraining, {left} left"] = (
            lambda seed=seed: kb.data.pretraining(
                corpus, tokenizer, batch_size=8, seed=seed, **settings
            ),
            left,
        )
        table = pathlib.Path(folder) / f"{left}.tsv"
        lines = [f"{words(rng.integers(1, 9))}\t{'ab'[i % 2]}\n" for i in range(12 + left)]
        table.write_text("text\tlabel\n" + "".join(lines))
        data[f"classification, {left} left"] = (
            lambda table=table: kb.data.classification(
                table, preprocess, batch_size=4, shuffle=False
            ),
            left,
        )
    return data


def train_on_real_pipelines(folder, strategies):
    """Evaluates on equal weights, then trains, on one device and on two."""
    logs = {}
    for name, (make, left) in real_pipelines(folder).items():
        rows = [len(inputs["token_ids"]) for inputs, _, _ in make()]
        assert len(rows) > 2 and rows[-1] == left, rows
        logs[name] = {}
        for kind, strategy in strategies.items():
            keras.utils.set_random_seed(12)
            with strategy.scope():
                backbone = kb.BertBackbone(CONFIG)
                if name.startswith("pretraining"):
                    model, arguments = kb.BertPretrainer(backbone), kb.losses.pretraining()
                else:
                    model = kb.BertTextClassifier(backbone, labels=["a", "b"])
                    arguments = kb.losses.classification()
                start = np.random.default_rng(6)
                model.set_weights([w + start.normal(0, 0.3, w.shape) for w in model.get_weights()])
                model.compile(optimizer=kb.optimizers.adamw(1e-3), **arguments)
            evaluation = model.evaluate(make(), verbose=0, return_dict=True)
            history = model.fit(make(), epochs=2, verbose=0).history
            after = model.evaluate(make(), verbose=0, return_dict=True)
            logs[name][kind] = {"before": evaluation, "fit": history, "after": after}
    return logs


def cut_and_resumed(folder, strategy):
    """Whether a run that was cut, and went on, has the weights of one that was not, to the bit."""
    tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"])
    corpus = pathlib.Path(folder) / "letters.txt"
    corpus.write_text("\n\n".join("a b c d\ne f g h\nh g f\nb a d" for _ in range(40)))
    config = dataclasses.replace(CONFIG, dropout=0.2, attention_dropout=0.1)

    def run(name, cut_at=None):
        def cut(batch, logs):
            if resume.step + batch + 1 == cut_at:
                raise InterruptedError

        keras.utils.set_random_seed(13)
        with strategy.scope():
            model = kb.BertPretrainer(kb.BertBackbone(config))
            model.compile(optimizer=kb.optimizers.adamw(1e-2), **kb.losses.pretraining())
        resume = kb.Resume(f"{folder}/{name}", every_steps=2)
        data = kb.data.pretraining(
            corpus, tokenizer, sequence_length=LENGTH, batch_size=8, start=resume.position
        )
        callbacks = [resume, keras.callbacks.LambdaCallback(on_train_batch_end=cut)]
        model.fit(data, steps_per_epoch=8, verbose=0, callbacks=callbacks)
        return b"".join(keras.ops.convert_to_numpy(v).tobytes() for v in model.variables), resume

    whole, _ = run("whole")
    with contextlib.suppress(InterruptedError):
        run("cut", cut_at=5)
    again, resume = run("cut")
    return {"is_equal": whole == again, "steps": resume.step}


def _classified(inputs, labels, _):
    inputs = {name: value for name, value in inputs.items() if name != "mask_positions"}
    return inputs, {"classification": labels["next_sentence"]}


def gradient_norm(model):
    """The norm of the whole first batch's gradient, by plain TensorFlow."""
    inputs, labels, weights = next(iter(dataset()))
    with tf.GradientTape() as tape:
        outputs = model(inputs)
        loss = sum(kb.losses.MeanCrossentropy()(labels[k], outputs[k], weights[k]) for k in outputs)
    return float(tf.linalg.global_norm(tape.gradient(loss, model.trainable_weights)))


def train(name, strategy):
    keras.utils.set_random_seed(11)
    with strategy.scope():
        model = kb.BertPretrainer(kb.BertBackbone(CONFIG))
        for weight in model.weights:  # far from the start, so that gradients are large
            if len(weight.shape) > 1:
                weight.assign(weight * 10)
        model.compile(
            optimizer=kb.optimizers.adamw(
                1e-2, warmup_steps=3, total_steps=40, clip_norm=CLIP_NORM
            ),
            **kb.losses.pretraining(),
        )
    seconds = iter(range(1_000))
    throughput.time = types.SimpleNamespace(perf_counter=lambda: next(seconds))
    start = model.get_weights()
    norms = [gradient_norm(model)] if name == "one" else []
    callbacks = [kb.Throughput(), StopAfter(1_000)]  # both read the optimizer's step
    history = model.fit(dataset(), verbose=0, callbacks=callbacks).history
    if name == "one":
        norms.append(gradient_norm(model))
    evaluation = model.evaluate(dataset(), verbose=0, return_dict=True)
    predictions = model.predict(dataset().map(lambda x, y, w: x), verbose=0)
    moved = [np.abs(a - b).max() for a, b in zip(model.get_weights(), start, strict=True)]
    logs = {"history": history, "evaluation": evaluation, "moved": max(moved), "norms": norms}
    return model, predictions, logs


def main(folder):
    two_devices = kb.strategy("mirrored")
    logs = {"replicas": two_devices.num_replicas_in_sync}
    for name, strategy in (("one", kb.strategy("default")), ("two", two_devices)):
        model, predictions, logs[name] = train(name, strategy)
        weights = {f"weight/{weight.path}": weight.numpy() for weight in model.weights}
        moments = {f"moment/{i}": value for i, value in enumerate(model.optimizer.variables)}
        moments = {key: np.asarray(value) for key, value in moments.items()}
        np.savez(f"{folder}/{name}.npz", **weights, **moments, **predictions)
    with strategy.scope():
        bad = {name: tf.fill(value.shape, 40) for name, value in dataset().element_spec[0].items()}
        try:
            model.predict(tf.data.Dataset.from_tensors(bad), verbose=0)
        except ValueError as error:
            logs["bad_ids"] = str(error)
    logs["resumed"] = cut_and_resumed(folder, strategy)
    arguments = kb.losses.classification()
    with strategy.scope():
        model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), labels=["a", "b"])
        model.compile(**arguments)
    try:
        model.fit(dataset().map(_classified))
    except ValueError as error:
        logs["outside"] = str(error)
    logs["real"] = train_on_real_pipelines(
        folder, {"one": kb.strategy("default"), "two": two_devices}
    )
    with open(f"{folder}/logs.json", "w") as file:
        json.dump(logs, file, default=float)


main(sys.argv[1])
