"""Questions about texts, as batches of windows for fine-tuning and measuring a span classifier."""

import logging
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_bert.data.encoded_rows import digests
from keras_bert.data.length_batches import check_batch_size, length_batches
from keras_bert.data.squad_files import read_questions
from keras_bert.data.tables import source_of
from keras_bert.text import windows
from keras_bert.text.tokenizer import as_strings

# Texts tokenized at once.
_TEXTS = 256
# [CLS], and [SEP] behind the question.
_BEFORE_CONTEXT = 2

_logger = logging.getLogger(__name__)


def question_answering(path, preprocess, batch_size=32, shuffle=True, seed=0, training=True):
    """Reads questions in SQuAD's JSON and makes the batches that `BertSpanClassifier` learns from.

    Each row is one window of the text of a question; a long text has several. Texts are tokenized
    once, however many questions they have. Where a question has several answers, the first is
    learnt. Of an answer that is not what stands at its `answer_start` nothing is learnt, and
    nothing else is tried. Batches are made as by `kb.data.classification`.

    Args:
        path: `.json` of SQuAD 1.1 or 2.0 (also `.gz`): str or path-like, a glob, or a list; or
            rows with `question`, `context` and `answers` (and perhaps `id`, `is_impossible`) from
            `.jsonl`, `"tfds://name"`, a DataFrame, or a list of dicts or of tuples (question,
            context, answers). Answers are a list of objects with `text` and `answer_start`, or an
            object of two such lists.
        preprocess: `SpanPreprocessor`.
        batch_size: int, windows a step. Default 32.
        shuffle: bool, default True; False keeps the order of the file.
        seed: int, default 0.
        training: bool. True leaves out questions of whose answers none stands where it should;
            False keeps them, with weight 0, so that every question is measured. Default True.

    Returns:
        `tf.data.Dataset` of `(inputs, labels, sample_weights)`: `inputs` a dict of int32
        `(batch, sequence)`, as `preprocess` makes it; `labels` and `sample_weights` dicts of
        `span_start` and `span_end`, int32 and float32 `(batch,)`: positions of the answer's first
        and last token in the row, both 0 (`[CLS]`) where the answer is not in this window or there
        is none. It has the method `set_epoch(epoch)` and the attributes

        num_examples, num_windows, num_unanswerable: int, questions, rows, and questions that have
            no answer.
        skipped, num_answers: int, answers that stand elsewhere, of all answers.
        cut_questions: int, questions longer than `preprocess.question_length`, which were cut.
        digests: uint64 `(questions,)`, equal for equal questions about equal texts.
        questions: list of `Question`, with `id`, `answers` (list of str) and `context` (int).
        contexts: list of str.

        and the method `windows()`, a `tf.data.Dataset` of `(inputs, places)` as `preprocess` makes
        them, with all rows once, short ones first; `places["example"]` numbers the questions.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is of another format; a text is empty (the message names file and
            questions); no question is left.

    Example:
        >>> import json, os, tempfile, keras_bert as kb
        >>> answer = {"text": "a mat", "answer_start": 8}
        >>> row = {"id": "1", "question": "Sat on?", "answers": [answer]}
        >>> paragraph = {"context": "Cat sat a mat.", "qas": [row]}
        >>> path = os.path.join(tempfile.mkdtemp(), "train.json")
        >>> with open(path, "w") as file:
        ...     json.dump({"data": [{"paragraphs": [paragraph]}]}, file)
        >>> tokenizer = kb.BertTokenizer("[PAD] [UNK] [CLS] [SEP] [MASK] cat sat a mat on".split())
        >>> train = kb.data.question_answering(path, kb.SpanPreprocessor(tokenizer))
        >>> _, labels, _ = next(iter(train))
        >>> int(labels["span_start"][0]), int(labels["span_end"][0])  # [CLS] sat on ? [SEP] cat ...
        (7, 8)
    """
    check_batch_size(batch_size)
    found = read_questions(path)
    pieces = _tokenize_contexts(found.contexts, found.questions, preprocess)
    questions, spans = _choose(found.questions, pieces, training)
    if not questions:
        raise ValueError(
            f"{source_of(path)}: no question is left to learn from; the answers of all "
            f"{len(found.questions)} stand elsewhere in their texts than answer_start says"
        )
    question_ids, cut_questions = _tokenize_questions(questions, preprocess)
    contexts = np.array([question.context for question in questions])
    cut = preprocess.cut(
        tf.cast(question_ids.row_lengths(), tf.int32), tf.constant(pieces.lengths[contexts])
    )
    rows = _Rows(cut, question_ids, pieces, contexts, preprocess)
    labels, weights = _labels(cut, question_ids, spans)

    def element(places):
        both = {name: tf.gather(values, places) for name, values in labels.items()}
        return rows.inputs(places), both, dict.fromkeys(both, tf.gather(weights, places))

    dataset = length_batches(rows.lengths, element, batch_size, shuffle, seed)
    dataset.tokenizer = preprocess.tokenizer
    dataset.num_examples, dataset.num_windows = len(questions), int(tf.size(cut.example))
    dataset.num_unanswerable = sum(not question.answers for question in questions)
    dataset.skipped, dataset.num_answers = found.skipped, found.answers
    dataset.cut_questions = cut_questions
    dataset.questions, dataset.contexts = questions, found.contexts
    texts = [found.contexts[question.context] for question in questions]
    dataset.digests = digests([question.text for question in questions], texts)
    dataset.windows = lambda: rows.windows(batch_size)
    if found.skipped:
        _logger.warning(
            "%s: left out %d of %d answers, which do not stand at their answer_start",
            source_of(path), found.skipped, found.answers,
        )  # fmt: skip
    return dataset


