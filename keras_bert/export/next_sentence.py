"""The exported next-sentence head: two texts in, whether the second follows the first out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.packing import check_length
from keras_bert.text.preprocessors import TextClassifierPreprocessor


class ServedNextSentence(Served):
    """Signatures of `BertNextSentence`.

    `serving_default` takes `text` and `text_pair`, string `(batch,)`; `serve_tokens` takes
    `token_ids`, `segment_ids`, `padding_mask`, int32 `(batch, sequence)`. Each returns `is_next`,
    bool `(batch,)`, whether the second text follows the first, and `score`, float32 `(batch,)`,
    the probability that it does.
    """

    preprocessor_class = TextClassifierPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        check_length(preprocess.sequence_length, is_pair=True)

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("text"), text_spec("text_pair")])
        def serve_pairs(text, text_pair):
            return self.answer(self.preprocess((text, text_pair)))

        short, long = "A first request.", "A longer request, to warm up for longer texts. " * 20
        requests = [
            {"text": tf.constant([t]), "text_pair": tf.constant([t])} for t in (short, long)
        ]
        return {"serving_default": (serve_pairs, requests)}

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))["next_sentence"]
        # Class 0 = it really follows.
        score = tf.nn.softmax(tf.cast(logits, tf.float32))[:, 0]
        return {"is_next": score >= 0.5, "score": score}
