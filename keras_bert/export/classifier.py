"""The exported text classifier: texts or pairs in, labels with scores out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.packing import check_length
from keras_bert.text.preprocessors import TextClassifierPreprocessor


class ServedClassifier(Served):
    """Signatures of `BertTextClassifier`.

    `serving_default` takes `text`, string `(batch,)`; `serve_pairs` takes `text` and `text_pair`;
    `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32 `(batch, sequence)`.

    A model with `window_pooling` takes documents: there is no `serve_pairs`, and the tokens are
    `(batch, windows, sequence)`.

    Of one class each returns `label`, string `(batch,)`, and its `score`, float32 `(batch,)`;
    `scores`, float32 `(batch, classes)`, which sum to 1, and `labels`, string `(batch, classes)`,
    their names. Where the model has `out_of_scope`, that is the `label` of a text whose likeliest
    class does not reach its threshold; `score` is the probability of that class all the same.

    Of several labels: `labels`, string, and their `scores`, float32, both `(batch, labels)`: those
    that reach their thresholds, likeliest first; slots beyond a row's `num_labels`, int32
    `(batch,)`, hold "" and 0.0. `all_labels` and `all_scores` are of all labels, in one order.

    Of one number: `score`, float32 `(batch,)`. Of several: `numbers`, float32 `(batch, numbers)`,
    and `names`, string `(batch, numbers)`.
    """

    preprocessor_class = TextClassifierPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        if (model.window_pooling is None) != (preprocess.windows is None):
            raise ValueError(
                f"the model has window_pooling={model.window_pooling!r}, and the preprocessor "
                f"windows={preprocess.windows}; expected both, or neither"
            )
        if preprocess.windows is not None:
            self.extra_inputs = {
                name: tf.TensorSpec((None, None, None), tf.int32, name=name)
                for name in ("token_ids", "segment_ids", "padding_mask")
            }
        self.labels = tf.constant(model.labels)
        self.thresholds = model.thresholds and tf.constant(list(model.thresholds), tf.float32)
        self.out_of_scope = model.out_of_scope
        self.problem_type = model.problem_type

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
        if self.preprocess.windows is not None:
            return result
        try:
            check_length(self.preprocess.sequence_length, is_pair=True)
        except ValueError:  # room for [CLS], [SEP] and one token only
            return result
        pairs = [{"text": one, "text_pair": one}]
        return {**result, "serve_pairs": (serve_pairs, pairs)}

    def answer(self, inputs):
        outputs = self.run_model(with_a_token(inputs))
        if self.problem_type == "regression":
            return self._numbers(tf.cast(outputs["regression"], tf.float32))
        logits = tf.cast(outputs["classification"], tf.float32)
        if self.problem_type == "multi_label":
            return self._several(tf.sigmoid(logits))
        return self._one(tf.nn.softmax(logits))

    def _one(self, scores):
        best, score = tf.argmax(scores, axis=1), tf.reduce_max(scores, axis=1)
        label = tf.gather(self.labels, best)
        if self.out_of_scope is not None:
            label = tf.where(score < tf.gather(self.thresholds, best), self.out_of_scope, label)
        return {"label": label, "score": score, "scores": scores, "labels": self._names(scores)}

    def _several(self, scores):
        told = scores >= self.thresholds
        # Those that are told first, each kind likeliest first.
        order = tf.argsort(tf.cast(told, tf.float32) + scores, axis=1, direction="DESCENDING")
        is_told = tf.gather(told, order, batch_dims=1)
        return {
            "labels": tf.where(is_told, tf.gather(self.labels, order), ""),
            "scores": tf.where(is_told, tf.gather(scores, order, batch_dims=1), 0.0),
            "num_labels": tf.reduce_sum(tf.cast(told, tf.int32), axis=1),
            "all_labels": self._names(scores),
            "all_scores": scores,
        }

    def _numbers(self, numbers):
        if numbers.shape[1] == 1:
            return {"score": numbers[:, 0]}
        return {"numbers": numbers, "names": self._names(numbers)}

    def _names(self, scores):
        # Once a row: TF Serving's REST interface takes outputs apart by rows.
        return tf.tile(self.labels[tf.newaxis], [tf.shape(scores)[0], 1])
