"""A batch larger than memory, trained in parts with one update."""

import keras

from keras_bert.models.adversarial import adversarial_gradients
from keras_bert.models.steps import weighed_by_rows
from keras_bert.training.losses import WholeBatchMean
from keras_bert.training.whole_batch import part_of, total_weights


def check_micro_batches(parts):
    """Returns `parts`; ValueError unless it is a whole number above 0 that this backend can do."""
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
        raise ValueError(f"fit: micro_batches must be an int of at least 1; received {parts!r}")
    if parts > 1 and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"fit: micro_batches={parts} needs Keras on TensorFlow; Keras runs on "
            f"{keras.backend.backend()}. Use BertBackbone(config, recompute=True) there"
        )
    return parts


def train_in_parts(model, data, parts, fgm=0.0):
    """One training step whose gradient is the mean over the parts of the batch.

    Only one part's activations live at a time. With `kb.losses` the step equals that of the whole
    batch but for rounding, whatever the parts weigh and under any `tf.distribute` strategy: losses
    are divided by the weights of the whole batch, which all replicas sum before the first part.
    Keras's own losses are means over rows, weighed by the rows of each part.

    Args:
        model: a compiled `BertModel`.
        data: the replica's batch, `(inputs, labels)` or `(inputs, labels, sample_weights)`.
        parts: int, at least 1; a last batch of fewer rows has uneven parts, or empty ones.
        fgm: float, as in `BertModel.fit`. Default 0.0.

    Returns:
        dict of float scalars, the metrics.

    Raises:
        ValueError: `parts` does not divide a batch whose number of rows is fixed.
    """
    import tensorflow as tf

    rows, take = _slicer(data, parts)
    _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    losses = [loss for loss in keras.tree.flatten(model.loss) if loss is not None]
    by_weight = any(isinstance(loss, WholeBatchMean) for loss in losses)
    if not by_weight and first_of(data).shape[0] is None:
        parts = tf.minimum(parts, tf.maximum(rows, 1))  # the mean over an empty part is no number
    totals = total_weights(y, sample_weight)
    variables = model.trainable_variables
    has_gradient = [True] * len(variables)

    def body(part, loss_so_far, *sums):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(take(part, parts))

        def forward():
            with part_of(y, totals, parts):
                y_pred = model(x, training=True)
                loss = model.compute_loss(
                    x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True
                )
            # Its share of the loss of the whole batch.
            if by_weight:
                loss = loss / tf.cast(parts, loss.dtype)
            else:
                part_rows = tf.shape(first_of(x))[0]
                loss = loss * tf.cast(part_rows / rows, loss.dtype)
            return loss, y_pred, model.optimizer.scale_loss(loss)

        if fgm:
            loss, y_pred, gradients = adversarial_gradients(forward, variables, fgm)
        else:
            with tf.GradientTape() as tape:
                loss, y_pred, scaled = forward()
            gradients = tape.gradient(scaled, variables)
        has_gradient[:] = [gradient is not None for gradient in gradients]
        model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        sums = [
            total if gradient is None else total + tf.convert_to_tensor(gradient)
            for total, gradient in zip(sums, gradients, strict=True)
        ]
        return part + 1, loss_so_far + loss, *sums

    zeros = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
    _, loss, *gradients = tf.while_loop(
        lambda part, *_: part < parts,
        body,
        [tf.constant(0), tf.constant(0.0), *zeros],
        parallel_iterations=1,
        maximum_iterations=parts,
    )
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    model._loss_tracker.update_state(weighed_by_rows(loss, rows) * replicas, sample_weight=rows)
    model.optimizer.apply(
        [gradient if has else None for gradient, has in zip(gradients, has_gradient, strict=True)],
        variables,
    )
    return model.get_metrics_result()


def first_of(data):
    """The first tensor of a batch."""
    return next(value for value in keras.tree.flatten(data) if value is not None)


def _slicer(data, parts):
    """Returns the batch's rows, an int scalar, and a function that takes a part out of it."""
    import tensorflow as tf

    # Of constant size where that is known, which XLA asks for.
    static = None if tf.executing_eagerly() else first_of(data).shape[0]
    if static is not None and static % parts:
        raise ValueError(
            f"fit: received micro_batches={parts} and batches of {static} rows a replica; expected "
            "a number that divides them"
        )
    rows = tf.shape(first_of(data))[0]

    def take(part, parts):
        def rows_of(value):
            if value is None:
                return None
            if static is None:
                return value[part * rows // parts : (part + 1) * rows // parts]
            others = len(value.shape) - 1
            size = static // parts
            return tf.slice(value, [part * size] + [0] * others, [size] + [-1] * others)

        return keras.tree.map_structure(rows_of, data)

    return rows, take
