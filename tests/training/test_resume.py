"""kb.Resume in one process: stopped anywhere and started again, the numbers are the same."""

import os
import pathlib
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.training.step_count import steps_taken

CONFIG = kb.BertConfig(
    vocabulary_size=31,
    num_layers=1,
    hidden_dim=8,
    num_heads=2,
    max_sequence_length=16,
    dropout=0.2,
    attention_dropout=0.1,
)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
STEPS, EPOCHS = 5, 3


class Stop(keras.callbacks.Callback):
    """Leaves at a step, as a power cut would: by an error, or by a signal."""

    def __init__(self, step, how):
        super().__init__()
        self.step, self.how = step, how

    def on_train_batch_end(self, batch, logs=None):
        if steps_taken(self.model) == self.step:
            self.how()


class PowerCutError(Exception):
    pass


def power_cut():
    raise PowerCutError


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    rng = np.random.default_rng(5)

    def words():
        return " ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(2, 6)))

    path.write_text("\n\n".join("\n".join(words() for _ in range(6)) for _ in range(40)))
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "train.tsv"
    rng = np.random.default_rng(6)
    lines = [f"{' '.join(rng.choice(list('abcdef'), 5))}\t{'pn'[i % 2]}" for i in range(5 * 4)]
    path.write_text("text\tlabel\n" + "\n".join(lines) + "\n")
    return path


def pretrain(folder, corpus, stop=None, seed=0, epochs=EPOCHS, steps=STEPS, **options):
    """What a user's script does, started anew: model, data, fit."""
    keras.utils.set_random_seed(3)
    vocabulary = options.pop("vocabulary", VOCABULARY)
    config = options.pop("config", CONFIG)
    model = kb.BertPretrainer(kb.BertBackbone(config))
    model.compile(kb.optimizers.adamw(1e-2, total_steps=20), **kb.losses.pretraining())
    resume = kb.Resume(folder, every_steps=2, **options)
    data = kb.data.pretraining(
        corpus,
        kb.BertTokenizer(vocabulary),
        sequence_length=16,
        batch_size=4,
        seed=seed,
        start=resume.position,
    )
    held_out = kb.data.pretraining(
        corpus, kb.BertTokenizer(VOCABULARY), sequence_length=16, epochs=1, seed=9
    )
    history = model.fit(
        data,
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=held_out,
        callbacks=[resume, *([stop] if stop else [])],
        verbose=0,
    ).history
    return model, history


def classify(folder, table, stop=None):
    """Fine-tuning, whose data begins anew with each epoch, in an order of its own."""
    keras.utils.set_random_seed(4)
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(VOCABULARY), sequence_length=16)
    data = kb.data.classification(table, preprocess, batch_size=4)
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), labels=data.labels)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    callbacks = [kb.Resume(folder, every_steps=2), *([stop] if stop else [])]
    return model, model.fit(data, epochs=EPOCHS, callbacks=callbacks, verbose=0).history


def numbers(folder):
    """Fit on a plain endless dataset, that knows no place of its own."""

    def run(folder, _, stop=None):
        keras.utils.set_random_seed(4)
        rng = np.random.default_rng(1)
        ids = rng.integers(5, 31, (40, 9)).astype("int32")
        inputs = {"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids * 0 + 1}
        data = tf.data.Dataset.from_tensor_slices(
            (inputs, {"classification": rng.integers(0, 2, 40)})
        )
        data = data.batch(4).repeat()
        model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), labels=["n", "p"])
        model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
        callbacks = [kb.Resume(folder, every_steps=2), *([stop] if stop else [])]
        options = {"steps_per_epoch": STEPS, "epochs": EPOCHS, "verbose": 0}
        return model, model.fit(data, callbacks=callbacks, **options).history

    return run


def state(model):
    return [keras.ops.convert_to_numpy(v) for v in [*model.variables, *model.optimizer.variables]]


