"""What was said before, joined to a question: cut by tokens, whole turns, the oldest first."""

import pytest

import keras_bert as kb
from keras_bert.text import join_history

TURNS = ["Who sat on the mat?", "the cat", "", "我爱苹果？", "苹果"]  # 6, 2, 0, 5, 2 tokens
QUESTION = "was it good?"  # 4


@pytest.fixture(scope="module")
def tokenizer(tiny_vocabulary):
    return kb.BertTokenizer([*tiny_vocabulary, "who", "？"])


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (100, 0),
        (19, 0),
        (18, 1),
        (13, 1),
        (12, 3),
        (11, 3),
        (10, 4),
        (6, 4),
        (5, 5),
        (4, 5),
        (1, 5),
    ],
)
def test_the_oldest_turns_go_first(tokenizer, length, kept):
    text = join_history(tokenizer, TURNS, QUESTION, length)
    assert text == " ".join([*filter(None, TURNS[kept:]), QUESTION])
    counted = tokenizer([text]).row_lengths().numpy()[0]
    assert counted <= max(length, 4)
    # What the preprocessor makes of it ends with the question.
    preprocess = kb.SpanPreprocessor(tokenizer, 128, question_length=max(length, 4))
    ids = preprocess((text, "a cat"))[0]["token_ids"][0].numpy().tolist()
    asked = tokenizer([QUESTION])[0].numpy().tolist()
    assert ids[1 + counted - 4 : 1 + counted] == asked and ids[1 + counted] == tokenizer.sep_id


def test_a_turn_that_is_too_long_hides_those_before_it(tokenizer):
    """A conversation has no gaps: what stands before a turn that does not fit is left out too."""
    assert join_history(tokenizer, ["a", "the cat sat on a mat", "it"], "good?", 4) == "it good?"


def test_what_is_no_history_is_refused(tokenizer):
    assert join_history(tokenizer, [], " good? ", 3) == "good?"
    for history, length, error in (("a", 3, TypeError), (["a", 3], 3, TypeError)):
        with pytest.raises(error, match="expected a list of str, oldest first"):
            join_history(tokenizer, history, "good?", length)
    with pytest.raises(ValueError, match="length must be 1 or more; received 0"):
        join_history(tokenizer, [], "good?", 0)
