"""KerasHub's presets: what KerasHub wrote computes the same here, and the other way round."""

import json
import logging
import os
import shutil

import numpy as np
import pytest
from numpy_bert import NumpyBert, hf_config, hf_tensors, inputs

import keras_bert as kb
from keras_bert.checkpoints.opening import open_source

POSITIONS = np.array([[1, 2], [0, 1], [3, 0]], "int32")
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12}
HEAD = {"head_activation": "gelu", "head_layer_norm_epsilon": 1e-5}


@pytest.fixture(scope="module")
def hub():
    """KerasHub's models; seconds to import."""
    import keras_hub

    return keras_hub.models


def randomize(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


def hub_backbone(hub, vocabulary_size, **changes):
    sizes = {"vocabulary_size": vocabulary_size, "max_sequence_length": 16, **SIZES, **changes}
    return randomize(hub.BertBackbone(**sizes))


@pytest.fixture
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer(tiny_vocabulary)


@pytest.fixture
def hub_tokenizer(hub, tiny_vocabulary):
    return hub.BertTokenizer(vocabulary=tiny_vocabulary, lowercase=True, strip_accents=True)


@pytest.fixture
def presets(hub, hub_tokenizer, tiny_vocabulary, tmp_path):
    """Presets of the three models as KerasHub writes them, and the models."""
    backbone = hub_backbone(hub, len(tiny_vocabulary), dropout=0.15, num_segments=3)
    masked_lm = hub.BertMaskedLM(
        backbone, hub.BertMaskedLMPreprocessor(hub_tokenizer, sequence_length=16)
    )
    classifier = hub.BertTextClassifier(
        backbone,
        num_classes=3,
        preprocessor=hub.BertTextClassifierPreprocessor(hub_tokenizer, sequence_length=16),
        dropout=0.35,
    )
    randomize(classifier, 1)  # the backbone is one for all
    randomize(masked_lm, 2)
    models = {"backbone": backbone, "masked_lm": masked_lm, "classifier": classifier}
    for name, model in models.items():
        model.save_to_preset(str(tmp_path / name))
    hub_tokenizer.save_to_preset(str(tmp_path / "backbone"))
    return tmp_path, models


def check(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def test_what_keras_hub_wrote(presets, tiny_vocabulary):
    folder, models = presets
    x = inputs({"vocab_size": len(tiny_vocabulary)}, length=9)
    expected = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary),
        max_sequence_length=16,
        num_segments=3,
        dropout=0.15,
        attention_dropout=0.15,
        activation="gelu_tanh",
        **SIZES,
    )
    backbone = kb.BertBackbone.from_preset(folder / "backbone")
    assert backbone.config == expected
    ours, theirs = backbone(x), models["backbone"](x)
    real = x["padding_mask"] == 1
    check(ours["sequence_output"][real], theirs["sequence_output"][real])
    check(ours["pooled_output"], theirs["pooled_output"])

    masked_lm = kb.BertMaskedLM.from_preset(folder / "masked_lm")
    assert masked_lm.config == expected.replace(**HEAD)
    both = {**x, "mask_positions": POSITIONS}
    check(masked_lm(both)["masked_lm"], models["masked_lm"](both))

    classifier = kb.BertTextClassifier.from_preset(folder / "classifier", labels=["a", "b", "c"])
    assert classifier.config == expected
    assert classifier.dropout_rate == 0.35
    check(classifier(x)["classification"], models["classifier"](x))


def test_which_task_it_is(presets, hub):
    folder, models = presets
    values = {name: open_source(folder / name).values for name in models}
    assert values["backbone"] == {"architectures": ["BertModel"]}
    assert values["masked_lm"] == {"architectures": ["BertForMaskedLM"]}
    assert values["classifier"] == {
        "architectures": ["BertForSequenceClassification"],
        "classifier_dropout": 0.35,
        "problem_type": None,
    }
    for activation, kind in (("softmax", "single"), ("sigmoid", "multi")):
        classifier = hub.BertTextClassifier(models["backbone"], 2, activation=activation)
        classifier.save_to_preset(str(folder / activation))
        source = open_source(folder / activation)
        assert source.values["problem_type"] == f"{kind}_label_classification"
        kernel = source.tensors.read("classifier.weight")
        np.testing.assert_array_equal(kernel, np.array(classifier.output_dense.kernel).T)
    embedder = hub.BertTextEmbedder(models["backbone"], pooling_mode="max", normalize=False)
    embedder.save_to_preset(str(folder / "embedder"))
    source = open_source(folder / "embedder")
    assert source.embedding == {"pooling": "max", "normalize": False}


