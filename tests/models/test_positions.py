"""A longer position table: rows by their formulas, the first n as they were, outputs, files."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import reference_bert as reference
from models.changed_tables import NAMES, check_the_rest, make_models, value

import keras_bert as kb

CONFIG = kb.BertConfig(
    vocabulary_size=23, num_layers=2, hidden_dim=12, num_heads=3, max_sequence_length=7
)
METHODS = ["hierarchical", "repeat", "interpolate"]


@pytest.fixture(scope="module")
def models():
    return make_models(CONFIG)


def row(table, position, method, length):
    """One row of the new table, by the formula as it is written down."""
    table, n = table.astype("float64"), len(table)
    if method == "repeat":
        return table[position % n]
    if method == "hierarchical":
        i, j = position // n, position % n
        u_i, u_j = ((table[k] - 0.4 * table[0]) / 0.6 for k in (i, j))
        return 0.4 * u_i + 0.6 * u_j
    place = position * (n - 1) / (length - 1)
    return np.array([np.interp(place, np.arange(n), column) for column in table.T])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["backbone", "variant_pretrainer"])
def test_rows(models, name, method):
    model = models[name]
    old = value(model, "position_table").copy()
    for length in (8, 20, 49):
        new = kb.lengthen(model, length, method)
        check_the_rest(model, new, ("position_table",), max_sequence_length=length)
        rows = value(new, "position_table")
        expected = [row(old, position, method, length) for position in range(length)]
        np.testing.assert_allclose(rows, expected, rtol=1e-6, atol=1e-6)
        if method != "interpolate":
            np.testing.assert_array_equal(rows[:7], old)
        np.testing.assert_array_equal(rows[0], old[0])
    if method == "interpolate":
        np.testing.assert_array_equal(rows[-1], old[-1])
    else:
        # No row of the hierarchy twice; repetition is nothing else.
        assert len(np.unique(rows, axis=0)) == (49 if method == "hierarchical" else 7)
    np.testing.assert_array_equal(value(model, "position_table"), old)


@pytest.mark.parametrize("method", ["hierarchical", "repeat"])
@pytest.mark.parametrize("name", NAMES)
def test_short_texts_come_out_as_before(models, name, method):
    model = models[name]
    new = kb.lengthen(model, 30, method)
    check_the_rest(model, new, ("position_table",), max_sequence_length=30)
    inputs = reference.example_inputs(CONFIG, length=7)
    inputs = {key: inputs[key] for key in model.input}
    outputs = new(inputs)
    for key, expected in model(inputs).items():
        np.testing.assert_array_equal(np.asarray(outputs[key]), np.asarray(expected))


@pytest.mark.parametrize("method", METHODS)
def test_long_texts_by_the_reference(models, method):
    model = models["variant_pretrainer"]
    new = kb.lengthen(model, 30, method)
    inputs = reference.example_inputs(new.config, length=26)
    with pytest.raises(ValueError, match="the position table has max_sequence_length=7"):
        model(inputs)
    weights = reference.weights_of(model)
    old = weights["embeddings/position_table"]
    weights["embeddings/position_table"] = np.array(
        [row(old, position, method, 30) for position in range(30)]
    )
    expected = reference.pretrainer(new.config, weights, inputs)
    outputs = new(inputs)
    for key in model.output:
        np.testing.assert_allclose(np.asarray(outputs[key]), expected[key], atol=1e-4)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_the_lengths(data):
    n = data.draw(st.integers(2, 12), "rows")
    method = data.draw(st.sampled_from(METHODS), "method")
    length = data.draw(st.integers(n + 1, n * n), "length")
    config = CONFIG.replace(max_sequence_length=n, num_layers=1, hidden_dim=3)
    model = reference.randomize(kb.BertBackbone(config), seed=length)
    old = value(model, "position_table")
    rows = value(kb.lengthen(model, length, method), "position_table")
    assert rows.shape == (length, 3)
    expected = [row(old, position, method, length) for position in range(length)]
    np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-5)
    if method == "interpolate":
        np.testing.assert_array_equal(rows[[0, -1]], old[[0, -1]])
    else:
        np.testing.assert_array_equal(rows[:n], old)


def test_one_row(models):
    model = reference.randomize(kb.BertBackbone(CONFIG.replace(max_sequence_length=1)))
    old = value(model, "position_table")
    for method in ("repeat", "interpolate"):
        rows = value(kb.lengthen(model, 3, method), "position_table")
        np.testing.assert_array_equal(rows, np.repeat(old, 3, axis=0))
    with pytest.raises(ValueError, match="from 1 entries method='hierarchical' reaches 1"):
        kb.lengthen(model, 2)


def test_hierarchical_is_the_default_and_it_goes_through_files(models, tmp_path):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(18))]
    new = kb.lengthen(models["classifier"], 49)
    np.testing.assert_array_equal(
        value(new, "position_table"),
        value(kb.lengthen(models["classifier"], 49, "hierarchical"), "position_table"),
    )
    preprocess = kb.TextClassifierPreprocessor(kb.BertTokenizer(vocabulary), sequence_length=40)
    with pytest.raises(ValueError, match="sequence_length=40 is longer"):
        kb.save_preset(tmp_path / "former", models["classifier"], preprocess)
    kb.save_preset(tmp_path / "model", new, preprocess)
    again = kb.BertTextClassifier.from_preset(tmp_path / "model")
    assert again.config.max_sequence_length == 49
    text = " ".join(str(i % 18) for i in range(38))
    inputs = preprocess([text])
    assert inputs["token_ids"].shape == (1, 40)
    np.testing.assert_array_equal(
        np.asarray(again(inputs)["classification"]), np.asarray(new(inputs)["classification"])
    )
    new.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(value(loaded, "position_table"), value(new, "position_table"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7,), "has 7 entries; expected a larger max_sequence_length, received 7"),
        ((3, "repeat"), "the preprocessor's sequence_length decides"),
        ((50,), 'reaches 49; received max_sequence_length=50. Use method="repeat"'),
        ((20, "linear"), "one of hierarchical, repeat, interpolate; received 'linear'"),
        ((20.0,), "must be an int; received 20.0"),
        ((True,), "must be an int; received True"),
    ],
)
def test_wrong_arguments(models, arguments, message):
    with pytest.raises(ValueError, match=message):
        kb.lengthen(models["backbone"], *arguments)


def test_no_model_of_ours(models):
    with pytest.raises(ValueError, match="Expected a BertBackbone or a task model"):
        kb.lengthen(models["backbone"].internals(), 20)
