"""The exported span classifier: questions and texts in, answers and where they stand out."""

import tensorflow as tf

from keras_bert.export.served import Served, text_spec, with_a_token
from keras_bert.text.answers import SPAN_TYPES, best_answers, best_spans
from keras_bert.text.normalization import replace_invalid
from keras_bert.text.span_preprocessor import SpanPreprocessor

# Windows that the model reads at once: a long text takes time, not memory.
_WINDOWS = 32


class ServedSpanClassifier(Served):
    """Signatures of `BertSpanClassifier`.

    `serving_default` takes `question` and `context`, string `(batch,)`. It returns, all `(batch,)`:
    `answer`, string, as it stands in the context, "" where there is none; `start` and `end`, int32,
    its characters (Unicode code points) in the context, -1 where there is none; `score`, float32,
    its probability among all spans of the context and, for a model with a `no_answer_threshold`,
    no answer. Contexts of any length are read, in overlapping windows.
    `serve_tokens` takes `token_ids`, `segment_ids`, `padding_mask`, int32 `(batch, sequence)`, and
    returns the logits `span_start` and `span_end`, float32 `(batch, sequence)`.
    """

    preprocessor_class = SpanPreprocessor

    def __init__(self, model, preprocess):
        super().__init__(model, preprocess)
        self.no_answer_threshold = model.no_answer_threshold

    def text_signatures(self):
        @tf.function(input_signature=[text_spec("question"), text_spec("context")])
        def serve_questions(question, context):
            inputs, places = self.preprocess((question, context))
            spans = self._best_spans(inputs, places)
            found = best_answers(
                spans, places["example"], tf.size(question), self.no_answer_threshold
            )
            start, end = found["start"], found["end"]
            begin = tf.maximum(start, 0)
            # The places count characters of the text as the tokenizer reads it.
            text = replace_invalid(context)
            answer = tf.strings.substr(text, begin, tf.maximum(end - begin, 0), unit="UTF8_CHAR")
            return {"answer": answer, "start": start, "end": end, "score": found["score"]}

        context = "A first text of a few words."
        pairs = [("What is it?", context), ("What is it?", context * 200)]
        requests = [
            {"question": tf.constant([question]), "context": tf.constant([text])}
            for question, text in pairs
        ]
        return {"serving_default": (serve_questions, requests)}

    def _best_spans(self, inputs, places):
        """`best_spans` of all windows, some windows at a time."""
        count = tf.size(places["example"])
        inputs = with_a_token(inputs)
        more = tf.shape(inputs["token_ids"])[1] - tf.shape(places["starts"])[1]
        places = {
            name: tf.pad(places[name], [[0, 0], [0, more]])
            for name in ("starts", "ends", "most_context")
        }

        def find(number):
            rows = slice(number * _WINDOWS, (number + 1) * _WINDOWS)
            logits = self.run_model({name: values[rows] for name, values in inputs.items()})
            return best_spans(
                logits["span_start"],
                logits["span_end"],
                {name: values[rows] for name, values in places.items()},
                self.preprocess.max_answer_length,
            )

        steps = tf.maximum(1, -(-count // _WINDOWS))
        arrays = {
            name: tf.TensorArray(dtype, steps, infer_shape=False, element_shape=[None])
            for name, dtype in SPAN_TYPES.items()
        }

        def step(number, arrays):
            found = find(number)
            return number + 1, {name: a.write(number, found[name]) for name, a in arrays.items()}

        _, arrays = tf.while_loop(
            lambda number, arrays: number < steps, step, (0, arrays), parallel_iterations=1
        )
        return {name: array.concat() for name, array in arrays.items()}

    def answer(self, inputs):
        logits = self.run_model(with_a_token(inputs))
        width = tf.shape(inputs["token_ids"])[1]
        return {
            name: tf.cast(logits[name][:, :width], tf.float32)
            for name in ("span_start", "span_end")
        }
