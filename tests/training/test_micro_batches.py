"""A batch in parts: the step of the whole batch, whatever the parts weigh."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.masked_batches import arrays, dataset, difference, pretrainer

import keras_bert as kb


def same_logs(actual, expected, tolerance=1e-6):
    assert set(actual) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(actual[name], values, rtol=tolerance, err_msg=name)


@pytest.mark.parametrize("parts", [2, 4, 3])
def test_parts_make_the_step_of_the_whole_batch(parts):
    """Batches of 8, 8 and 3: with 4 parts the last one has an empty part, with 3 all are uneven."""
    data = dataset(19)
    whole, in_parts = pretrainer(), pretrainer()
    start = whole.get_weights()
    expected = whole.fit(data, verbose=0).history
    actual = in_parts.fit(data, verbose=0, micro_batches=parts).history
    assert difference(whole, start) > 0.02
    assert difference(whole, in_parts) < 1e-6
    same_logs(actual, expected, 2e-6)


def test_the_gradient_is_not_the_mean_of_the_parts_own_means():
    """What would come of parts that do not know of each other is far away."""
    whole, split = pretrainer(), pretrainer()
    inputs, labels, weights = arrays(8)
    whole.fit(dataset(8), verbose=0)
    rows = np.arange(8).reshape(4, 2)
    gradients = []
    for part in rows:
        with tf.GradientTape() as tape:
            outputs = split({name: value[part] for name, value in inputs.items()})
            loss = split.compute_loss(
                {name: value[part] for name, value in inputs.items()},
                {name: value[part] for name, value in labels.items()},
                outputs,
                {name: value[part] for name, value in weights.items()},
            )
        found = tape.gradient(loss, split.trainable_variables)
        gradients.append([tf.convert_to_tensor(gradient) for gradient in found])
    mean = [sum(parts) / 4 for parts in zip(*gradients, strict=True)]
    split.optimizer.apply(mean, split.trainable_variables)
    assert difference(whole, split) > 1e-3


def test_two_replicas_of_four_parts(two_replicas):
    report = two_replicas["micro_batches"]
    assert two_replicas["replicas"] == 2
    assert report["difference"] < 2e-6
    same_logs(report["actual"], report["expected"], 1e-5)


def test_dropout_draws_anew_for_each_part_and_comes_back_with_the_seed(two_replicas):
    first, second = two_replicas["micro_batches"]["dropout"]
    assert first == second and two_replicas["micro_batches"]["dropout_difference"] == 0
    assert first[-1] < first[0]
    # A batch of equal halves: had both the same draws, two parts would be one part twice.
    inputs, labels, weights = (
        {name: np.concatenate([value, value]) for name, value in values.items()}
        for values in arrays(4)
    )
    data = tf.data.Dataset.from_tensors((inputs, labels, weights))
    half = tf.data.Dataset.from_tensors(arrays(4))
    models = [pretrainer(dropout=0.3) for _ in range(2)]
    models[0].fit(data, verbose=0, micro_batches=2)
    models[1].fit(half, verbose=0)
    assert difference(*models) > 1e-3


def test_mixed_precision_and_the_number_of_parts_changed():
    model = pretrainer(dtype="mixed_bfloat16")
    data = dataset(16).repeat()
    losses = [
        model.fit(data, steps_per_epoch=8, verbose=0, micro_batches=parts).history["loss"][0]
        for parts in (4, 1, 2)
    ]
    assert losses[2] < losses[1] < losses[0]


def test_keras_own_losses_and_unused_weights():
    """Means over rows, weighed by rows; the pooler has no gradient and must not decay."""
    loss = {
        "loss": {
            "masked_lm": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "next_sentence": None,
        }
    }
    models = [pretrainer(loss=loss) for _ in range(2)]
    data = dataset(11).map(
        lambda x, y, w: (x, {"masked_lm": y["masked_lm"]}, {"masked_lm": w["masked_lm"]})
    )
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        whole = models[0].fit(data, verbose=0).history
    pooler = models[0].backbone.pooler.get_weights()
    parts = models[1].fit(data, verbose=0, micro_batches=4).history
    assert difference(*models) < 1e-6
    same_logs(parts, whole)
    assert difference(models[1].backbone.pooler, pooler) == 0


def test_one_loss_object_for_two_outputs():
    shared = kb.losses.MeanCrossentropy()
    loss = {"loss": {"masked_lm": shared, "next_sentence": shared}}
    models = [pretrainer(loss=loss) for _ in range(2)]
    models[0].fit(dataset(8), verbose=0)
    models[1].fit(dataset(8), verbose=0, micro_batches=4)
    assert difference(*models) < 1e-6


def test_errors():
    model = pretrainer()
    for wrong in (0, -1, 2.0, True, "2"):
        with pytest.raises(ValueError, match="an int of at least 1; received"):
            model.fit(dataset(8), verbose=0, micro_batches=wrong)
    fixed = dataset(8).apply(tf.data.experimental.assert_cardinality(1)).unbatch()
    fixed = fixed.batch(8, drop_remainder=True)
    with pytest.raises(ValueError, match="micro_batches=3 and batches of 8 rows a replica"):
        model.fit(fixed, verbose=0, micro_batches=3)
    model.fit(fixed, verbose=0, micro_batches=2)  # it goes on
