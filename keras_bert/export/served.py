"""What every exported model is made of: variables, string signatures and their warm-up texts."""

import tensorflow as tf

_TOKENS = {
    name: tf.TensorSpec((None, None), tf.int32, name=name)
    for name in ("token_ids", "segment_ids", "padding_mask")
}


class Served(tf.Module):
    """A task model with its text processing, as `tf.saved_model.save` takes it.

    A task's own file derives from it and says how its texts become inputs and its outputs become
    answers.

    Args:
        model: the task model.
        preprocess: its preprocessor; an instance of `preprocessor_class`.

    Raises:
        ValueError: the preprocessor is of another class.
    """

    preprocessor_class = None
    # Inputs of the model beside token_ids, segment_ids and padding_mask: name -> TensorSpec.
    extra_inputs = {}  # noqa: RUF012 - never changed

    def __init__(self, model, preprocess):
        super().__init__()
        if not isinstance(preprocess, self.preprocessor_class):
            raise ValueError(
                f"to export a {type(model).__name__}, expected a "
                f"{self.preprocessor_class.__name__}; received {type(preprocess).__name__}"
            )
        # Only the variables are tracked: the model itself would be saved once more, with traces
        # of each of its layers.
        self.model_variables = [weight.value for weight in model.weights]
        self.run_model = lambda inputs: model(inputs, training=False)
        self.preprocess = preprocess

    def signatures(self):
        """Returns the functions to export, dict of name -> (`tf.function`, warm-up inputs).

        Warm-up inputs are dicts of tensors, a request each.
        """
        specs = {**_TOKENS, **self.extra_inputs}

        @tf.function(input_signature=list(specs.values()))
        def serve_tokens(*values):
            return self.answer(dict(zip(specs, values, strict=True)))

        token_request = {
            name: tf.ones([1, *(size or 8 for size in spec.shape[1:])], tf.int32)
            for name, spec in specs.items()
        }
        return {**self.text_signatures(), "serve_tokens": (serve_tokens, [token_request])}

    def text_signatures(self):
        """Returns the signatures that take strings, as `signatures` does."""
        raise NotImplementedError

    def answer(self, inputs):
        """Turns the model's inputs into what a person wants, a dict of tensors `(batch, ...)`."""
        raise NotImplementedError


def text_spec(name):
    """The specification of an input of texts, string `(batch,)`."""
    return tf.TensorSpec((None,), tf.string, name=name)


def with_a_token(inputs):
    """Adds a column to a batch of no rows, which has none, so that the model finds a first token
    (and a first window).

    Every row of texts has its special tokens; only a batch without rows has length 0.
    """
    shape = tf.unstack(tf.shape(inputs["token_ids"]), inputs["token_ids"].shape.rank)
    padding = [[0, 0], *([0, tf.maximum(0, 1 - size)] for size in shape[1:])]
    return {
        name: tf.pad(value, padding) if name in _TOKENS else value for name, value in inputs.items()
    }
