"""TensorFlow 1 checkpoints: what is read computes what NumPy computes from the same variables."""

import json
import logging
import shutil
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from google_checkpoint import google_variables, write_checkpoint, write_google
from numpy_bert import NumpyBert, hf_config, hf_tensors, inputs

import keras_bert as kb
from keras_bert.checkpoints import google, google_names, names
from keras_bert.checkpoints.opening import open_source
from keras_bert.checkpoints.weights import load_weights

POSITIONS = np.array([[1, 2], [0, 1], [3, 0]], "int32")


def check_pretrainer(directory, config, tensors, tolerance):
    """Compares all outputs with a forward pass in NumPy from the same tensors."""
    model = kb.BertPretrainer.from_preset(directory)
    x = inputs(config)
    reference = NumpyBert(config, tensors)
    sequence, pooled = reference(**x)
    hidden, outputs = model.backbone(x), model({**x, "mask_positions": POSITIONS})
    real = x["padding_mask"] == 1
    for received, expected in (
        (hidden["sequence_output"][real], sequence[real]),
        (hidden["pooled_output"], pooled),
        (outputs["masked_lm"], reference.masked_lm(sequence, POSITIONS)),
        (outputs["next_sentence"], reference.dense("cls.seq_relationship", pooled)),
    ):
        np.testing.assert_allclose(received, expected, atol=tolerance)
    return model


@pytest.fixture
def folder(tmp_path):
    """A folder with every pretraining head and the slots of an optimizer."""
    config = hf_config()
    return write_google(
        tmp_path / "google[1]", config, google_variables(pretraining_tensors(), slots=True)
    )


def pretraining_tensors(seed=0, config=None):
    tensors = hf_tensors(config or hf_config(), seed)
    return {name: value for name, value in tensors.items() if name.startswith(("bert", "cls"))}


def test_the_tiny_checkpoint_of_2018(shared_data):
    """Every variable is used or listed as ignored, and NumPy computes the same."""
    directory = shared_data / "tiny_tf1_checkpoint"
    reader = tf.train.load_checkpoint(str(directory / "bert_model.ckpt"))
    stored = set(reader.get_variable_to_shape_map())
    source = open_source(directory)
    used = {source.tensors.stored_name(name) for name in source.tensors}
    assert used | set(source.ignored) == stored
    assert not used & set(source.ignored)
    assert source.ignored == sorted(
        name for name in stored if name.endswith(("/adam_m", "/adam_v")) or name == "global_step"
    )
    config = {**json.loads((directory / "bert_config.json").read_text()), "layer_norm_eps": 1e-12}
    tensors = {}
    for name in used:
        value = reader.get_tensor(name)
        if name.endswith("kernel"):
            value = value.T
        for old, new in (
            ("layer_", "layer."),
            ("/", "."),
            ("LayerNorm.gamma", "LayerNorm.weight"),
            ("LayerNorm.beta", "LayerNorm.bias"),
            ("kernel", "weight"),
            ("output_weights", "weight"),
            ("output_bias", "bias"),
        ):
            name = name.replace(old, new)
        tensors[name + ".weight" if name.endswith("embeddings") else name] = value
    model = check_pretrainer(directory, config, tensors, 1e-6)
    # Every variable that is used is one of the model's.
    assert len(names.model_tensors(model)) == len(used) == 46
    assert kb.BertTokenizer.from_preset(directory).vocabulary_size == 15


@pytest.mark.parametrize(
    "changes",
    [{}, {"hidden_act": "gelu_new", "type_vocab_size": 5}, {"hidden_act": "relu"},
     {"hidden_act": "tanh", "num_hidden_layers": 11}],
)  # fmt: skip
def test_every_head_of_pretraining(tmp_path, changes, caplog):
    config = hf_config(**changes)
    tensors = pretraining_tensors(config=config)
    directory = write_google(tmp_path / "google", config, google_variables(tensors, slots=True))
    with caplog.at_level(logging.WARNING):
        check_pretrainer(directory, config, tensors, 1e-5)
    assert not caplog.records


