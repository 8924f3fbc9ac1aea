"""The exported multiple-choice model: texts with choices in, the best choice out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec
from keras_bert.text.choice_preprocessor import MultipleChoicePreprocessor

_TOKENS = {
    name: tf.TensorSpec((None, None, None), tf.int32, name=name)
    for name in ("token_ids", "segment_ids", "padding_mask")
}


class ServedMultipleChoice(Served):
    """Signatures of `BertMultipleChoice`.

    `serving_default` takes `text`, string `(batch,)`, and `choices`, string `(batch, choices)`. It
    returns `choice`, string `(batch,)`, the best one; its `index`, int32 `(batch,)`, from 0, and
    `score`, float32 `(batch,)`; and `scores`, float32 `(batch, choices)`, which sum to 1.
    `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32
    `(batch, choices, sequence)`, and returns `index`, `score` and `scores`.
    """

    preprocessor_class = MultipleChoicePreprocessor

    def signatures(self):
        @tf.function(input_signature=list(_TOKENS.values()))
        def serve_tokens(*values):
            return self.answer(dict(zip(_TOKENS, values, strict=True)))

        request = {name: tf.ones((1, 2, 8), tf.int32) for name in _TOKENS}
        return {**self.text_signatures(), "serve_tokens": (serve_tokens, [request])}

    def text_signatures(self):
        choices = tf.TensorSpec((None, None), tf.string, name="choices")

        @tf.function(input_signature=[text_spec("text"), choices])
        def serve_text(text, choices):
            found = self.answer(self.preprocess((text, choices)))
            return {**found, "choice": tf.gather(choices, found["index"], batch_dims=1)}

        text = "A question. " * 20
        one = {"text": tf.constant(["A question."]), "choices": tf.constant([["one", "two"]])}
        some = {"text": tf.constant([text] * 2), "choices": tf.constant([[text, "two"]] * 2)}
        return {"serving_default": (serve_text, [one, some])}

    def answer(self, inputs):
        # A batch of none has no token and no choice; the model wants one.
        padding = [[0, 0], *([0, tf.maximum(0, 1 - n)] for n in tf.unstack(_shape(inputs)[1:]))]
        inputs = {name: tf.pad(value, padding) for name, value in inputs.items()}
        logits = self.run_model(inputs)["multiple_choice"]
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        return {
            "index": tf.argmax(scores, axis=1, output_type=tf.int32),
            "score": tf.reduce_max(scores, axis=1),
            "scores": scores,
        }


def _shape(inputs):
    return tf.shape(inputs["token_ids"])
