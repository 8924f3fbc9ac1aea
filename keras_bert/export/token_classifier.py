"""The exported token classifier: texts in, entities with their places and scores out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.entities import EntityDecoder
from keras_bert.text.token_preprocessor import TokenClassifierPreprocessor
from keras_bert.training import chains


class ServedTokenClassifier(Served):
    """Signatures of `BertTokenClassifier`.

    `serving_default` takes `text`, string `(batch,)`. `serve_predicates` also takes
    `predicate_start` and `predicate_end`, int32 `(batch,)`: the characters of the predicate whose
    roles are asked for, end exclusive. Both return `num_entities`, int32 `(batch,)`, and of each
    entity `labels` and `texts`, string, `starts` and `ends` in characters of the raw text, int32,
    and `scores`, float32, `(batch, entities)`; slots beyond a row's `num_entities` hold "", 0 and
    0.0. `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32
    `(batch, sequence)`; it returns each token's likeliest class, `labels`, string, and its
    `scores`, float32, `(batch, sequence)`. With a CRF the classes of first pieces are those of the
    likeliest chain, their scores the probability over all chains.
    """

    preprocessor_class = TokenClassifierPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        self.labels = tf.constant(model.labels)
        self.decode = EntityDecoder(model.labels)
        self.has_chain = model.crf is not None
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
        tags, logits = self.classes(with_a_token(inputs), words["mask"])
        # A batch without rows has no words, but the model saw a token.
        length = tf.shape(words["mask"])[1]
        return self.decode(logits[:, :length], words, texts, tags[:, :length])

    def classes(self, inputs, mask):
        """Classes of the tokens, int `(batch, sequence)`, and the logits of their probability.

        Args:
            inputs: the model's.
            mask: int `(batch, sequence)`, 1 = first piece of a word; or a column less.
        """
        logits = self.run_model(inputs)["token_classification"]
        if not self.has_chain:
            return tf.argmax(logits, axis=-1), logits
        more = tf.shape(inputs["token_ids"])[1] - tf.shape(mask)[1]
        return chains.decode(logits, tf.pad(mask, [[0, 0], [0, more]]))

    def answer(self, inputs):
        inputs = with_a_token(inputs)
        tags, logits = self.classes(inputs, self.first_pieces(inputs))
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        return {
            "labels": tf.gather(self.labels, tags),
            "scores": tf.gather(scores, tags, batch_dims=2),
        }

    def first_pieces(self, inputs):
        """Where the tokens of a row begin words, int32 `(batch, sequence)`, by their ids."""
        tokenizer, ids = self.preprocess.tokenizer, inputs["token_ids"]
        # An id that is none is refused by the model, not here.
        known = tf.clip_by_value(ids, 0, tokenizer.vocabulary_size - 1)
        inside = tf.gather(tf.constant(tokenizer.is_continuation), known)
        special = (ids == tokenizer.cls_id) | (ids == tokenizer.sep_id)
        return tf.where(inside | special, 0, inputs["padding_mask"])