def test_heads_of_fine_tuning(tmp_path):
    config = hf_config()
    all_tensors = hf_tensors(config)
    tensors = {n: v for n, v in all_tensors.items() if n.startswith(("bert", "classifier"))}
    x = inputs(config)
    _, pooled = NumpyBert(config, tensors)(**x)
    directory = write_google(tmp_path / "classifier", config, google_variables(tensors))
    source = open_source(directory)
    assert source.values == {"architectures": ["BertForSequenceClassification"]}
    assert source.tensors.shape("classifier.weight") == (3, 8)
    model = kb.BertTextClassifier.from_preset(directory, labels=["a", "b", "c"])
    expected = NumpyBert(config, tensors).dense("classifier", pooled)
    np.testing.assert_allclose(model(x)["classification"], expected, atol=1e-5)

    tensors = {name: v for name, v in all_tensors.items() if name.startswith(("bert", "qa"))}
    directory = write_google(tmp_path / "squad", config, google_variables(tensors))
    assert open_source(directory).values == {"architectures": ["BertForQuestionAnswering"]}
    spans = kb.BertSpanClassifier.from_preset(directory)(x)
    expected = NumpyBert(config, tensors).span(**x)
    real = x["padding_mask"] == 1
    for name, value in zip(("span_start", "span_end"), expected, strict=True):
        np.testing.assert_allclose(spans[name][real], value[real], atol=1e-5)


@pytest.mark.parametrize(
    "part, architecture",
    [("cls.predictions", "BertForMaskedLM"), ("cls.seq", "BertForNextSentencePrediction"),
     ("none", "BertModel")],
)  # fmt: skip
def test_which_heads_there_are(tmp_path, part, architecture):
    tensors = {
        name: value
        for name, value in pretraining_tensors().items()
        if name.startswith(("bert.", part))
    }
    directory = write_google(tmp_path / "google", hf_config(), google_variables(tensors))
    assert open_source(directory).values == {"architectures": [architecture]}


def test_names_there_and_back():
    config = kb.BertConfig(vocabulary_size=9, hidden_dim=8, num_heads=2, num_layers=12)
    model = kb.BertPretrainer(kb.BertBackbone(config))
    own = {names.canonical(tensor.name) for tensor in names.model_tensors(model)}
    own |= {f"{head}.{end}" for head in ("classifier", "qa_outputs") for end in ("weight", "bias")}
    variables = {google_names.variable_name(name) for name in own}
    assert len(variables) == len(own)
    assert {google_names.canonical_name(variable) for variable in variables} == own
    assert variables >= {
        "bert/embeddings/word_embeddings",
        "bert/encoder/layer_11/attention/output/LayerNorm/beta",
        "cls/predictions/transform/dense/kernel",
        "cls/squad/output_weights",
        "output_bias",
    }
    for unknown in (
        "encoder.embedding_hidden_mapping_in.weight",
        "encoder.final_norm.LayerNorm.bias",
    ):
        assert google_names.variable_name(unknown) is None


@pytest.mark.parametrize(
    "variable, is_state",
    [("global_step", True), ("beta1_power", True), ("loss_scale", True), ("bad_steps", True),
     ("bert/pooler/dense/bias/Adam_1", True), ("output_weights/lamb_v", True),
     ("bert/pooler/dense/bias/LAMB", True), ("bert/pooler/dense/bias", False),
     ("something/adam_m", False), ("bert/pooler/dense/bias/more", False)],
)  # fmt: skip
def test_what_training_leaves(variable, is_state):
    assert google_names.is_state(variable) is is_state


def word_embeddings(directory):
    return np.array(kb.BertBackbone.from_preset(directory).embeddings.token_table)