def test_tensors_have_hugging_faces_shapes(presets):
    tensors = open_source(presets[0] / "masked_lm").tensors
    assert tensors.shape("encoder.layer.0.intermediate.dense.weight") == (12, 8)
    for name in tensors:
        value = tensors.read(name)
        assert (value.shape, value.dtype) == (tensors.shape(name), "float32")
    assert tensors.dtype(name) == "float32"
    assert tensors.stored_name("encoder.layer.1.attention.self.key.bias") == (
        "transformer_layer_1/self_attention_layer/key/bias"
    )


def test_shards_and_half_precision(hub, tmp_path):
    backbone = hub_backbone(hub, 23)
    backbone.save_to_preset(str(tmp_path / "shards"), max_shard_size=2e-6)
    assert len(list((tmp_path / "shards").glob("model_*.weights.h5"))) == 3
    half = hub.BertBackbone(vocabulary_size=23, max_sequence_length=16, dtype="bfloat16", **SIZES)
    half.set_weights(backbone.get_weights())
    half.save_to_preset(str(tmp_path / "half"))
    for name, model in (("shards", backbone), ("half", half)):
        source = open_source(tmp_path / name)
        table = np.asarray(model.token_embedding.embeddings, "float32")
        np.testing.assert_array_equal(
            source.tensors.read("embeddings.word_embeddings.weight"), table
        )
        assert source.tensors.dtype("pooler.dense.bias") == (
            "bfloat16" if name == "half" else "float32"
        )


MODELS = {
    kb.BertBackbone: {},
    kb.BertMaskedLM: HEAD,
    kb.BertTextClassifier: {},
}


def own_model(task, tokenizer, **changes):
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        max_sequence_length=16,
        **SIZES,
        **{"activation": "gelu_tanh", **MODELS[task], **changes},
    )
    backbone = kb.BertBackbone(config)
    if task is kb.BertBackbone:
        return randomize(backbone)
    if task is kb.BertMaskedLM:
        return randomize(task(backbone))
    return randomize(task(backbone, ["a", "b", "c"], dropout=0.25))


@pytest.mark.parametrize("task", MODELS)
def test_keras_hub_reads_what_is_written(task, tokenizer, tmp_path, hub):
    model = own_model(task, tokenizer, num_segments=3)
    folder = str(tmp_path / "out")
    kb.export_checkpoint(model, tokenizer, folder, "keras_hub")
    theirs = getattr(hub, task.__name__).from_preset(folder)
    x = inputs({"vocab_size": tokenizer.vocabulary_size}, length=9)
    if task is kb.BertBackbone:
        real = x["padding_mask"] == 1
        ours, expected = model(x), theirs(x)
        check(expected["sequence_output"][real], ours["sequence_output"][real])
        check(expected["pooled_output"], ours["pooled_output"])
    elif task is kb.BertMaskedLM:
        x["mask_positions"] = POSITIONS
        check(theirs(x), model(x)["masked_lm"])
        assert theirs.preprocessor.sequence_length == 16
    else:
        check(theirs(x), model(x)["classification"])
        assert theirs.dropout == 0.25
        # From text on: its own tokenizer and preprocessor.
        texts = ["The cat sat on a mat.", "Café, GOOD film!"]
        preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=16)
        check(theirs.predict(texts, verbose=0), model(preprocess(texts))["classification"])


@pytest.mark.parametrize("task", MODELS)
def test_written_then_read_is_exact(task, tokenizer, tmp_path):
    model = own_model(task, tokenizer)
    kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub", verify=True)
    again = task.from_preset(tmp_path / "out")
    assert again.config == model.config
    for received, wanted in zip(again.weights, model.weights, strict=True):
        if task is not kb.BertMaskedLM or "pooler" not in wanted.path:  # nothing reads it there
            np.testing.assert_array_equal(received, wanted)
    if task is kb.BertTextClassifier:
        assert again.dropout_rate == 0.25


def test_the_preprocessors_length(tokenizer, tmp_path, hub):
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=12)
    model = own_model(kb.BertTextClassifier, tokenizer)
    kb.export_checkpoint(model, preprocess, tmp_path / "out", "keras_hub")
    theirs = hub.BertTextClassifier.from_preset(str(tmp_path / "out"))
    assert theirs.preprocessor.sequence_length == 12


