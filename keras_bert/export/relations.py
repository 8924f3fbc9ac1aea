"""The exported relation classifier: texts with two entities in, their relation out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.relation_preprocessor import RelationPreprocessor


class ServedRelations(Served):
    """Signatures of `BertRelationClassifier`.

    `serving_default` takes `text`, string `(batch,)`, with `<e1>...</e1>` and `<e2>...</e2>` in
    it; `serve_spans` takes `text` without them, and `spans`, int32 `(batch, 2, 2)`: first
    character and end (exclusive) of both entities; `serve_tokens` takes `token_ids`,
    `segment_ids`, `padding_mask`, int32 `(batch, sequence)`, and `entity_positions`, int32
    `(batch, 2)`. Each returns `label`, string `(batch,)`, and its `score`, float32 `(batch,)`;
    `scores`, float32 `(batch, relations)`, and `labels`, their names. A row that lacks an entity,
    or has them too far apart, has the label "" and only 0.0 for scores.
    """

    preprocessor_class = RelationPreprocessor
    extra_inputs = {  # noqa: RUF012 - never changed
        "entity_positions": tf.TensorSpec((None, 2), tf.int32, name="entity_positions")
    }

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        self.labels = tf.constant(model.labels)

    def text_signatures(self):
        spans = tf.TensorSpec((None, 2, 2), tf.int32, name="spans")

        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            return self.answer(self.preprocess(text))

        @tf.function(input_signature=[text_spec("text"), spans])
        def serve_spans(text, spans):
            return self.answer(self.preprocess((text, spans)))

        one = "A <e1>fire</e1> makes <e2>heat</e2>."
        texts = tf.constant([one, one + " And this goes on and on, to warm up." * 20])
        plain = {"text": tf.constant(["Fire makes heat."]), "spans": [[[0, 4], [11, 15]]]}
        plain["spans"] = tf.constant(plain["spans"], tf.int32)
        return {
            "serving_default": (serve_text, [{"text": texts[:1]}, {"text": texts}]),
            "serve_spans": (serve_spans, [plain]),
        }

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))["relation"]
        is_whole = tf.reduce_all(inputs["entity_positions"] > 0, axis=1)
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        scores *= tf.cast(is_whole, tf.float32)[:, tf.newaxis]
        best = tf.argmax(scores, axis=1)
        return {
            "label": tf.where(is_whole, tf.gather(self.labels, best), ""),
            "score": tf.reduce_max(scores, axis=1),
            "scores": scores,
            "labels": tf.tile(self.labels[tf.newaxis], [tf.shape(scores)[0], 1]),
        }