def test_which_checkpoint_of_a_folder(folder, hf_directory):
    first = pretraining_tensors()["bert.embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(word_embeddings(folder), first)
    np.testing.assert_array_equal(word_embeddings(folder / "bert_model.ckpt"), first)
    for step, seed in ((900, 1), (1000, 2)):
        variables = google_variables(pretraining_tensors(seed))
        write_checkpoint(folder / f"model.ckpt-{step}", variables)
    # The published name goes before; a prefix before all.
    np.testing.assert_array_equal(word_embeddings(folder), first)
    by_seed = {
        seed: pretraining_tensors(seed)["bert.embeddings.word_embeddings.weight"] for seed in (1, 2)
    }
    np.testing.assert_array_equal(word_embeddings(folder / "model.ckpt-900"), by_seed[1])
    for path in folder.glob("bert_model.ckpt.*"):
        path.unlink()
    np.testing.assert_array_equal(word_embeddings(folder), by_seed[2])  # 1000 > 900
    write_checkpoint(folder / "other.ckpt-1", google_variables(pretraining_tensors(3)))
    with pytest.raises(ValueError, match=r"several checkpoints: .*-1000, .*-900, other"):
        kb.BertBackbone.from_preset(folder)
    # A prefix means the checkpoint, also in a folder that is Hugging Face's at the same time.
    other = hf_directory(hf_config(), hf_tensors(hf_config(), seed=5))
    for path in folder.iterdir():
        shutil.copy(path, other)
    np.testing.assert_array_equal(word_embeddings(other / "model.ckpt-900"), by_seed[1])
    assert not np.array_equal(word_embeddings(other), by_seed[1])


def test_missing_files(folder):
    config = folder / "bert_config.json"
    text = config.read_text()
    config.unlink()
    with pytest.raises(FileNotFoundError, match=r"no bert_config\.json; put that of the model"):
        kb.BertBackbone.from_preset(folder)
    config.write_text(text)
    data = folder / "bert_model.ckpt.data-00000-of-00001"
    data.rename(folder / "aside")
    with pytest.raises(FileNotFoundError, match=r"bert_model\.ckpt\.index has no data beside it"):
        kb.BertBackbone.from_preset(folder)
    (folder / "bert_model.ckpt.index").unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no bert_model\.ckpt\.index"):
        kb.BertBackbone.from_preset(folder)


def test_damaged_files(folder):
    data, index = (folder / f"bert_model.ckpt.{n}" for n in ("data-00000-of-00001", "index"))
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"bert_model\.ckpt\.data-\* hold 9,\d+ bytes.*cut short"):
        kb.BertBackbone.from_preset(folder)
    # As long as it should be, but with other content: each variable has a checksum.
    data.write_bytes(bytes(byte ^ 1 for byte in whole))
    with pytest.raises(ValueError, match=r"bert_model\.ckpt: variable bert/.* cannot be read"):
        kb.BertBackbone.from_preset(folder)
    data.write_bytes(whole)
    stored = index.read_bytes()
    for damaged in (b"", stored[: len(stored) // 2], bytes(reversed(stored)), b"x" * 4096):
        index.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"bert_model\.ckpt\.index is no whole index"):
            kb.BertBackbone.from_preset(folder)


def test_no_damage_of_the_index_gets_through(folder):
    """Each byte of the index is changed in turn: an error of ours, or the same values."""
    index = folder / "bert_model.ckpt.index"
    model, stored = kb.BertBackbone.from_preset(folder), index.read_bytes()
    expected = model.get_weights()
    for place in range(0, len(stored), 7):
        index.write_bytes(stored[:place] + bytes([stored[place] ^ 0x41]) + stored[place + 1 :])
        try:
            load_weights(model, open_source(folder))
        except ValueError:
            continue
        for received, wanted in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(received, wanted)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda v: v.pop("bert/encoder/layer_1/intermediate/dense/kernel"),
         r"bert_model\.ckpt lacks the tensor bert/encoder/layer_1/intermediate/dense/kernel"),
        (lambda v: v.update({"bert/embeddings/word_embeddings": np.zeros((24, 8), "float32")}),
         r"bert/embeddings/word_embeddings has shape \(24, 8\); expected \(23, 8\)"),
        (lambda v: v.update({"bert/encoder/layer_2/output/dense/bias": np.zeros(8, "float32")}),
         "bert/encoder/layer_2/output/dense/bias, which a model of its configuration has no place"),
        (lambda v: v.update({"bert/encoder/transformer/dense/kernel": np.zeros(8, "float32")}),
         r"holds the variable bert/encoder/transformer/dense/kernel of shape \(8,\), which"),
        (lambda v: v.update({"bert/pooler/dense/bias": np.zeros(8, "int32")}),
         "variable bert/pooler/dense/bias has the type int32; expected floats"),
    ],
)  # fmt: skip
def test_variables_that_do_not_fit(tmp_path, change, message):
    variables = google_variables(pretraining_tensors())
    change(variables)
    directory = write_google(tmp_path / "google", hf_config(), variables)
    with pytest.raises(ValueError, match=message):
        kb.BertPretrainer.from_preset(directory)