def assert_same(one, other):
    for a, b in zip(state(one), state(other), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kind", ["pretraining", "classification", "plain"])
def test_cut_anywhere_and_started_again_the_weights_are_the_same(kind, corpus, table, tmp_path):
    run, source = {
        "pretraining": (pretrain, corpus),
        "classification": (classify, table),
        "plain": (numbers(tmp_path), None),
    }[kind]
    whole, history = run(tmp_path / "whole", source)
    assert len(history["loss"]) == EPOCHS
    # In an epoch, at its last step, in the last epoch; before anything was saved.
    for step in (1, 4, 5, 8, 14):
        with pytest.raises(PowerCutError):
            run(tmp_path / "cut", source, Stop(step, power_cut))
    model, rest = run(tmp_path / "cut", source)
    assert_same(whole, model)
    assert steps_taken(model) == STEPS * EPOCHS
    for name, values in rest.items():  # the epoch that was cut has its whole mean
        assert values[-1] == history[name][-1], name
    again, none = run(tmp_path / "cut", source)  # nothing is left to do
    assert none == {}
    assert_same(whole, again)
    assert len(os.listdir(tmp_path / "cut")) == 2  # the newest two are kept


def test_terminated_it_saves_that_step_and_leaves(corpus, tmp_path, capsys):
    whole, _ = pretrain(tmp_path / "whole", corpus)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left:
        pretrain(tmp_path / "cut", corpus, Stop(7, terminate))
    assert left.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    step = max(int(name.split("_")[1]) for name in os.listdir(tmp_path / "cut"))
    assert f"step {step} is saved" in capsys.readouterr().err and step >= 7
    model, _ = pretrain(tmp_path / "cut", corpus)
    assert f"going on from step {step}" in capsys.readouterr().out
    assert_same(whole, model)


def test_terminated_while_it_validates(corpus, tmp_path):
    whole, history = pretrain(tmp_path / "whole", corpus)

    class Validating(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            if steps_taken(self.model) == STEPS:
                terminate()

    with pytest.raises(SystemExit):
        pretrain(tmp_path / "cut", corpus, Validating())
    assert sorted(os.listdir(tmp_path / "cut"))[-1].endswith(str(STEPS))
    model, rest = pretrain(tmp_path / "cut", corpus)
    assert_same(whole, model)
    assert rest == history  # the first epoch's training metrics were saved with it


def test_another_length_of_epoch_goes_on_at_the_same_step(corpus, tmp_path):
    whole, _ = pretrain(tmp_path / "whole", corpus)
    with pytest.raises(PowerCutError):
        pretrain(tmp_path / "cut", corpus, Stop(9, power_cut))
    model, _ = pretrain(tmp_path / "cut", corpus, steps=3, epochs=5)
    assert_same(whole, model)


@pytest.fixture(scope="module")
def cut(corpus, tmp_path_factory):
    """A run cut at step 9, to be copied by those who go on with it."""
    folder = tmp_path_factory.mktemp("cut")
    copy = folder / "corpus.txt"
    copy.write_bytes(corpus.read_bytes())
    with pytest.raises(PowerCutError):
        pretrain(folder / "run", copy, Stop(9, power_cut))
    return folder / "run", copy


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seed": 1}, r"data seed: 0 then, 1 now"),
        ({"vocabulary": [*VOCABULARY[:-1], "é"]}, r"data tokenizer"),
        (
            {"config": kb.BertConfig(**{**CONFIG.to_dict(), "max_sequence_length": 20})},
            r"another model.*position_table: \[\[16, 8\], 'float32'\] then, \[\[20, 8\]",
        ),
        ({"config": kb.BertConfig(**{**CONFIG.to_dict(), "num_layers": 2})}, r"not there now"),
    ],
    ids=["seed", "tokenizer", "size", "layers"],
)
def test_what_is_not_that_of_the_checkpoint_is_refused(cut, change, message):
    folder, corpus = cut
    with pytest.raises(ValueError, match=message):
        pretrain(folder, corpus, **change)


def test_a_changed_corpus_is_refused_unless_asked(cut, tmp_path):
    folder = shutil.copytree(cut[0], tmp_path / "run")
    text = pathlib.Path(cut[1]).read_text()
    try:
        cut[1].write_text(text + "\n\nz z z\ny y\n")
        with pytest.raises(ValueError, match=r"corpus.*corpus.txt.*accept_changed_data=True"):
            pretrain(folder, cut[1])
        pretrain(folder, cut[1], accept_changed_data=True)
    finally:
        cut[1].write_text(text)


def test_data_that_does_not_start_at_the_position_is_refused(cut, monkeypatch):
    original = kb.data.pretraining
    monkeypatch.setattr(
        kb.data, "pretraining", lambda *args, **kwargs: original(*args, **{**kwargs, "start": None})
    )
    with pytest.raises(ValueError, match=r"pass start=resume.position"):
        pretrain(*cut)


def test_a_damaged_checkpoint_is_passed_over(corpus, cut, tmp_path):
    whole, _ = pretrain(tmp_path / "whole", cut[1])
    folder = shutil.copytree(cut[0], tmp_path / "run")
    newest = sorted(folder.iterdir())[-1] / "state.safetensors"
    os.truncate(newest, newest.stat().st_size - 1)
    with pytest.warns(UserWarning, match="damaged checkpoint passed over"):
        model, _ = pretrain(folder, cut[1])
    assert_same(whole, model)


def test_no_room_is_a_warning_and_an_error_at_the_end(corpus, tmp_path, monkeypatch):
    from keras_bert.training import checkpoint_files

    monkeypatch.setattr(
        checkpoint_files,
        "save_file",
        lambda *arguments: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    with (
        pytest.warns(UserWarning, match=r"could not be written .*No space left.*training goes on"),
        pytest.raises(OSError, match="No space left"),
    ):
        pretrain(tmp_path / "run", corpus)


def test_one_object_for_fit_after_fit(table, tmp_path):
    """A cell of a notebook that is run again goes on, and data that does not is refused."""
    keras.utils.set_random_seed(4)
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(VOCABULARY), sequence_length=16)
    data = kb.data.classification(table, preprocess, batch_size=4)
    model = kb.BertTextClassifier(kb.BertBackbone(CONFIG), labels=data.labels)
    model.compile(kb.optimizers.adamw(1e-2), **kb.losses.classification())
    resume = kb.Resume(tmp_path / "run", every_steps=2)
    model.fit(data, epochs=1, callbacks=[resume], verbose=0)
    assert resume.step == STEPS
    history = model.fit(data, epochs=EPOCHS, callbacks=[resume], verbose=0)
    assert history.epoch == [1, 2] and resume.step == EPOCHS * STEPS
    whole, _ = classify(tmp_path / "whole", table)
    assert_same(whole, model)


@pytest.mark.parametrize("wrong", [{"every_steps": 0}, {"keep": 0}, {"every_steps": 2.5}])
def test_numbers_out_of_range(tmp_path, wrong):
    with pytest.raises(ValueError, match="expected a whole number from 1 on"):
        kb.Resume(tmp_path, **wrong)
