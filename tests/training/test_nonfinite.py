"""Values that are not finite: the run stops before the weights are hurt, or goes on and counts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.masked_batches import arrays, dataset, difference, pretrainer

import keras_bert as kb

BAD = 3  # the step, from 1


def with_bad_batch(steps=6, batch=8):
    """Batches of which one has a weight that is not a number; and those without it."""

    def spoiled(number, element):
        inputs, labels, weights = element
        is_bad = tf.cast(number, "int32") == BAD - 1
        row = tf.where(is_bad, np.nan, 0.0) * tf.one_hot(0, batch)
        return inputs, labels, {**weights, "next_sentence": weights["next_sentence"] + row}

    data = dataset(steps * batch, batch)
    numbered = data.enumerate()
    without = numbered.filter(lambda number, _: number != BAD - 1).map(lambda _, element: element)
    return numbered.map(spoiled), without


def optimizer(**options):
    return kb.optimizers.adamw(1e-2, clip_norm=0.3, **options)


@pytest.mark.parametrize("clip_norm", [0.3, None])
def test_a_run_stops_at_the_step_with_its_weights_whole(clip_norm):
    rate = {"learning_rate": 1e-2, "warmup_steps": 2, "total_steps": 100, "clip_norm": clip_norm}
    stopped = pretrainer(kb.optimizers.adamw(**rate))
    bad, _ = with_bad_batch()
    message = (
        rf"loss is not finite at step {BAD} \(loss nan.*learning rate 0.01\).*"
        r"the weights are those before that step.*on_nonfinite=\"skip\""
    )
    with pytest.raises(FloatingPointError, match=message):
        stopped.fit(bad, verbose=0)
    before = pretrainer(kb.optimizers.adamw(**rate))
    before.fit(bad.take(BAD - 1), verbose=0)
    assert difference(stopped, before) == 0
    moments = [
        [np.asarray(v) for v in model.optimizer._momentums + model.optimizer._velocities]
        for model in (stopped, before)
    ]
    assert difference(*moments) == 0
    # It can go on with better data, in the same process.
    stopped.fit(dataset(8), verbose=0)
    assert difference(stopped, before) > 1e-3


def test_skipping_is_a_run_without_that_batch():
    bad, without = with_bad_batch()
    skipping, plain = pretrainer(optimizer(on_nonfinite="skip")), pretrainer(optimizer())
    history = skipping.fit(bad, verbose=0).history
    plain.fit(without, verbose=0)
    assert difference(skipping, plain) == 0
    assert history["skipped_steps"] == [1] and np.isfinite(history["loss"][0])
    assert int(skipping.optimizer.iterations) == 6
    history = skipping.fit(bad, epochs=2, verbose=0).history
    assert history["skipped_steps"] == [2, 3]


def test_an_infinite_gradient_with_a_finite_loss_is_seen():
    model = pretrainer(optimizer())
    gradients = [tf.zeros(v.shape) for v in model.trainable_variables]
    gradients[4] = tf.fill(gradients[4].shape, np.inf)
    start = model.get_weights()
    model.optimizer.apply(gradients, model.trainable_variables)
    assert difference(model, start) == 0
    assert int(model.optimizer.skipped_steps) == int(model.optimizer.first_skipped) == 1


def test_amsgrad_keeps_its_moments_too():
    model = pretrainer(kb.optimizers.AdamW(1e-2, amsgrad=True, on_nonfinite="skip"))
    bad, _ = with_bad_batch()
    model.fit(bad.take(BAD - 1), verbose=0)
    optimizer = model.optimizer
    state = [*optimizer._momentums, *optimizer._velocities, *optimizer._velocity_hats]
    before = [np.asarray(v) for v in state]
    weights = model.get_weights()
    model.fit(bad.skip(BAD - 1).take(1), verbose=0)
    assert difference(model, weights) == 0
    assert difference(before, state) == 0


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_one_replica_of_two(two_replicas, policy):
    report = two_replicas["nonfinite"][policy]
    assert report["difference"] == 0 and report["skipped"] == [1, 1]
    if policy == "stop":
        assert f"at step {BAD}" in report["error"]


def test_other_optimizers_are_watched_by_their_loss():
    model = pretrainer(keras.optimizers.SGD(1e-2))
    with pytest.raises(
        FloatingPointError, match=rf"loss is not finite at step {BAD} .*rate 0.01\)"
    ):
        model.fit(with_bad_batch()[0], verbose=0)


def test_callbacks_of_ones_own_stay():
    seen = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: seen.append(b))
    model = pretrainer(optimizer())
    inputs, labels, weights = arrays(16)
    model.fit(inputs, labels, 8, 1, 0, [callback], sample_weight=weights)
    model.fit(dataset(8), verbose=0, callbacks=callback)
    assert seen == [0, 1, 0]


# Scales of the loss.


def test_a_scaled_loss_gives_the_same_step():
    models = [pretrainer(optimizer(loss_scale=scale)) for scale in (None, 1024.0, "dynamic")]
    for model in models:
        model.fit(dataset(24), verbose=0, micro_batches=2 if model is models[2] else 1)
    assert difference(models[0], models[1]) == 0  # a power of two
    assert difference(models[0], models[2]) < 2e-6
    assert int(models[2].optimizer.overflows) == 0


def test_float16_overflows_at_first_and_learns():
    model = pretrainer(optimizer(loss_scale="dynamic"), dtype="mixed_float16")
    model.optimizer.current_loss_scale.assign(2.0**22)
    history = model.fit(dataset(16).repeat(), steps_per_epoch=12, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert history["overflows"][0] >= 2
    assert history["loss_scale"][-1] == 2.0 ** (22 - history["overflows"][-1])
    assert int(model.optimizer.skipped_steps) == 0


def test_the_scale_grows_after_two_thousand_good_steps():
    from keras_bert.training.loss_scale import next_scale

    scale, good = next_scale(8.0, 1_998, True)
    assert (float(scale), int(good)) == (8.0, 1_999)
    assert [float(v) for v in next_scale(scale, good, True)] == [16.0, 0.0]
    assert [float(v) for v in next_scale(8.0, 1_999, False)] == [4.0, 0.0]
    assert float(next_scale(1.0, 0, False)[0]) == 1.0


def test_what_is_not_finite_at_the_smallest_scale_is_real():
    bad, _ = with_bad_batch()
    model = pretrainer(optimizer(loss_scale="dynamic", on_nonfinite="skip"))
    model.optimizer.current_loss_scale.assign(2.0)
    only_bad = bad.skip(BAD - 1).take(1).repeat(3)
    model.fit(only_bad, verbose=0)
    assert int(model.optimizer.overflows) == 1 and int(model.optimizer.skipped_steps) == 2


def test_float16_without_a_scale_is_refused():
    model = pretrainer(optimizer(), dtype="mixed_float16")
    with pytest.raises(ValueError, match=r'loss_scale="dynamic"\), or use mixed_bfloat16'):
        model.fit(dataset(8), verbose=0)
    twice = keras.optimizers.LossScaleOptimizer(optimizer(loss_scale=8.0))
    model = pretrainer(twice, dtype="mixed_float16")
    with pytest.raises(ValueError, match="scaled twice"):
        model.fit(dataset(8), verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_scale": "auto"}, "\"dynamic\" or a finite number above 0; received 'auto'"),
        ({"loss_scale": 0}, "above 0; received 0"),
        ({"loss_scale": True}, "received True"),
        ({"on_nonfinite": "ignore"}, '"stop" or "skip"; received \'ignore\''),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        optimizer(**options)


def test_options_come_back():
    made = optimizer(loss_scale="dynamic", on_nonfinite="skip")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert copy.loss_scale == "dynamic" and copy.on_nonfinite == "skip"
