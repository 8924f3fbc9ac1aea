"""From tokens back to text a person would write."""

import unicodedata

# No space before these, and none after those.
CLOSING = set(",.!?;:%)]}…’”»") | set("。，、！？；：）】》」』")
OPENING = set("([{$#@“‘«") | set("（【《「『")
JOINING = set("-/_&\\'`")
# Those that may be quotation marks; and what may stand between digits, as in `3.5`.
QUOTES = set("'`")
IN_NUMBERS = set(".,:")
# What follows the apostrophe in English contractions; elsewhere it is a quotation mark.
CONTRACTIONS = frozenset({"s", "t", "re", "ve", "ll", "d", "m"})


def join_tokens(tokens):
    """Joins WordPiece tokens to text: pieces to words, words to a line with usual spacing.

    Spacing follows English and Chinese habits: none before a comma, none inside parentheses, none
    between Chinese characters, none inside `3.5`, `1,000`, `don't` and `state-of-the-art`. What the
    tokenizer took away (case, accents, the spaces as they were) cannot come back.

    Args:
        tokens: list of str, without special tokens.

    Returns:
        str.

    Example:
        >>> join_tokens(["i", "don", "'", "t", "eat", "app", "##les", ",", "sorry", "!"])
        "i don't eat apples, sorry!"
        >>> join_tokens(["我", "爱", "吃", "苹", "果", "。"])
        '我爱吃苹果。'
    """
    words = []
    for token in tokens:
        if token.startswith("##") and len(token) > 2:
            if words and not is_alone(words[-1]):
                words[-1] += token[2:]
            else:
                words.append(token[2:])
        else:
            words.append(token)
    quotes = 0
    parts = []
    for index, word in enumerate(words):
        previous = words[index - 1] if index else ""
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == '"':
            quotes += 1
            spaced = quotes % 2 == 1 and _space_after(previous)
        elif previous == '"':
            spaced = quotes % 2 == 0 and word not in CLOSING
        else:
            before = words[index - 2] if index > 1 else ""
            spaced = _spaced(before, previous, word, following)
        parts.append(" " + word if index and spaced else word)
    return "".join(parts)


def _spaced(before, previous, word, following):
    """Whether a space stands between `previous` and `word`."""
    if word in CLOSING or not _space_after(previous):
        return False
    if is_chinese(word) or is_chinese(previous) or is_wide(previous):
        return False
    if word in JOINING:
        return word in QUOTES and following not in CONTRACTIONS
    if previous in JOINING:
        return previous in QUOTES and word not in CONTRACTIONS and before == ""
    # Between digits a point, a comma or a colon belongs to the number.
    return not (previous in IN_NUMBERS and before[-1:].isdigit() and word[0].isdigit())


def _space_after(previous):
    return bool(previous) and previous not in OPENING and not is_wide(previous)


def is_alone(word):
    """Whether nothing continues the word: a Chinese character or a punctuation mark."""
    return len(word) == 1 and (is_chinese(word) or unicodedata.category(word)[0] == "P")


def is_chinese(word):
    """Whether the word begins with a Chinese character."""
    code = ord(word[0]) if word else 0
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


def is_wide(word):
    """Whether the word is a full-width punctuation mark, which brings its own space."""
    return (
        len(word) == 1
        and unicodedata.category(word)[0] == "P"
        and (unicodedata.east_asian_width(word) in "WF")
    )
