"""From the scores of tokens to the answers of questions, over all windows of a text.

Two steps, so that windows may come in batches of any size: `best_spans` finds the best answer of
each window, `best_answers` chooses among the windows of a question.
"""

import tensorflow as tf

# The score of a token that no answer may begin or end with; far below any other, also twice.
_NEVER = -1e30
# What `best_spans` returns.
SPAN_TYPES = {
    "score": tf.float32,
    "start": tf.int32,
    "end": tf.int32,
    "log_sum": tf.float32,
    "no_answer": tf.float32,
}


def best_spans(span_start, span_end, places, max_answer_length):
    """The best answer of each window, in the graph.

    Source: `write_predictions` of google-research/bert `run_squad.py`, but that every span is
    looked at, and not those of the twenty best starts and ends. A span begins at a piece of the
    text in the window that shows most around it, and ends at one of the pieces from there on; its
    score is the sum of the logits of both.

    Args:
        span_start, span_end: float `(windows, sequence)`, logits of `BertSpanClassifier`.
        places: dict, as `SpanPreprocessor` makes it: `starts`, `ends`, `most_context`.
        max_answer_length: int, most tokens of an answer.

    Returns:
        Dict of tensors `(windows,)`: `score`, float32, of the best span, about -1e30 where there is
        none; `start`, `end`, int32, its characters; `log_sum`, float32, the logarithm of the sum of
        the exponentials of all spans' scores; `no_answer`, float32, the score of `[CLS]` alone.
    """
    span_start, span_end = (tf.cast(logits, tf.float32) for logits in (span_start, span_end))
    is_text = places["starts"] >= 0
    starts = tf.where(is_text & places["most_context"], span_start, _NEVER)
    ends = tf.where(is_text, span_end, _NEVER)
    # (windows, sequence, lengths): from each start the ends 0, 1, 2, ... tokens further on.
    width = tf.shape(ends)[1]
    ends = tf.pad(ends, [[0, 0], [0, max_answer_length - 1]], constant_values=_NEVER)
    further = tf.range(width)[:, tf.newaxis] + tf.range(max_answer_length)
    scores = starts[:, :, tf.newaxis] + tf.gather(ends, further, axis=1)
    scores = tf.reshape(scores, [tf.shape(starts)[0], width * max_answer_length])
    best = tf.argmax(scores, axis=1, output_type=tf.int32)
    first = best // max_answer_length
    last = tf.minimum(first + best % max_answer_length, width - 1)
    return {
        "score": tf.reduce_max(scores, axis=1),
        "start": tf.gather(places["starts"], first, batch_dims=1),
        "end": tf.gather(places["ends"], last, batch_dims=1),
        "log_sum": tf.reduce_logsumexp(scores, axis=1),
        "no_answer": span_start[:, 0] + span_end[:, 0],
    }


def best_answers(spans, example, count, no_answer_threshold=None):
    """The answer of each question from the best spans of its windows, in the graph.

    Args:
        spans: dict, as `best_spans` makes it, of all windows of the questions, in any order.
        example: int32 `(windows,)`, which question a window is of.
        count: int, the number of questions; each has a window.
        no_answer_threshold: float, a question has no answer where the score of `[CLS]`, the least
            of its windows, exceeds that of the best span by more than this. Default None: every
            question whose text has a token has an answer.

    Returns:
        Dict of tensors `(count,)`: `start`, `end`, int32, characters of the answer in the text, -1
        where there is none; `score`, float32, the probability of the answer, or of there being
        none, among all spans of the text (and, with a threshold, none); `best_start`, `best_end`,
        int32, the best span, answer or not; `difference`, float32, the score of no answer less
        that of the best span: what the threshold is compared with.
    """

    def over_windows(reduce, values):
        return reduce(values, example, count)

    best = over_windows(tf.math.unsorted_segment_max, spans["score"])
    rows = tf.range(tf.size(example))
    candidate = tf.where(spans["score"] == tf.gather(best, example), rows, rows.dtype.max)
    row = over_windows(tf.math.unsorted_segment_min, candidate)
    best_start, best_end = tf.gather(spans["start"], row), tf.gather(spans["end"], row)
    no_answer = over_windows(tf.math.unsorted_segment_min, spans["no_answer"])

    highest = over_windows(tf.math.unsorted_segment_max, spans["log_sum"])
    sums = tf.exp(spans["log_sum"] - tf.gather(highest, example))
    log_sum = highest + tf.math.log(over_windows(tf.math.unsorted_segment_sum, sums))

    difference = no_answer - best
    has_span = best > _NEVER / 2
    if no_answer_threshold is None:
        is_answer = has_span
        log_sum = tf.where(has_span, log_sum, no_answer)
    else:
        is_answer = has_span & (difference <= no_answer_threshold)
        log_sum = tf.reduce_logsumexp(tf.stack([log_sum, no_answer]), axis=0)
    return {
        "start": tf.where(is_answer, best_start, -1),
        "end": tf.where(is_answer, best_end, -1),
        "score": tf.exp(tf.where(is_answer, best, no_answer) - log_sum),
        "best_start": tf.where(has_span, best_start, -1),
        "best_end": tf.where(has_span, best_end, -1),
        "difference": difference,
    }
