"""The exported token classifier: texts in, entities with their places and scores out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.entities import EntityDecoder
from keras_bert.text.token_preprocessor import TokenClassifierPreprocessor


class ServedTokenClassifier(Served):
    """Signatures of `BertTokenClassifier`.

    `serving_default` takes `text`, string `(batch,)`. `serve_predicates` also takes
    `predicate_start` and `predicate_end`, int32 `(batch,)`: the characters of the predicate whose
    roles are asked for, end exclusive. Both return `num_entities`, int32 `(batch,)`, and of each
    entity `labels` and `texts`, string, `starts` and `ends` in characters of the raw text, int32,
    and `scores`, float32, `(batch, entities)`; slots beyond a row's `num_entities` hold "", 0 and
    0.0. `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32
    `(batch, sequence)`; it returns each token's likeliest class, `labels`, string, and its
    `scores`, float32, `(batch, sequence)`.
    """

    preprocessor_class = TokenClassifierPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        self.labels = tf.constant(model.labels)
        self.decode = EntityDecoder(model.labels)
        self.has_predicates = model.config.num_segments > 1

    def text_signatures(self):
        place = tf.TensorSpec((None,), tf.int32)

        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            return self.entities(text)

        @tf.function(input_signature=[text_spec("text"), place, place])
        def serve_predicates(text, predicate_start, predicate_end):
            return self.entities(text, tf.stack([predicate_start, predicate_end], axis=1))

        texts = ["A first request.", "A longer request, to warm up for longer texts. " * 20]
        requests = [{"text": tf.constant(texts[:1])}, {"text": tf.constant(texts)}]
        result = {"serving_default": (serve_text, requests)}
        if self.has_predicates:
            zero, one = tf.constant([0]), tf.constant([1])
            request = {"text": texts[:1], "predicate_start": zero, "predicate_end": one}
            result["serve_predicates"] = (serve_predicates, [request])
        return result

    def entities(self, texts, predicates=None):
        inputs, words = self.preprocess.with_words(texts, predicates)
        logits = self.run_model(with_a_token(inputs))["token_classification"]
        # A batch without rows has no words, but the model saw a token.
        return self.decode(logits[:, : tf.shape(words["mask"])[1]], words, texts)

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))["token_classification"]
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        return {
            "labels": tf.gather(self.labels, tf.argmax(scores, axis=-1)),
            "scores": tf.reduce_max(scores, axis=-1),
        }
