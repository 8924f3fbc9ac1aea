"""The history of a conversation joined to its last question, as long as there is room."""


def join_history(tokenizer, history, question, length):
    """Puts as many of the last turns before a question as fit, so that it can be understood.

    Source: Choi et al. 2018 (QuAC), https://arxiv.org/abs/1808.07036, section 5, whose baseline
    reads the last turns with the question. Whole turns are left out, the oldest first.

    Args:
        tokenizer: `BertTokenizer`, which counts.
        history: list of str, what was said before, oldest first: questions and answers. Empty ones
            are passed over.
        question: str.
        length: int, most tokens of the result, such as `SpanPreprocessor.question_length`. A
            question that is longer stands alone.

    Returns:
        str, turns and question with a space between.

    Raises:
        TypeError: `history` is a str, or a turn is none.
        ValueError: `length` is below 1.

    Example:
        >>> from keras_bert.text import BertTokenizer
        >>> tokenizer = BertTokenizer("[PAD] [UNK] [CLS] [SEP] [MASK] who sat ? the cat".split())
        >>> join_history(tokenizer, ["Who sat?", "The cat"], "The cat who?", length=6)
        'The cat The cat who?'
    """
    if isinstance(history, str) or not all(isinstance(turn, str) for turn in history):
        raise TypeError(f"history: expected a list of str, oldest first; received {history!r:.100}")
    if length < 1:
        raise ValueError(f"length must be 1 or more; received {length}")
    turns = [turn.strip() for turn in history if turn.strip()]
    # White space parts tokens, so those of the whole are those of the turns.
    *counts, left = tokenizer([*turns, question]).row_lengths().numpy().tolist()
    left = length - left
    kept = []
    for turn, count in zip(reversed(turns), reversed(counts), strict=True):
        left -= count
        if left < 0:
            break
        kept.append(turn)
    return " ".join([*reversed(kept), question.strip()])