def test_what_is_lost_is_said(tokenizer, tmp_path, caplog):
    changes = {"attention_dropout": 0.3, "initializer_range": 0.05}
    model = own_model(kb.BertTextClassifier, tokenizer, **changes)
    with caplog.at_level(logging.WARNING):
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    assert [record.getMessage() for record in caplog.records] == [
        "a preset of KerasHub has no place for the classes' names, ['a', 'b', 'c']; "
        "attention_dropout=0.3; initializer_range=0.05"
    ]


@pytest.mark.parametrize(
    "task, changes, message",
    [
        (kb.BertBackbone, {"activation": "gelu"},
         r"activation='gelu', KerasHub's is 'gelu_tanh'.*4\.8e-4.*5e-3.*approximate_gelu=True"),
        (kb.BertMaskedLM, {"head_activation": "gelu_tanh"}, "head_activation='gelu_tanh', Ker"),
        (kb.BertMaskedLM, {"head_layer_norm_epsilon": 1e-12}, "epsilon=1e-12, KerasHub's is 1e-05"),
    ],
)  # fmt: skip
def test_what_keras_hub_computes_otherwise(task, changes, message, tokenizer, tmp_path, caplog):
    model = own_model(task, tokenizer, **changes)
    with pytest.raises(ValueError, match=message):
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    assert os.listdir(tmp_path) == []
    with caplog.at_level(logging.WARNING):
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub", approximate_gelu=True)
    assert "KerasHub computes this model otherwise" in caplog.text
    again = task.from_preset(tmp_path / "out")
    assert again.config == model.config.replace(
        activation="gelu_tanh", **(HEAD if task is kb.BertMaskedLM else {})
    )
    x = inputs({"vocab_size": tokenizer.vocabulary_size}, length=9)
    x = {**x, "mask_positions": POSITIONS} if task is kb.BertMaskedLM else x
    name = "masked_lm" if task is kb.BertMaskedLM else "pooled_output"
    difference = np.abs(np.array(again(x)[name]) - np.array(model(x)[name])).max()
    assert 1e-6 < difference < 5e-3


@pytest.mark.parametrize(
    "variant",
    [{"pre_norm": True}, {"share_layers": True}, {"embedding_dim": 4}, {"activation": "relu"},
     {"layer_norm_epsilon": 1e-7}],
)  # fmt: skip
def test_variants_that_keras_hub_lacks(variant, tokenizer, tmp_path):
    model = own_model(kb.BertBackbone, tokenizer, **variant)
    with pytest.raises(
        ValueError, match=f"{next(iter(variant))}=.* cannot be written for KerasHub"
    ):
        kb.export_checkpoint(model, tokenizer, tmp_path / "o", "keras_hub", approximate_gelu=True)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "make, message",
    [
        (kb.BertPretrainer, r"no next-sentence head.*BertMaskedLM\.from_preset"),
        (kb.BertNextSentence, "no next-sentence head"),
        (lambda b: kb.BertTokenClassifier(b, ["a", "b"]),
         r"no counterpart to the head of a BertTokenClassifier; save_preset.*model\.backbone can"),
        (kb.BertSpanClassifier, "no counterpart to the head of a BertSpanClassifier"),
        (kb.BertMultipleChoice, "no counterpart to the head of a BertMultipleChoice"),
        (lambda b: kb.BertTextEmbedder(b, "mean_sqrt_len_tokens"),
         "pools by mean, cls, max; this model's pooling is 'mean_sqrt_len_tokens'"),
    ],
)  # fmt: skip
def test_heads_that_keras_hub_lacks(make, message, tokenizer, tmp_path):
    model = make(own_model(kb.BertBackbone, tokenizer))
    with pytest.raises(ValueError, match=message):
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("problem_type, labels", [("multi_label", "abc"), ("regression", "a")])
def test_several_labels_and_numbers(problem_type, labels, tokenizer, tmp_path, hub):
    model = kb.BertTextClassifier(
        own_model(kb.BertBackbone, tokenizer), list(labels), problem_type=problem_type
    )
    randomize(model, 3)
    kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    again = kb.BertTextClassifier.from_preset(tmp_path / "out")
    assert again.problem_type == problem_type
    x = inputs({"vocab_size": tokenizer.vocabulary_size}, length=9)
    [ours], [received] = model(x).values(), again(x).values()
    np.testing.assert_array_equal(received, ours)
    theirs = hub.BertTextClassifier.from_preset(str(tmp_path / "out"))(x)
    expected = 1 / (1 + np.exp(-np.array(ours))) if problem_type == "multi_label" else ours
    check(theirs, expected)


