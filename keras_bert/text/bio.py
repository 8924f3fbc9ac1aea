"""Tags of tokens and the spans they mean: B begins a span, I goes on with it, O is outside.

Standard library only.
"""

OUTSIDE = "O"
# Tagging schemes of other sets: BIOES, BILOU and BMES also tell a span's last token and spans of
# one token; IOB1 and broken files begin spans with I. Prefix -> what it does to a span.
_PREFIXES = {
    "B": "begin",
    "I": "go on",
    "M": "go on",
    "E": "end",
    "L": "end",
    "S": "single",
    "U": "single",
}
BEGINNING = ("begin", "single")


def split_tag(tag):
    """What a tag does, and to a span of which label.

    Args:
        tag: str.

    Returns:
        A pair: `"begin"`, `"go on"`, `"end"` or `"single"`, and the label; None twice for `O`.

    Raises:
        ValueError: it is no tag of a span.

    Example:
        >>> split_tag("B-PER"), split_tag("O")
        (('begin', 'PER'), (None, None))
    """
    if tag == OUTSIDE:
        return None, None
    prefix, dash, label = tag.partition("-")
    if not dash or not label or prefix not in _PREFIXES:
        raise ValueError(
            f"the tag {tag!r} marks no span; expected O, or B-LABEL for the first token of a span "
            "and I-LABEL for its others (BIOES, BILOU and BMES are read too)"
        )
    return _PREFIXES[prefix], label


def spans_of_tags(tags):
    """Reads the spans from the tags of a sentence.

    A span that begins with I or E (after O, or after a span of another label) is repaired: its
    first token counts as its beginning. This also reads IOB1, which has B between neighbours only.

    Args:
        tags: list of str.

    Returns:
        spans: list of (start, end, label), places of tokens, end exclusive, in order.
        repaired: int, spans that did not begin with B or S.

    Raises:
        ValueError: as `split_tag`.

    Example:
        >>> spans_of_tags(["B-PER", "I-PER", "O", "I-LOC"])
        ([(0, 2, 'PER'), (3, 4, 'LOC')], 1)
    """
    spans, repaired, is_open = [], 0, False
    for place, tag in enumerate(tags):
        action, label = split_tag(tag)
        if action is None:
            is_open = False
            continue
        if action not in BEGINNING and is_open and spans[-1][2] == label:
            spans[-1] = (spans[-1][0], place + 1, label)
        else:
            spans.append((place, place + 1, label))
            repaired += action not in BEGINNING
        is_open = action not in ("end", "single")
    return spans, repaired


def tags_of_spans(spans, count):
    """Writes spans as the BIO tags of a sentence: what `spans_of_tags` reads.

    Args:
        spans: list of (start, end, label) that do not overlap, places of tokens, end exclusive.
        count: int, tokens of the sentence.

    Returns:
        List of `count` str.

    Example:
        >>> tags_of_spans([(0, 2, "PER")], 3)
        ['B-PER', 'I-PER', 'O']
    """
    tags = [OUTSIDE] * count
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def bio_labels(names):
    """The classes of a token classifier for spans of these labels: O, then B and I of each.

    Args:
        names: iterable of str, labels of spans.

    Returns:
        List of str.

    Example:
        >>> bio_labels({"PER", "LOC"})
        ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']
    """
    return [OUTSIDE, *(f"{prefix}-{name}" for name in sorted(names) for prefix in "BI")]
