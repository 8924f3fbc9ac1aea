"""From questions and texts to the windows that `BertSpanClassifier` reads."""

import tensorflow as tf

from keras_bert.text import windows
from keras_bert.text.preprocessors import Preprocessor, positive
from keras_bert.text.tokenizer import as_strings


class SpanPreprocessor(Preprocessor):
    """Makes of a question and a text rows `[CLS] question [SEP] window [SEP]`, one or several.

    Source: `convert_examples_to_features` of google-research/bert `run_squad.py`. Of a text that is
    longer than a row, windows overlap; each piece has one window that shows most of what is around
    it, and an answer is looked for where it begins with most context.

    Args:
        tokenizer: `BertTokenizer`.
        sequence_length: int, most tokens of a row. Default 384.
        stride: int, tokens from the start of one window to that of the next. Default: a third of
            `sequence_length`, 128 at most.
        question_length: int, most tokens of a question; what is longer is cut at its end. Default:
            a quarter of `sequence_length`, 64 at most.
        max_answer_length: int, most tokens of an answer that is told. Default 30.
        pad_to_sequence_length: bool, pad to `sequence_length` and not to the longest row of the
            batch. Default False.

    Call arguments:
        texts: tuple `(question, context)` of str, or of lists of str or string tensors `(batch,)`.

    Returns of a call: a pair of dicts, the model's inputs and where the pieces stand. There is one
        row or more for each example, in their order.
        inputs: int32 `(windows, sequence)`: `token_ids`; `segment_ids` (0 = question and padding, 1
            = text); `padding_mask` (1 = real token, 0 = padding).
        places: `example`, int32 `(windows,)`, which example a row is of; `starts` and `ends`, int32
            `(windows, sequence)`, the characters of the raw text that a piece of it was made of
            (`text[start:end]`), -1 for other tokens; `most_context`, bool `(windows, sequence)`,
            True for a piece of the text in the one window that shows most around it.

    Raises:
        ValueError: a length that is no positive int or leaves no room for the text; a question
            without a text.

    Example:
        >>> words = "[PAD] [UNK] [CLS] [SEP] [MASK] who sat ? the cat on a mat".split()
        >>> preprocess = SpanPreprocessor(BertTokenizer(words), sequence_length=10, stride=2)
        >>> text = "The cat sat on a mat"
        >>> inputs, places = preprocess(("who sat", text))
        >>> inputs["token_ids"].numpy().tolist()
        [[2, 5, 6, 3, 8, 9, 6, 10, 11, 3], [2, 5, 6, 3, 6, 10, 11, 12, 3, 0]]
        >>> text[places["starts"][1, 7] : places["ends"][1, 7]]
        'mat'
    """

    kept = (*Preprocessor.kept, "stride", "question_length", "max_answer_length")

    def __init__(
        self,
        tokenizer,
        sequence_length=384,
        stride=None,
        question_length=None,
        max_answer_length=30,
        pad_to_sequence_length=False,
    ):
        super().__init__(tokenizer, sequence_length, pad_to_sequence_length)
        defaults = _default_lengths(sequence_length)
        stride = defaults["stride"] if stride is None else stride
        if question_length is None:
            question_length = defaults["question_length"]
        self.stride = positive("stride", stride)
        self.question_length = positive("question_length", question_length)
        self.max_answer_length = positive("max_answer_length", max_answer_length)
        if question_length + 4 > sequence_length:
            raise ValueError(
                f"sequence_length={sequence_length} leaves no room for a text beside a question of "
                f"question_length={question_length} and three special tokens; expected "
                f"sequence_length of {question_length + 4} or more"
            )

    def settings(self):
        """As of `Preprocessor`, without lengths that follow from `sequence_length`: so that they
        do where another one is asked for."""
        defaults = _default_lengths(self.sequence_length)
        return {
            name: value
            for name, value in super().settings().items()
            if name not in defaults or value != defaults[name]
        }

    def __call__(self, texts):
        if not isinstance(texts, tuple) or len(texts) != 2:
            raise ValueError(
                "expected a tuple (question, context), each a str or a batch of them; received "
                + (f"{len(texts)} parts" if isinstance(texts, tuple) else type(texts).__name__)
            )
        questions, contexts = map(as_strings, texts)
        if not questions.shape.is_compatible_with(contexts.shape):
            raise ValueError(
                "expected a context for each question; received shapes "
                f"{questions.shape} and {contexts.shape}"
            )
        if questions.shape.rank == 0:
            questions, contexts = questions[tf.newaxis], contexts[tf.newaxis]
        question_ids = self.tokenizer(questions)[:, : self.question_length]
        ids, starts, ends = self.tokenizer.tokenize_with_offsets(contexts)
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        cut = self.cut(tf.cast(question_ids.row_lengths(), tf.int32), lengths)
        begin = tf.gather(tf.cast(ids.row_starts(), tf.int32), cut.example) + cut.start
        question_ids = tf.gather(question_ids, cut.example)
        inputs = self.pack(question_ids, windows.take(ids.flat_values, begin, cut.length))
        places = self.places(
            question_ids,
            windows.take(starts.flat_values, begin, cut.length),
            windows.take(ends.flat_values, begin, cut.length),
            windows.most_context(cut, lengths),
            inputs["token_ids"],
        )
        return inputs, {"example": cut.example, **places}

    def cut(self, question_lengths, context_lengths):
        """The `Windows` of texts beside questions; see `windows.cut_windows`."""
        return windows.cut_windows(
            question_lengths, context_lengths, self.sequence_length, self.stride
        )

    def pack(self, questions, contexts):
        """The model's inputs from ids of questions and windows, ragged `(windows, tokens)`."""
        return self._pack(questions, contexts)

    def places(self, questions, starts, ends, is_most, token_ids):
        """Where pieces stand: ragged `(windows, tokens)` to `(windows, sequence)`, as a call."""
        lengths = tf.cast(questions.row_lengths(), tf.int32)
        return {
            "starts": windows.beside_tokens(starts, lengths, token_ids, -1),
            "ends": windows.beside_tokens(ends, lengths, token_ids, -1),
            "most_context": windows.beside_tokens(is_most, lengths, token_ids, False),
        }


def _default_lengths(sequence_length):
    return {
        "stride": max(1, min(128, sequence_length // 3)),
        "question_length": max(1, min(64, sequence_length // 4)),
    }