def test_every_field_of_the_configuration(tmp_path):
    values = hf_config(hidden_act="gelu", initializer_range=0.01, directionality="bidi")
    assert google.config_of(values, "x") == kb.BertConfig(
        vocabulary_size=23,
        hidden_dim=8,
        num_layers=2,
        num_heads=2,
        intermediate_dim=12,
        num_segments=2,
        max_sequence_length=10,
        dropout=0.1,
        attention_dropout=0.2,
        layer_norm_epsilon=1e-12,
        initializer_range=0.01,
        activation="gelu",
    )
    # `modeling.BertConfig(vocab_size=9)`, as Google's file has it
    assert google.config_of({"vocab_size": 9}, "x") == kb.BertConfig(
        vocabulary_size=9, num_segments=16
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "is not JSON"),
        ("[]", "holds a list; expected a JSON object"),
        ({"vocab_size": None}, "vocab_size is null"),
        ({"vocab_size": "23"}, "vocabulary_size must be a positive int; received '23'"),
        ({"hidden_size": 8.5}, "hidden_dim must be a positive int"),
        ({"num_attention_heads": 3}, "num_heads must divide hidden_dim"),
        ({"hidden_dropout_prob": 1.5}, "dropout must be at least 0"),
        ({"hidden_act": "linear"}, "hidden_act is 'linear'; expected one of gelu,"),
        ({"hidden_act": None}, "hidden_act is None"),
        ({"hidden_act": 3}, "hidden_act is 3"),
    ],
)
def test_bad_configurations(folder, text, message):
    path = folder / "bert_config.json"
    if isinstance(text, dict):
        text = json.dumps({**json.loads(path.read_text()), **text})
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"bert_config\.json'?:? .*{message}"):
        kb.BertBackbone.from_preset(folder)
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"bert_config\.json lacks vocab_size"):
        kb.BertBackbone.from_preset(folder)


def test_a_vocabulary_of_another_length(folder):
    (folder / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(ValueError, match=r"has 2 tokens.*vocab_size=23"):
        kb.BertBackbone.from_preset(folder)


@pytest.mark.parametrize("inner", ["", "uncased_L-12_H-768_A-12/"])
def test_the_published_zip(folder, tmp_path, inner):
    path = tmp_path / "published.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if inner:
            archive.writestr(inner, b"")
        for file in folder.iterdir():
            archive.write(file, inner + file.name)
        archive.writestr(f"{inner}bert_model.ckpt.meta", b"the graph")
        archive.writestr("__MACOSX/._bert_config.json", b"what a Mac adds")
    expected = kb.BertPretrainer.from_preset(folder).get_weights()
    for received, wanted in zip(
        kb.BertPretrainer.from_preset(path).get_weights(), expected, strict=True
    ):
        np.testing.assert_array_equal(received, wanted)


def stored_variables(directory):
    reader = tf.train.load_checkpoint(str(directory / "bert_model.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture
def written(hf_directory, tiny_vocabulary, tmp_path):
    """A function that reads a model of random weights and writes it as Google's."""

    def write(task, **changes):
        config = hf_config(vocab_size=len(tiny_vocabulary), **changes)
        tensors = hf_tensors(config)
        model = task.from_preset(hf_directory(config, tensors))
        kb.export_checkpoint(
            model, kb.BertTokenizer(tiny_vocabulary), tmp_path / "out", "google", verify=True
        )
        return model, tensors, tmp_path / "out"

    return write


TASKS = {  # what each has: the beginnings of Hugging Face's names
    kb.BertBackbone: ("bert.",),
    kb.BertPretrainer: ("bert.", "cls."),
    kb.BertMaskedLM: ("bert.embeddings", "bert.encoder", "cls.predictions"),
    kb.BertNextSentence: ("bert.", "cls.seq_relationship."),
    kb.BertTextClassifier: ("bert.", "classifier."),
    kb.BertSpanClassifier: ("bert.embeddings", "bert.encoder", "qa_outputs."),
}


@pytest.mark.parametrize("task", TASKS)
def test_what_is_written(written, task, tiny_vocabulary):
    """Names and values are Google's, and reading them back is exact."""
    model, tensors, directory = written(task, hidden_act="gelu_new", type_vocab_size=3)
    expected = google_variables({n: v for n, v in tensors.items() if n.startswith(TASKS[task])})
    received = stored_variables(directory)
    assert sorted(received) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(received[name], value)
    assert sorted(path.name for path in directory.iterdir()) == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert json.loads((directory / "bert_config.json").read_text()) == {
        "attention_probs_dropout_prob": 0.2,
        "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 8,
        "initializer_range": 0.02,
        "intermediate_size": 12,
        "max_position_embeddings": 10,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "type_vocab_size": 3,
        "vocab_size": len(tiny_vocabulary),
    }
    again = task.from_preset(directory)
    assert again.config == model.config
    # Nothing reads it there.
    left = "pooler" if task in (kb.BertMaskedLM, kb.BertSpanClassifier) else None
    for wanted, weight in zip(model.weights, again.weights, strict=True):
        if left is None or left not in wanted.path:
            np.testing.assert_array_equal(weight, wanted)
    assert kb.BertTokenizer.from_preset(directory).vocabulary == tiny_vocabulary


def test_what_is_lost_is_said(written, caplog):
    with caplog.at_level(logging.WARNING):
        model, _, directory = written(kb.BertTextClassifier, classifier_dropout=0.3)
    assert [record.getMessage() for record in caplog.records] == [
        "Google's files have no place for the classes' names, ['LABEL_0', 'LABEL_1', 'LABEL_2']; "
        "dropout 0.3 before the classifier; whoever reads them has to be told"
    ]
    again = kb.BertTextClassifier.from_preset(directory, labels=["a", "b", "c"])
    np.testing.assert_array_equal(again.classifier.kernel, model.classifier.kernel)


@pytest.mark.parametrize(
    "variant, message",
    [
        ({"pre_norm": True}, "pre_norm=True cannot be written for google-research"),
        ({"share_layers": True}, "share_layers=True cannot.*has False only; save_preset keeps"),
        ({"embedding_dim": 4}, "embedding_dim=4 cannot.*has 8 only"),
        ({"layer_norm_epsilon": 1e-7}, "layer_norm_epsilon=1e-07 cannot.*has 1e-12 only"),
        (
            {"head_activation": "tanh"},
            "head_activation='tanh' and head_layer_norm_epsilon=1e-12 can",
        ),
        ({"activation": "silu"}, "activation='silu' cannot.*knows gelu, gelu_tanh, relu, tanh"),
    ],
)
def test_variants_that_google_lacks(tmp_path, tiny_vocabulary, variant, message):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1, **variant
    )
    tokenizer = kb.BertTokenizer(tiny_vocabulary)
    with pytest.raises(ValueError, match=message):
        model = kb.BertMaskedLM(kb.BertBackbone(config))
        kb.export_checkpoint(model, tokenizer, tmp_path / "out", "google")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda b: kb.BertTextClassifier(b, ["a", "b"], problem_type="multi_label"),
         "exclude each other only, and this one is multi_label"),
        (lambda b: kb.BertTextClassifier(b, ["score"], problem_type="regression"),
         "exclude each other only, and this one is regression"),
        (lambda b: kb.BertTokenClassifier(b, ["a", "b"]),
         r"no counterpart to the head of a BertTokenClassifier; save_preset.*model\.backbone can"),
        (kb.BertMultipleChoice, "no counterpart to the head of a BertMultipleChoice"),
    ],
)  # fmt: skip
def test_heads_that_google_lacks(tmp_path, tiny_vocabulary, make, message):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1
    )
    model = make(kb.BertBackbone(config))
    with pytest.raises(ValueError, match=message):
        kb.export_checkpoint(model, kb.BertTokenizer(tiny_vocabulary), tmp_path / "out", "google")
    assert list(tmp_path.iterdir()) == []