def test_numbers_in_plural_are_lost(tokenizer, tmp_path, caplog):
    backbone = own_model(kb.BertBackbone, tokenizer)
    model = kb.BertTextClassifier(backbone, ["a", "b"], problem_type="regression")
    kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    assert "no place for the classes' names, ['a', 'b']; the outputs being numbers" in caplog.text


@pytest.mark.parametrize("pooling, normalize", [("mean", True), ("cls", False), ("max", True)])
def test_an_embedder(pooling, normalize, tokenizer, tmp_path, hub):
    model = kb.BertTextEmbedder(own_model(kb.BertBackbone, tokenizer), pooling, normalize)
    kb.export_checkpoint(model, tokenizer, tmp_path / "out", "keras_hub")
    again = kb.BertTextEmbedder.from_preset(tmp_path / "out")
    assert (again.pooling, again.normalize) == (pooling, normalize)
    x = inputs({"vocab_size": tokenizer.vocabulary_size}, length=9)
    [ours], [received] = model(x).values(), again(x).values()
    np.testing.assert_array_equal(received, ours)
    check(hub.BertTextEmbedder.from_preset(str(tmp_path / "out"))(x), ours)


def test_the_tokenizer_comes_back(tiny_vocabulary, tmp_path, caplog):
    vocabulary = [*tiny_vocabulary, "[E1]"]
    for number, options in enumerate(
        (
            {"lowercase": False},
            {},
            {"strip_accents": False},
            {"lowercase": False, "strip_accents": True},
        )
    ):
        tokenizer = kb.BertTokenizer(vocabulary, **options)
        model, folder = own_model(kb.BertBackbone, tokenizer), tmp_path / str(number)
        kb.export_checkpoint(model, tokenizer, folder, "keras_hub", verify=True)
        again = kb.BertTokenizer.from_preset(folder)
        assert (again.vocabulary, again.options) == (vocabulary, tokenizer.options)
    assert not caplog.records
    tokenizer = kb.BertTokenizer(vocabulary, split_chinese=False, added_tokens=["[E1]"])
    kb.export_checkpoint(model, tokenizer, tmp_path / "lost", "keras_hub")
    assert "for Chinese words that are kept whole; tokens that are found in raw text, [E1]" in (
        caplog.text
    )


def edit(path, change):
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("config", lambda v: v.update(class_name="RobertaBackbone"),
         r"config\.json holds a RobertaBackbone of keras_hub"),
        ("config", lambda v: v.update(module="os"), "holds a BertBackbone of os; this package"),
        ("config", lambda v: v.update(config=3), "config is 3; expected a JSON object"),
        ("config", lambda v: v["config"].update(rope=1), "unknown options rope of BertBackbone"),
        ("config", lambda v: v["config"].pop("num_heads"), r"config\.json lacks num_heads"),
        ("config", lambda v: v["config"].update(num_heads=3), r"config\.json: .*num_heads must"),
        ("config", lambda v: v["config"].update(hidden_dim="8"), "hidden_dim must be a positive"),
        ("config", lambda v: v["config"].update(dtype="int8"), "dtype is int8; only float32"),
        ("config", lambda v: v["config"].update(dtype={"class_name": "DTypePolicyMap"}),
         "dtype is DTypePolicyMap.*no quantized weights"),
        ("config", lambda v: v["config"].update(num_layers=3), "is damaged, or of another model"),
        ("config", lambda v: v["config"].update(num_layers=1),
         "it holds 2 encoder layers; expected 1"),
        ("config", lambda v: v["config"].update(hidden_dim=12), "is damaged, or of another model"),
        ("config", lambda v: v["config"].update(vocabulary_size=10**12),
         r"model\.weights\.h5: \d+,\d+ bytes are too few for 8,0\d\d,\d+,\d+,\d+ numbers"),
        ("task", lambda v: v.update(class_name="BertTagger"), r"task\.json holds a BertTagger"),
        ("task", lambda v: v["config"].update(activation="relu"), "activation is 'relu'"),
        ("task", lambda v: v["config"].update(activation={"a": 1}), r"activation is \{'a': 1\}"),
        ("task", lambda v: v["config"].update(num_classes="3"), "num_classes is '3'"),
        ("task", lambda v: v["config"].update(num_classes=4), "is damaged, or of another model"),
        ("task", lambda v: v["config"].update(num_classes=10**9), "bytes are too few for 9,000"),
    ],
)  # fmt: skip
def test_configurations_that_do_not_fit(presets, name, change, message):
    folder = presets[0] / "classifier"
    edit(folder / f"{name}.json", change)
    with pytest.raises(ValueError, match=message):
        kb.BertTextClassifier.from_preset(folder)


