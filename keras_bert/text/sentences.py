"""Where sentences end in plain English and Chinese prose."""

import re

# Stops and what closes behind them. Possessive, and matching wherever a stop stands, so that a
# line of ten million stops takes linear time; `_ends` judges each match.
_CLOSERS = "\"'”’」』）)】》\\]"
_STOP = re.compile(rf"(?P<stop>[.!?…。！？｡]++)[{_CLOSERS}.!?…。！？]*+")
_WIDE = re.compile("[。！？｡]|……")
# After a closed question or exclamation: who said it, and the sentence goes on.
_SAID = re.compile("[^。！？…，“「\\s]{0,12}?(?:问|說|说|道|喊|叫|答|笑|想|嚷)")

# The last word before a full stop: letters, inner points and hyphens; bounded, so that no text
# makes the look back long.
_LAST_WORD = re.compile(r"[A-Za-z](?:[A-Za-z.&-]{0,30})\Z")
_NUMBER_HEADING = re.compile(r"(?:\A|\n)\s*(?:\d{1,3}|[IVXLC]{1,6})\Z")

# Never ends a sentence: a name or number follows.
_BEFORE_NAME = frozenset(
    "mr mrs ms mx dr prof rev hon st mt ft sr jr gen col maj capt cmdr lt sgt adm gov sen rep pres "
    "supt messrs mme mlle fr cf ca vs v viz al approx".split()
)
# Ends none before a digit: No. 5, Fig. 3, Jan. 1.
_BEFORE_NUMBER = frozenset(
    "no nos vol vols fig figs eq eqs sec ch chap pp p art op est "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# May end one: it does when a capital follows that starts no name we can tell.
_EITHER = frozenset(
    "etc inc ltd co corp bros dept univ assn ave blvd rd u.s u.k u.n u.s.a e.u d.c "
    "a.m p.m b.c a.d ph.d m.d b.a m.a b.sc m.sc ll.d".split()
)
_NEVER = frozenset(["e.g", "i.e", "eg", "ie", "q.v", "n.b", "c.f"])
# Words that begin a sentence after an abbreviation that may end one.
_STARTERS = frozenset(
    "the a an he she it they we i you this that these those there here his her its their our my "
    "in on at by for from with as but and or so if when while after before since although though "
    "however then what who why how where which no not some many most all each both one two".split()
)
# An empty line.
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_SPACE = re.compile(r"\s*")
_OPENERS = "\"'“‘「『（([《【"


def split_sentences(text):
    """Splits plain prose into sentences, in time linear in its length.

    English sentences end at `.`, `!`, `?` or an ellipsis with a space behind, Chinese ones at
    `。`, `！`, `？` or `……`, in both cases with the quotes and brackets that close there. A full
    stop ends none after an abbreviation (`Mr.`, `e.g.`, `U.S.` before anything but a usual first
    word), an initial (`J. R. R. Tolkien`), inside a number, or before a small letter. An empty line
    ends a sentence, a single line end is a space. Rules, no model: good enough to pair sentences
    for pretraining, which does not ask for each end to be right.

    Args:
        text: str, any number of lines and sentences.

    Returns:
        List of str, without space around them, none empty, in order; together they hold every
        character of the text but spaces between sentences.

    Raises:
        TypeError: `text` is not a str.

    Example:
        >>> split_sentences('Dr. Smith paid $3.50. "Why?" asked J. R. Lee.')
        ['Dr. Smith paid $3.50.', '"Why?" asked J. R. Lee.']
        >>> split_sentences("他来了。“真的吗？”我问。")
        ['他来了。', '“真的吗？”我问。']
    """
    if not isinstance(text, str):
        raise TypeError(f"split_sentences: expected str; received {type(text).__name__}")
    sentences = []
    for paragraph in _PARAGRAPH.split(text):
        start = 0
        for match in _STOP.finditer(paragraph):
            if _ends(paragraph, match, start):
                sentences.append(paragraph[start : match.end()].strip())
                start = match.end()
        sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends(text, match, start):
    """Whether a sentence that began at `start` ends with this stop."""
    after = _SPACE.match(text, match.end()).end()
    following = text[after : after + 40]
    is_spaced = after > match.end() or not following
    stop = match["stop"]
    if _WIDE.search(stop) or ("…" in stop and _is_chinese(following[:1])):
        is_quote = match.group()[-1] in '”」』"' and stop[-1] in "！？…"
        return not (is_quote and _SAID.match(following))
    if not is_spaced and not _is_chinese(following[:1]):
        return False
    bare = following.lstrip(_OPENERS)
    if bare[:1].islower() or following[:1] in {",", ";", ":", "，", "、", "；"}:
        return False
    if stop != ".":
        return True
    before = text[max(start, match.start() - 32) : match.start()]
    if _NUMBER_HEADING.search(text[max(start, match.start() - 8) : match.start()].lstrip(" ")):
        return not following or match.start() - start > 8
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    plain = word.lower()
    if plain in _NEVER or plain in _BEFORE_NAME:
        return not following
    if plain in _BEFORE_NUMBER:
        return not following[:1].isdigit()
    if plain in _EITHER or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word):
        first_word = re.match(r"[A-Za-z]*", bare).group()
        return not following or first_word.lower() in _STARTERS or following[0] in '"“「'
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return not (is_initial and bare[:1].isupper())


def _is_chinese(character):
    return "\u3400" <= character <= "\u9fff"
