"""Texts of a call, checked, and put together by length."""


def checked_texts(texts):
    """Returns texts as a list; TypeError where one is no str."""
    texts = list(texts)
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts: expected str only; received {text!r} at place {place}")
    return texts


def batches_by_length(texts, batch_size):
    """The places of the texts of each batch, a list of lists of int, short texts first.

    Raises:
        ValueError: `batch_size` is no positive int.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive int; received {batch_size!r}")
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
