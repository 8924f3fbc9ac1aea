"""The exported masked language model: texts with `[MASK]` in, the likeliest tokens out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.preprocessors import MaskedLMPreprocessor

TOP_K = 10


class ServedMaskedLM(Served):
    """Signatures of `BertMaskedLM`.

    `serving_default` takes `text`, string `(batch,)`, with `[MASK]` where tokens are to be found.
    It returns `tokens`, string, and their `scores`, float32, both `(batch, masks, 10)`, likeliest
    first; and `num_masks`, int32 `(batch,)`. Slots beyond a row's `num_masks` hold "" and 0.0.
    `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32 `(batch, sequence)`, and
    `mask_positions`, int32 `(batch, masks)`; it returns `tokens` and `scores` for every slot.
    """

    preprocessor_class = MaskedLMPreprocessor
    extra_inputs = {  # noqa: RUF012 - never changed
        "mask_positions": tf.TensorSpec((None, None), tf.int32, name="mask_positions")
    }

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        self.vocabulary = tf.constant(preprocess.tokenizer.vocabulary)
        self.top_k = min(TOP_K, preprocess.tokenizer.vocabulary_size)

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            inputs = self.preprocess(text)
            is_mask = inputs.pop("mask_weights")
            found = self.answer(inputs)
            return {
                "tokens": tf.where(is_mask[:, :, tf.newaxis] > 0, found["tokens"], ""),
                "scores": found["scores"] * is_mask[:, :, tf.newaxis],
                "num_masks": tf.cast(tf.reduce_sum(is_mask, axis=1), tf.int32),
            }

        texts = ["A first [MASK].", "A longer request, to [MASK] up for longer texts. " * 20]
        requests = [{"text": tf.constant(texts[:1])}, {"text": tf.constant(texts)}]
        return {"serving_default": (serve_text, requests)}

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))["masked_lm"]
        best = tf.math.top_k(tf.nn.softmax(tf.cast(logits, tf.float32)), self.top_k)
        return {"tokens": tf.gather(self.vocabulary, best.indices), "scores": best.values}
