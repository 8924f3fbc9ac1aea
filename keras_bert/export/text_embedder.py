"""The exported text embedder: texts in, vectors out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.preprocessors import TextClassifierPreprocessor


class ServedEmbedder(Served):
    """Signatures of `BertTextEmbedder`.

    `serving_default` takes `text`, string `(batch,)`; `serve_tokens` takes `token_ids`,
    `segment_ids`, `padding_mask`, int32 `(batch, sequence)`. Each returns `embedding`, float32
    `(batch, hidden_dim)`.
    """

    preprocessor_class = TextClassifierPreprocessor

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            return self.answer(self.preprocess(text))

        short, long = "A first request.", "A longer request, to warm up for longer texts. " * 20
        one, some = tf.constant([short]), tf.constant([short] * 7 + [long])
        return {"serving_default": (serve_text, [{"text": one}, {"text": some}])}

    def answer(self, inputs):
        embedding = self.run_model(with_a_token(inputs))["embedding"]
        return {"embedding": tf.cast(embedding, tf.float32)}
