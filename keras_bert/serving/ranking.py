"""Texts in the order in which a classifier of pairs finds them to belong to a question."""


def rank(predict, question, texts, label, top_k=5):
    """Scores a question with each text and returns the best ones.

    Every pair is read by the model, which is more exact than comparing embeddings, and slower: of
    many thousand texts, let `kb.SemanticIndex` find some hundred first.

    Args:
        predict: `kb.Predictor` of an exported classifier of pairs with two classes, or a function
            of a list of (str, str) that answers as it does.
        question: str, the first text of each pair.
        texts: list of str, the second texts, such as facts.
        label: str, the class that says that they belong together.
        top_k: int, how many are returned at most. Default 5.

    Returns:
        List of dicts, best first: `text` (str), `score` (float, the probability of `label`),
        `place` (int, of the text in `texts`). Equal ones are in the order of `texts`.

    Raises:
        ValueError: there are no texts; the classifier has more than two classes.

    Example:
        >>> def predict(pairs):
        ...     return [{"label": "yes" if a[0] == b[0] else "no", "score": 0.9} for a, b in pairs]
        >>> [found["text"] for found in rank(predict, "b?", ["axe", "bee"], "yes", top_k=1)]
        ['bee']
    """
    if isinstance(texts, str) or not len(texts):
        raise ValueError(f"texts: expected a list of one or more str; received {texts!r}")
    answers = predict([(question, text) for text in texts])
    others = sorted({answer["label"] for answer in answers} - {label})
    if len(others) > 1 or any(answer["score"] < 0.499 for answer in answers):
        raise ValueError(
            f"expected a classifier of two classes, {label!r} and another; received one that "
            f"answers {', '.join(map(repr, others))} too, or with less than one half"
        )
    scores = [
        answer["score"] if answer["label"] == label else 1.0 - answer["score"] for answer in answers
    ]
    order = sorted(range(len(texts)), key=lambda place: -scores[place])[:top_k]
    return [{"text": texts[i], "score": scores[i], "place": i} for i in order]
