"""AdamW against NumPy: decay, clipping, schedule, sparse gradients, and its state in a file."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import reference_bert as reference

import keras_bert as kb


class NumpyAdamW:
    """The paper's algorithm in float64, with clipping by the norm of all gradients together."""

    def __init__(self, rate, decay=0.01, clip=1.0, beta_1=0.9, beta_2=0.999, epsilon=1e-6):
        self.rate, self.decay, self.clip = rate, decay, clip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.step, self.moments, self.clipped = 0, {}, 0

    def apply(self, gradients, values):
        rate = self.rate(self.step)
        self.step += 1
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        self.clipped += norm > self.clip
        for name, gradient in gradients.items():
            gradient = gradient * min(1.0, self.clip / norm)
            first, second = self.moments.get(name, (0.0, 0.0))
            first = self.beta_1 * first + (1 - self.beta_1) * gradient
            second = self.beta_2 * second + (1 - self.beta_2) * gradient**2
            self.moments[name] = first, second
            if values[name].ndim > 1:
                values[name] = values[name] * (1 - rate * self.decay)
            # Kingma and Ba 2015, section 2, the efficient form; epsilon beside the raw moment.
            scale = np.sqrt(1 - self.beta_2**self.step) / (1 - self.beta_1**self.step)
            values[name] = values[name] - rate * scale * first / (np.sqrt(second) + self.epsilon)


SHAPES = {"table": (7, 3), "kernel": (3, 4), "bias": (4,), "gamma": (4,)}
IDS = np.array([[0, 2, 2, 6], [5, 2, 0, 0], [1, 1, 1, 1], [6, 5, 4, 3], [2, 2, 0, 2], [3, 3, 4, 1]])


def variables():
    rng = np.random.default_rng(0)
    return {
        name: keras.Variable(rng.standard_normal(shape).astype("float32"), name=name)
        for name, shape in SHAPES.items()
    }


def gradients_of(tensors, ids, target, size):
    """Returns TensorFlow's gradients; the table's is sparse, ids occur more than once."""
    with tf.GradientTape() as tape:
        rows = tf.gather(tensors["table"].value, ids)
        y = (rows @ tensors["kernel"].value + tensors["bias"].value) * tensors["gamma"].value
        loss = size * tf.reduce_sum((y - target) ** 2)
    return tape.gradient(loss, [tensors[name].value for name in SHAPES])


def numpy_gradients(values, ids, target, size):
    """Returns the same by hand."""
    rows = values["table"][ids]
    inner = rows @ values["kernel"] + values["bias"]
    outer = size * 2 * (inner * values["gamma"] - target)
    back = outer * values["gamma"]
    table = np.zeros_like(values["table"])
    np.add.at(table, ids, back @ values["kernel"].T)
    return {
        "table": table,
        "kernel": rows.T @ back,
        "bias": back.sum(0),
        "gamma": (outer * inner).sum(0),
    }


def run(optimizer, steps=6, compiled=False):
    tensors = variables()
    optimizer.build(list(tensors.values()))

    def step(ids, target, size):
        gradients = gradients_of(tensors, ids, target, size)
        assert isinstance(gradients[0], tf.IndexedSlices)
        optimizer.apply(gradients, list(tensors.values()))

    step = tf.function(step) if compiled else step
    for i in range(steps):
        target = np.full((4, 4), i - 2.0, "float32")
        step(tf.constant(IDS[i]), tf.constant(target), tf.constant(0.001 if i % 3 == 1 else 1.0))
    return {name: variable.numpy() for name, variable in tensors.items()}


def run_numpy(optimizer, steps=6):
    values = {name: variable.numpy().astype("float64") for name, variable in variables().items()}
    for i in range(steps):
        size = 0.001 if i % 3 == 1 else 1.0
        optimizer.apply(numpy_gradients(values, IDS[i], np.full((4, 4), i - 2.0), size), values)
    return values


