"""BertSeq2SeqLM: its mask against NumPy, writing token by token against whole passes."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import reference_bert as reference
from models.seq2seq_rows import CONFIG, PAD, SEP, packed, packed_sources, rows

import keras_bert as kb
from keras_bert.layers.prefix_mask import PrefixMask
from keras_bert.models.decoding import step_by_step

VARIANT = CONFIG.replace(pre_norm=True, share_layers=True, embedding_dim=4, activation="gelu_tanh")
LENGTH = 6
INPUTS = ("token_ids", "segment_ids", "padding_mask")


@pytest.fixture(scope="module")
def model():
    return reference.randomize(kb.BertSeq2SeqLM(kb.BertBackbone(CONFIG)), seed=5)


@pytest.fixture(scope="module")
def variant():
    return reference.randomize(kb.BertSeq2SeqLM(kb.BertBackbone(VARIANT)), seed=5)


@pytest.fixture
def sampled(model):
    """The model, which gets its sampler back."""
    yield model
    model.sampler = "greedy"


def write(model, sources, length=LENGTH, more=0):
    inputs = packed_sources(sources, more)
    return np.asarray(model.generate(inputs, length, SEP, PAD)["token_ids"])


def mask_of(inputs):
    """Which token sees which, rule by rule."""
    count, length = inputs["token_ids"].shape
    sees = np.zeros((count, length, length), "int32")
    for row in range(count):
        for query in range(length):
            for key in range(length):
                if inputs["padding_mask"][row, key] == 0:
                    continue
                if inputs["segment_ids"][row, key] == 0:  # a source is seen by all
                    sees[row, query, key] = 1
                elif inputs["segment_ids"][row, query] == 1:  # a target by what follows in it
                    sees[row, query, key] = key <= query
    return sees


def test_mask_and_logits_equal_numpy(model, variant):
    inputs, _ = packed(*rows(), more=2)
    mask = mask_of(inputs)
    found = np.asarray(PrefixMask()(inputs["segment_ids"], inputs["padding_mask"]))
    real = inputs["padding_mask"] == 1
    np.testing.assert_array_equal(found[real], mask[real])
    assert (found[~real].sum(-1) > 0).all()  # padding looks at something, no NaN
    for lm, config in ((model, CONFIG), (variant, VARIANT)):
        seen = {**inputs, "padding_mask": found, "mask_positions": inputs["target_positions"]}
        expected = reference.pretrainer(config, reference.weights_of(lm), seen)["masked_lm"]
        np.testing.assert_allclose(lm(inputs)["seq2seq"], expected, atol=2e-5)


def test_nothing_looks_ahead(model):
    """Sources never depend on targets, nor what is predicted on the tokens after it."""
    sources, targets = rows(source_lengths=(4, 4, 4), target_lengths=(5, 5, 5))
    inputs, _ = packed(sources, targets)
    first = 4 + 2
    inside = keras.Model(model.input, model.masked_lm_head.input[0])  # the head's vectors
    plain, logits = inside(inputs).numpy(), model(inputs)["seq2seq"].numpy()
    for place in range(5):
        changed = {name: value.copy() for name, value in inputs.items()}
        changed["token_ids"][:, first + place] = (changed["token_ids"][:, first + place] + 7) % 23
        other = inside(changed).numpy()
        np.testing.assert_array_equal(other[:, : first + place], plain[:, : first + place])
        assert (np.abs(other - plain)[:, first + place :].max(-1) > 1e-3).all()
        told = model(changed)["seq2seq"].numpy()
        np.testing.assert_array_equal(told[:, : place + 1], logits[:, : place + 1])


def forced(model, sources, labels, copies=1, more=0):
    """What is predicted token by token where the tokens are given, `(rows, tokens, vocabulary)`."""
    inputs, length = packed_sources(sources, more), labels.shape[1]
    next_logits, cache = step_by_step(model, inputs, length, SEP, PAD, copies)
    prompt, found = np.full_like(labels, PAD), []
    for place in range(length):
        logits, cache = next_logits(tf.constant(prompt), cache, place)
        found.append(np.asarray(logits))
        prompt[:, place] = labels[:, place]
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", ["model", "variant"])
@pytest.mark.parametrize("copies", [1, 2])
def test_token_by_token_equals_whole_rows(name, copies, request):
    lm = request.getfixturevalue(name)
    sources, targets = rows(source_lengths=(2, 7, 3, 1), target_lengths=(5, 2, 4, 5))
    more = rows(seed=1, target_lengths=(3, 5, 5, 1))[1]
    targets = [*targets, *more][: 4 * copies]
    inputs, labels = packed([source for source in sources for _ in range(copies)], targets)
    expected = lm(inputs)["seq2seq"].numpy()
    found = forced(lm, sources, labels, copies, more=3)
    for row, target in enumerate(targets):
        count = len(target) + 1
        np.testing.assert_allclose(found[row, :count], expected[row, :count], atol=1e-5)
        after = found[row, count:]  # the row is over: nothing but padding
        assert (after[:, PAD] == 0).all() and (after[:, 1:] == -1e9).all()


def log_probabilities(model, pairs):
    """Of the token after each target, by one pass over whole rows of (source, target)."""
    sources, targets = zip(*pairs, strict=True)
    inputs, _ = packed(sources, targets)
    places = [[len(source) + 1 + len(target)] for source, target in pairs]
    inputs["target_positions"] = np.array(places, "int32")
    logits = model(inputs)["seq2seq"].numpy()[:, 0].astype("float64")
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def naive_beams(model, sources, beams):
    """Beam search written down: finished targets stay as they are; the best one of each source."""
    kept = [[(0.0, [])] for _ in sources]
    for _ in range(LENGTH):
        pairs = [
            (source, target) for source, row in zip(sources, kept, strict=True) for _, target in row
        ]
        found = iter(log_probabilities(model, pairs))
        for number, row in enumerate(kept):
            grown = []
            for score, target in row:
                more = next(found)
                if target and target[-1] == SEP:
                    grown.append((score, target))
                else:
                    grown += [(score + more[token], [*target, token]) for token in range(23)]
            kept[number] = sorted(grown, key=lambda one: -one[0])[:beams]
    return [row[0][1] for row in kept], [np.exp(row[0][0] / len(row[0][1])) for row in kept]


def padded(targets):
    return np.array([[*target, *[PAD] * (LENGTH - len(target))] for target in targets])


@pytest.fixture(scope="module")
def ending(model):
    """The model, biased so that some targets end early and others do not."""
    lm = kb.BertSeq2SeqLM(kb.BertBackbone(CONFIG))
    lm.set_weights(model.get_weights())
    bias = lm.masked_lm_head.bias.numpy()
    bias[SEP] += 3
    lm.masked_lm_head.bias.assign(bias)
    return lm


@pytest.mark.parametrize("beams", [1, 3])
def test_greedy_and_beam_search_equal_naive_ones(ending, beams):
    from keras_hub.samplers import BeamSampler

    sources, _ = rows(seed=3, source_lengths=(2, 7, 3, 1, 4, 5), target_lengths=(1,))
    expected, scores = naive_beams(ending, sources, beams)
    expected = padded(expected)
    ends = (expected == SEP).any(axis=1)
    assert ends.any() and not ends.all() and len(set(map(tuple, expected))) > 3
    ending.sampler = BeamSampler(num_beams=beams)
    np.testing.assert_array_equal(write(ending, sources), expected)

    @tf.function(input_signature=[dict.fromkeys(INPUTS, tf.TensorSpec((None, None), tf.int32))])
    def compiled(inputs):
        return ending.generate(inputs, LENGTH, SEP, PAD)

    # Alone and side by side, with more padding and with less.
    found = compiled(packed_sources(sources, more=4))
    np.testing.assert_array_equal(found["token_ids"], expected)
    np.testing.assert_allclose(found["score"], scores, rtol=1e-5)
    alone = [compiled(packed_sources([source])) for source in sources]
    np.testing.assert_array_equal(np.concatenate([one["token_ids"] for one in alone]), expected)
    np.testing.assert_allclose(np.concatenate([one["score"] for one in alone]), scores, rtol=1e-5)
    if beams == 1:
        ending.sampler = "greedy"
        np.testing.assert_array_equal(write(ending, sources), expected)


def test_samplers_that_draw(sampled):
    """They draw from the likeliest: of one token that is greedy, of all it is not."""
    from keras_hub import samplers

    sources, _ = rows()
    greedy = write(sampled, sources)
    for sampler in (samplers.TopKSampler(k=1, seed=0), samplers.TopPSampler(p=1e-6, seed=0)):
        sampled.sampler = sampler
        np.testing.assert_array_equal(write(sampled, sources), greedy)
    sampled.sampler = samplers.RandomSampler(temperature=5.0, seed=0)
    first, second = write(sampled, sources), write(sampled, sources)
    assert (first != greedy).any() and (first != second).any()


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_equals_the_loops_of_keras_hub(ending, name):
    """Alone in a batch, up to the end, beyond which theirs go on."""
    ending.sampler = name
    sampler, sources = ending.find_sampler(), rows(seed=3)[0]
    copies = getattr(sampler, "num_beams", 1)
    for source in sources:
        inputs = packed_sources([source])
        next_logits, _ = step_by_step(ending, inputs, LENGTH, SEP, PAD, copies)
        _, cache = step_by_step(ending, inputs, LENGTH, SEP, PAD)
        theirs = sampler(
            next=lambda prompt, cache, index, call=next_logits: (
                lambda found: (found[0], None, found[1])
            )(call(prompt, cache, index)),
            prompt=np.full((1, LENGTH), PAD, "int32"),
            cache=cache,
            stop_token_ids=[SEP],
        )
        np.testing.assert_array_equal(theirs, write(ending, [source]))


def test_a_sampler_of_ones_own(sampled):
    from keras_hub import samplers

    class Second(samplers.Sampler):
        def get_next_token(self, probabilities):
            return keras.ops.argsort(probabilities, axis=-1)[:, -2]

    sampled.sampler = Second()
    source = rows()[0][0]
    logits = log_probabilities(sampled, [(source, [])])
    assert write(sampled, [source])[0, 0] == np.argsort(logits[0])[-2]


def test_samplers_are_kept(sampled, tmp_path, tiny_vocabulary):
    from keras_hub.samplers import BeamSampler

    tokenizer = kb.BertTokenizer(tiny_vocabulary[:23])
    preprocess = kb.Seq2SeqPreprocessor(tokenizer, 20, 7)
    inputs, _ = packed(*rows())
    expected = sampled(inputs)["seq2seq"].numpy()
    sampled.sampler = BeamSampler(num_beams=2)
    beams = write(sampled, rows()[0])
    sampled.save(tmp_path / "model.keras")
    kb.save_preset(tmp_path / "preset", sampled, preprocess, verify=True)
    for again in (
        keras.models.load_model(tmp_path / "model.keras"),
        kb.model_from_preset(tmp_path / "preset"),
        kb.BertSeq2SeqLM.from_preset(tmp_path / "preset"),
    ):
        assert type(again) is kb.BertSeq2SeqLM and again.sampler.num_beams == 2
        np.testing.assert_array_equal(again(inputs)["seq2seq"], expected)
        np.testing.assert_array_equal(write(again, rows()[0]), beams)
    values = json.loads((tmp_path / "preset/config.json").read_text())
    # Transformers would read it as something else, and refuses this type.
    assert values["architectures"] == ["BertSeq2SeqLM"] and values["model_type"] == "keras_bert"
    assert kb.Seq2SeqPreprocessor.from_preset(tmp_path / "preset").target_length == 7
    sampled.sampler = "top_p"
    kb.save_preset(tmp_path / "named", sampled, preprocess)
    assert json.loads((tmp_path / "named/config.json").read_text())["sampler"] == "top_p"


def test_a_masked_lm_checkpoint_gives_its_head_and_takes_it_back(model, tmp_path, tiny_vocabulary):
    tokenizer = kb.BertTokenizer(tiny_vocabulary[:23])
    masked = reference.randomize(kb.BertMaskedLM(kb.BertBackbone(CONFIG)), seed=8)
    kb.save_preset(tmp_path / "masked", masked, tokenizer)
    lm = kb.BertSeq2SeqLM.from_preset(tmp_path / "masked")
    np.testing.assert_array_equal(lm.masked_lm_head.bias, masked.masked_lm_head.bias)
    table, expected = (one.backbone.embeddings.token_table for one in (lm, masked))
    np.testing.assert_array_equal(table, expected)
    kb.save_preset(tmp_path / "written", lm, tokenizer)
    again = kb.BertMaskedLM.from_preset(tmp_path / "written")
    for old, new in zip(masked.weights, again.weights, strict=True):
        if "pooler" not in old.path:
            np.testing.assert_array_equal(old, new)


@pytest.mark.slow
def test_jax_agrees(model, tmp_path):
    pytest.importorskip("jax")
    model.save(tmp_path / "model.keras")
    script = pathlib.Path(__file__).parent / "seq2seq_on_jax.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = np.load(tmp_path / "outputs.npz")
    sources, targets = rows()
    expected = model(packed(sources, targets)[0])["seq2seq"]
    np.testing.assert_allclose(outputs["logits"], expected, atol=2e-5)
    np.testing.assert_array_equal(outputs["greedy"], write(model, sources, 5))
    model.sampler = "beam"
    np.testing.assert_array_equal(outputs["beam"], write(model, sources, 5))
    model.sampler = "greedy"


def test_bfloat16(model):
    lm = kb.BertSeq2SeqLM(kb.BertBackbone(CONFIG, dtype="mixed_bfloat16"))
    lm.set_weights(model.get_weights())
    sources, targets = rows()
    inputs, labels = packed(sources, targets)
    logits = lm(inputs)["seq2seq"]
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, model(inputs)["seq2seq"], atol=0.3)
    found = forced(lm, sources, labels)
    for row, target in enumerate(targets):
        count = len(target) + 1
        np.testing.assert_allclose(found[row, :count], logits[row, :count], atol=0.3)
    lm.sampler = "beam"
    assert write(lm, sources).shape == (3, LENGTH)


def test_no_rows(model):
    none = np.zeros((0, 4), "int32")
    inputs = dict.fromkeys(INPUTS, none)
    for sampler in ("beam", "greedy"):
        model.sampler = sampler
        found = model.generate(inputs, LENGTH, SEP, PAD)
        assert found["token_ids"].shape == (0, LENGTH) and found["score"].shape == (0,)


def test_bad_samplers(model):
    from keras_hub import samplers

    for wrong in ("best", "contrastive", 3, samplers.ContrastiveSampler(), None):
        with pytest.raises(ValueError, match="sampler: expected one of beam, greedy, random"):
            model.sampler = wrong
    with pytest.raises(ValueError, match="its best beam alone"):
        model.sampler = samplers.BeamSampler(return_all_beams=True)
    with pytest.raises(ValueError, match="'best'"):
        kb.BertSeq2SeqLM(model.backbone, sampler="best")
