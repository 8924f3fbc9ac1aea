"""Adversarial training: a second pass with the token vectors moved to where the loss is larger."""

import keras

from keras_bert.layers.embeddings import token_vectors_through


def check_fgm(length):
    """Returns `length`; ValueError unless it is a number from 0 on that this backend can do."""
    if not 0 <= length < float("inf"):
        raise ValueError(f"fit: fgm must be a length from 0 on; received {length!r}")
    if length and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"fit: fgm={length} needs Keras on TensorFlow; Keras runs on {keras.backend.backend()}"
        )
    return length


def adversarial_gradients(forward, variables, length):
    """The gradients of a pass and of one with perturbed token vectors, added.

    Source: Miyato et al. 2017, https://arxiv.org/abs/1605.07725, equations 5 and 6 (the fast
    gradient method): the vectors of a row's tokens, all together, are moved by
    `length * gradient / |gradient|`. No weight is touched, so there is none to restore; padding
    has no gradient and stays where it is.

    Args:
        forward: function that runs the model and returns `(loss, y_pred, scaled)`, the last one
            the loss whose gradient is taken.
        variables: list of variables.
        length: float, above 0.

    Returns:
        `loss` and `y_pred` of the first pass; list of gradients, None where there is none.
    """
    import tensorflow as tf

    vectors = []  # one a call of the embeddings

    with tf.GradientTape() as tape:

        def watched(x):
            tape.watch(x)  # a frozen table would not be
            vectors.append(x)
            return x

        with token_vectors_through(watched):
            loss, y_pred, scaled = forward()
    found = tape.gradient(scaled, [*variables, *vectors])
    gradients, by_vector = found[: len(variables)], found[len(variables) :]
    moves = iter([_move(gradient, length) for gradient in by_vector])
    with tf.GradientTape() as tape, token_vectors_through(lambda x: x + next(moves)):
        scaled = forward()[2]
    return loss, y_pred, list(map(_added, gradients, tape.gradient(scaled, variables)))


def _move(gradient, length):
    """Of the given length in each row; 0 in a row without a gradient, such as one of weight 0."""
    import tensorflow as tf

    # Divided by its largest value first: a small gradient's squares would vanish.
    largest = tf.reduce_max(tf.abs(gradient), axis=(1, 2), keepdims=True)
    gradient = tf.math.divide_no_nan(gradient, largest)
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=(1, 2), keepdims=True))
    return tf.stop_gradient(length * tf.math.divide_no_nan(gradient, norm))


def _added(one, other):
    import tensorflow as tf

    if one is None or other is None:
        return one if other is None else other
    return tf.convert_to_tensor(one) + tf.convert_to_tensor(other)