def test_an_embedder_is_its_backbone_there(tmp_path, tiny_vocabulary, caplog):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1
    )
    model = kb.BertTextEmbedder(kb.BertBackbone(config), "max", normalize=False)
    kb.export_checkpoint(model, kb.BertTokenizer(tiny_vocabulary), tmp_path / "out", "google")
    assert "no place for max pooling, normalize=False" in caplog.text
    again = kb.BertTextEmbedder.from_preset(tmp_path / "out", "max", normalize=False)
    for received, wanted in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(received, wanted)


@pytest.mark.parametrize(
    "options",
    [{"lowercase": False}, {"lowercase": True}, {"lowercase": True, "strip_accents": False},
     {"split_chinese": False}, {"added_tokens": ["[E1]"]}],
)  # fmt: skip
def test_the_tokenizer_comes_back(tmp_path, tiny_vocabulary, options):
    """Google's files do not say it, and the words here would not tell."""
    tokenizer = kb.BertTokenizer([*tiny_vocabulary, "[E1]"], **options)
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size, hidden_dim=8, num_heads=2, num_layers=1
    )
    kb.export_checkpoint(kb.BertBackbone(config), tokenizer, tmp_path / "out", "google")
    again = kb.BertTokenizer.from_preset(tmp_path / "out")
    assert again.options == tokenizer.options
    assert again.vocabulary == tokenizer.vocabulary
    kb.BertBackbone.from_preset(tmp_path / "out")  # its length is checked
