"""The exported text classifier: texts or pairs in, labels with scores out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.packing import check_length
from keras_bert.text.preprocessors import TextClassifierPreprocessor


class ServedClassifier(Served):
    """Signatures of `BertTextClassifier`.

    `serving_default` takes `text`, string `(batch,)`; `serve_pairs` takes `text` and `text_pair`;
    `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32 `(batch, sequence)`.
    Each returns `label`, string `(batch,)`, and its `score`, float32 `(batch,)`; `scores`, float32
    `(batch, classes)`, which sum to 1, and `labels`, string `(batch, classes)`, their names.
    """

    preprocessor_class = TextClassifierPreprocessor

    def __init__(self, model, preprocess):
        if model.problem_type != "single_label":
            raise ValueError(
                f"export_saved_model: the classifier's problem_type is {model.problem_type!r}; "
                "only 'single_label', one class of several, can be exported"
            )
        super().__init__(model, preprocess)
        self.labels = tf.constant(model.labels)

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            return self.answer(self.preprocess(text))

        @tf.function(input_signature=[text_spec("text"), text_spec("text_pair")])
        def serve_pairs(text, text_pair):
            return self.answer(self.preprocess((text, text_pair)))

        short, long = "A first request.", "A longer request, to warm up for longer texts. " * 20
        one, some = tf.constant([short]), tf.constant([short] * 7 + [long])
        result = {"serving_default": (serve_text, [{"text": one}, {"text": some}])}
        try:
            check_length(self.preprocess.sequence_length, is_pair=True)
        except ValueError:  # room for [CLS], [SEP] and one token only
            return result
        pairs = [{"text": one, "text_pair": one}]
        return {**result, "serve_pairs": (serve_pairs, pairs)}

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))["classification"]
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        best = tf.argmax(scores, axis=1)
        return {
            "label": tf.gather(self.labels, best),
            "score": tf.reduce_max(scores, axis=1),
            "scores": scores,
            # Once a row: TF Serving's REST interface takes outputs apart by rows.
            "labels": tf.tile(self.labels[tf.newaxis], [tf.shape(scores)[0], 1]),
        }