@pytest.mark.parametrize("name", ["model.weights.h5", "task.weights.h5"])
def test_damaged_weights(presets, name):
    path = presets[0] / "masked_lm" / name
    whole = path.read_bytes()
    for data in (whole[: len(whole) * 4 // 5], whole[:1000], b"", b"x" * len(whole)):
        path.write_bytes(data)
        with pytest.raises(
            ValueError, match=r"is damaged, or of another|bytes are too few"
        ) as raised:
            kb.BertMaskedLM.from_preset(path.parent)
        assert str(path) in str(raised.value)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"no {name}".replace(".", r"\.")):
        kb.BertMaskedLM.from_preset(path.parent)


def test_weights_of_another_task_and_missing_ones(presets):
    folder = presets[0]
    for source in ("classifier", "backbone"):
        name = "task.weights.h5" if source == "classifier" else "model.weights.h5"
        shutil.copy(folder / source / name, folder / "masked_lm" / "task.weights.h5")
        with pytest.raises(ValueError, match=r"task\.weights\.h5 is damaged, or of another model"):
            kb.BertMaskedLM.from_preset(folder / "masked_lm")


def test_an_index_that_leads_outside(hub, tmp_path):
    folder = tmp_path / "shards"
    hub_backbone(hub, 23).save_to_preset(str(folder), max_shard_size=2e-6)
    index = folder / "model.weights.json"
    text = index.read_text()
    for name in ("../model_00000.weights.h5", "/etc/passwd", "a\\b", ".."):
        index.write_text(text.replace("model_00000.weights.h5", json.dumps(name)[1:-1]))
        with pytest.raises(ValueError, match=r"names the file .*expected one of the same folder"):
            kb.BertBackbone.from_preset(folder)
    index.write_text(text.replace("model_00000", "model_00009"))
    with pytest.raises(FileNotFoundError, match=r"model_00009\.weights\.h5, which .*json names"):
        kb.BertBackbone.from_preset(folder)
    index.write_text("{}")
    with pytest.raises(ValueError, match="is no index of shards"):
        kb.BertBackbone.from_preset(folder)


def test_a_vocabulary_of_another_length(presets):
    path = presets[0] / "backbone" / "assets" / "tokenizer" / "vocabulary.txt"
    path.write_text(path.read_text() + "extra\n")
    with pytest.raises(ValueError, match=r"has \d+ tokens.*vocab_size="):
        kb.BertBackbone.from_preset(presets[0] / "backbone")


def test_the_head_computes_what_numpy_computes(hf_directory):
    """The masked-LM head's own activation and epsilon, without KerasHub."""
    config = hf_config(hidden_act="gelu_new")
    tensors = hf_tensors(config)
    own = {**config, "model_type": "keras_bert", **HEAD}
    model = kb.BertMaskedLM.from_preset(hf_directory(own, tensors))
    x = inputs(config)
    sequence, _ = NumpyBert(config, tensors)(**x)
    head = NumpyBert({**config, "hidden_act": "gelu", "layer_norm_eps": 1e-5}, tensors)
    expected = head.masked_lm(sequence, POSITIONS)
    received = model({**x, "mask_positions": POSITIONS})["masked_lm"]
    np.testing.assert_allclose(received, expected, atol=1e-5)
    other = NumpyBert(config, tensors).masked_lm(sequence, POSITIONS)
    assert np.abs(other - expected).max() > 1e-5  # the two heads do differ


def test_the_size_of_the_difference(hub, minilm, tmp_path):
    """What a refused export of an exact-GELU model would mean: the figure in the message."""
    model = kb.BertBackbone.from_preset(minilm)
    tokenizer = kb.BertTokenizer.from_preset(minilm)
    kb.export_checkpoint(model, tokenizer, tmp_path / "x", "keras_hub", approximate_gelu=True)
    read = hub.BertBackbone.from_preset(str(tmp_path / "x"))
    texts = ["I love to eat apples.", "a gripping film", "Ça été créé à la façon de Dvořák"]
    x = kb.TextClassifierPreprocessor(tokenizer, sequence_length=32)(texts)
    real = np.array(x["padding_mask"]) == 1
    ours, approximate = (np.array(each(x)["sequence_output"])[real] for each in (model, read))
    assert 1e-3 < np.abs(ours - approximate).max() < 1e-2
