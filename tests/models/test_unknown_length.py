"""Data that ends without having said when: no step and no loss is counted that never was."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert.config import BertConfig
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.pretrainer import BertPretrainer
from keras_bert.training import losses, optimizers

ROWS = (4, 4, 3)


@pytest.fixture(scope="module")
def batches():
    rng = np.random.default_rng(0)
    result = []
    for rows in ROWS:
        inputs = {
            "token_ids": rng.integers(5, 30, (rows, 8)),
            "segment_ids": rng.integers(0, 2, (rows, 8)),
            "padding_mask": np.ones((rows, 8), int),
            "mask_positions": rng.integers(1, 8, (rows, 2)),
        }
        labels = {
            "masked_lm": rng.integers(5, 30, (rows, 2)),
            "next_sentence": rng.integers(0, 2, rows),
        }
        weights = {"masked_lm": np.ones((rows, 2)), "next_sentence": np.ones(rows)}
        result.append((inputs, labels, weights))
    return result


@pytest.fixture
def model():
    config = BertConfig(
        vocabulary_size=30, num_layers=1, hidden_dim=8, num_heads=2, max_sequence_length=8
    )
    model = BertPretrainer(BertBackbone(config))
    model.compile(optimizer=optimizers.adamw(1e-3), **losses.pretraining())
    return model


def dataset(batches):
    signature = keras.tree.map_structure(
        lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), batches[0]
    )
    data = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    assert data.cardinality() == tf.data.UNKNOWN_CARDINALITY
    return data


def test_losses_of_the_outputs_are_means_over_the_batches_there_were(model, batches):
    logs = model.evaluate(dataset(batches), return_dict=True, verbose=0)
    for output in ("masked_lm", "next_sentence"):
        values = [
            float(losses.MeanCrossentropy()(labels[output], model(inputs)[output]))
            for inputs, labels, _ in batches
        ]
        assert logs[f"{output}_loss"] == pytest.approx(np.mean(values), rel=1e-5)


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_the_optimizer_counts_the_steps_there_were(model, batches, steps_per_execution):
    model.compile(
        optimizer=optimizers.adamw(1e-3),
        steps_per_execution=steps_per_execution,
        **losses.pretraining(),
    )
    model.fit(dataset(batches), epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 2 * len(batches)