class _Pieces(NamedTuple):
    """The tokens of all texts: flat int32 tensors, and where each text's begin, int32 arrays."""

    ids: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor
    begin: np.ndarray
    lengths: np.ndarray


class _Rows:
    """Makes rows of the windows of all questions."""

    def __init__(self, cut, question_ids, pieces, contexts, preprocess):
        self._cut, self._questions = cut, question_ids
        self._pieces, self._preprocess = pieces, preprocess
        self._context_lengths = tf.constant(pieces.lengths[contexts])
        self._begin = tf.gather(tf.constant(pieces.begin[contexts]), cut.example) + cut.start
        self.lengths = tf.gather(question_ids.row_lengths(), cut.example)
        self.lengths += tf.cast(cut.length, tf.int64)

    def _take(self, values, places):
        begin, length = tf.gather(self._begin, places), tf.gather(self._cut.length, places)
        return windows.take(values, begin, length)

    def _question_ids(self, places):
        return tf.gather(self._questions, tf.gather(self._cut.example, places))

    def inputs(self, places):
        """The model's inputs of some rows."""
        return self._preprocess.pack(
            self._question_ids(places), self._take(self._pieces.ids, places)
        )

    def windows(self, batch_size):
        """All rows once, short ones first, with the places of their pieces."""
        is_most = windows.most_context(self._cut, self._context_lengths)

        def element(places):
            inputs = self.inputs(places)
            found = self._preprocess.places(
                self._question_ids(places),
                self._take(self._pieces.starts, places),
                self._take(self._pieces.ends, places),
                tf.gather(is_most, places),
                inputs["token_ids"],
            )
            return inputs, {"example": tf.gather(self._cut.example, places), **found}

        order = tf.argsort(self.lengths, stable=True)
        return (
            tf.data.Dataset.from_tensor_slices(order)
            .batch(batch_size)
            .map(element, num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(tf.data.AUTOTUNE)
        )


def _tokenize_contexts(contexts, questions, preprocess):
    parts = []
    for start in range(0, len(contexts), _TEXTS):
        texts = as_strings(contexts[start : start + _TEXTS])
        parts.append(preprocess.tokenizer.tokenize_with_offsets(texts))
    ids, starts, ends = (
        tf.concat([part[place].flat_values for part in parts], axis=0) for place in range(3)
    )
    lengths = np.concatenate([part[0].row_lengths().numpy() for part in parts]).astype("int32")
    for question in questions:
        if not lengths[question.context]:
            raise ValueError(
                f"{question.file}, question {question.id}: the context holds no token, only "
                f"{contexts[question.context][:20]!r}. Leave the paragraph out"
            )
    return _Pieces(ids, starts, ends, (np.cumsum(lengths) - lengths).astype("int32"), lengths)


def _tokenize_questions(questions, preprocess):
    ids = preprocess.tokenizer(as_strings([question.text for question in questions]))
    cut = int(tf.reduce_sum(tf.cast(ids.row_lengths() > preprocess.question_length, tf.int32)))
    return ids[:, : preprocess.question_length], cut


def _choose(questions, pieces, training):
    """The questions to keep, and int32 `(questions, 3)`: first and last token of the answer, -1
    where there is none, and 1 where the question is to be learnt, else 0."""
    starts, ends = pieces.starts.numpy(), pieces.ends.numpy()
    kept, spans = [], []
    for question in questions:
        span, usable = None, not question.answers
        if question.spans:
            begin = pieces.begin[question.context]
            part = slice(begin, begin + pieces.lengths[question.context])
            span = tokens_of(question.spans[0], starts[part], ends[part])
            usable = span is not None
        if usable or not training:
            kept.append(question)
            spans.append((*(span or (-1, -1)), int(usable)))
    return kept, np.array(spans, "int32").reshape(-1, 3)


def tokens_of(span, starts, ends):
    """The tokens that hold characters of a span.

    Args:
        span: (start, end), characters.
        starts, ends: int arrays `(tokens,)`, the characters of each token, in order.

    Returns:
        (first, last), places of tokens; None where no token holds any of it.
    """
    first = int(np.searchsorted(ends, span[0], side="right"))
    last = int(np.searchsorted(starts, span[1], side="left")) - 1
    return (first, last) if first <= last else None


def _labels(cut, question_ids, spans):
    """Labels by name and weights of all windows, `(windows,)` each."""
    example, start, length = (np.asarray(values) for values in cut)
    first, last, learnt = spans[example].T
    before = question_ids.row_lengths().numpy()[example] + _BEFORE_CONTEXT
    inside = (first >= start) & (last < start + length) & (first >= 0)
    labels = {
        name: tf.constant(np.where(inside, token - start + before, 0), tf.int32)
        for name, token in (("span_start", first), ("span_end", last))
    }
    return labels, tf.constant(learnt, tf.float32)