@pytest.mark.parametrize("compiled", [False, True])
def test_equals_numpy_over_warm_up_decay_and_clipping(compiled):
    rates = [0.0, 0.05, 0.1, 0.075, 0.05, 0.025]
    expected_optimizer = NumpyAdamW(rates.__getitem__, decay=0.3, clip=0.5)
    expected = run_numpy(expected_optimizer)
    assert expected_optimizer.clipped == 4  # of 6 steps: both branches are taken
    optimizer = kb.optimizers.adamw(
        0.1, warmup_steps=2, total_steps=6, weight_decay=0.3, clip_norm=0.5
    )
    actual = run(optimizer, compiled=compiled)
    for name, start in variables().items():
        assert np.abs(expected[name] - start.numpy()).max() > 0.05
        np.testing.assert_allclose(actual[name], expected[name], atol=2e-6, err_msg=name)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_the_fused_step_is_kerass_own_formula(amsgrad):
    arguments = {
        "weight_decay": 0.1,
        "global_clipnorm": 0.7,
        "epsilon": 1e-3,
        "beta_2": 0.98,
        "amsgrad": amsgrad,
    }
    ours = kb.optimizers.AdamW(0.05, **arguments)
    keras_own = keras.optimizers.AdamW(0.05, **arguments)
    keras_own.exclude_from_weight_decay(var_names=["bias", "gamma"])
    # Keras clips the norm of repeated rows' slices, not of their sum: give it dense gradients.
    tensors, expected = variables(), variables()
    for i in range(4):
        for values, optimizer in ((tensors, ours), (expected, keras_own)):
            target = np.full((4, 4), i - 2.0, "float32")
            gradients = gradients_of(values, IDS[i], target, 1.0)
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            optimizer.apply(gradients, list(values.values()))
    for name, value in expected.items():
        np.testing.assert_allclose(tensors[name].numpy(), value.numpy(), atol=1e-6)
    counters = {id(v) for v in (ours.skipped_steps, ours.first_skipped, ours.overflows)}
    state = [variable for variable in ours.variables if id(variable) not in counters]
    for a, b in zip(state, keras_own.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)


def test_no_clipping():
    actual = run(kb.optimizers.adamw(0.05, clip_norm=None))
    for name, value in run_numpy(NumpyAdamW(lambda step: 0.05, clip=1e9)).items():
        np.testing.assert_allclose(actual[name], value, atol=2e-6)


def test_decay_falls_on_matrices_and_tables_only():
    config = kb.BertConfig(
        vocabulary_size=13, num_layers=2, hidden_dim=8, num_heads=2, embedding_dim=4, pre_norm=True
    )
    model = reference.randomize(kb.BertPretrainer(kb.BertBackbone(config)))
    before = reference.weights_of(model)
    optimizer = kb.optimizers.adamw(0.5, weight_decay=0.2)
    optimizer.apply([tf.zeros(w.shape) for w in model.trainable_weights], model.trainable_weights)
    decayed = set()
    for path, value in reference.weights_of(model).items():
        if path.split("/")[-1] in ("bias", "beta", "gamma"):
            np.testing.assert_array_equal(value, before[path], err_msg=path)
        else:
            np.testing.assert_allclose(value, 0.9 * before[path], rtol=1e-6, err_msg=path)
            decayed.add(path.split("/")[-1])
    assert decayed == {"kernel", "token_table", "segment_table", "position_table"}


def test_config_makes_an_equal_optimizer():
    def make():
        return kb.optimizers.adamw(
            0.1, warmup_steps=2, total_steps=6, weight_decay=0.3, clip_norm=0.5, beta_1=0.8
        )

    copies = [
        kb.optimizers.AdamW.from_config(make().get_config()),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(make())),
    ]
    expected = run(make())
    for copy in copies:
        assert type(copy) is kb.optimizers.AdamW
        for name, value in run(copy).items():
            np.testing.assert_array_equal(value, expected[name])


def test_the_rate_is_read_and_set():
    optimizer = kb.optimizers.adamw(0.1, warmup_steps=4, total_steps=8)
    assert float(optimizer.learning_rate) == 0.0
    run(optimizer, steps=3)
    assert float(optimizer.learning_rate) == pytest.approx(0.075)
    constant = kb.optimizers.adamw(0.1)
    constant.learning_rate = 0.2
    assert float(constant.learning_rate) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -1.0}, "above 0; received -1.0"),
        ({"learning_rate": -1.0, "total_steps": 5}, "above 0; received -1.0"),
        ({"learning_rate": 0.1, "warmup_steps": -3}, "warmup_steps=-3"),
        ({"learning_rate": 0.1, "warmup_steps": 9, "total_steps": 5}, "total_steps=5"),
        ({"learning_rate": 0.1, "weight_decay": -0.1}, "weight_decay=-0.1"),
        ({"learning_rate": 0.1, "clip_norm": 0.0}, "clip_norm=0.0"),
        ({"learning_rate": 0.1, "clip_norm": -1.0}, "clip_norm=-1.0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        kb.optimizers.adamw(**arguments)
