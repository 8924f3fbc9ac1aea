"""The exported sequence-to-sequence model: texts in, texts out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.seq2seq_preprocessor import Seq2SeqPreprocessor


class ServedSeq2Seq(Served):
    """Signatures of `BertSeq2SeqLM`.

    `serving_default` takes `text`, string `(batch,)`, and returns `text`, string `(batch,)`, what
    the model wrote by its `sampler`, and `score`, float32 `(batch,)`, the geometric mean of the
    probabilities of its tokens. `serve_tokens` takes `token_ids`, `segment_ids` (0),
    `padding_mask`, int32 `(batch, sequence)`, of sources, and returns `score` and `token_ids`,
    int32 `(batch, target_length)`: the tokens, the [SEP] that ends them, padding.
    """

    preprocessor_class = Seq2SeqPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        tokenizer = preprocess.tokenizer
        # Samplers that draw have a state.
        self.sampler_variables = [variable.value for variable in model.find_sampler().variables]
        self.run_model = lambda inputs: model.generate(
            inputs, preprocess.target_length, tokenizer.sep_id, tokenizer.pad_id
        )

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("text")])
        def serve_text(text):
            found = self.answer(self.preprocess(text))
            return {
                "text": self.preprocess.detokenize(found["token_ids"]),
                "score": found["score"],
            }

        short, long = "A first request.", "A longer request, to warm up for longer texts. " * 20
        one, some = tf.constant([short]), tf.constant([short] * 7 + [long])
        return {"serving_default": (serve_text, [{"text": one}, {"text": some}])}

    def answer(self, inputs):
        return self.run_model(with_a_token(inputs))
