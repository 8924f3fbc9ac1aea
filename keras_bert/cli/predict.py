"""Prints one JSON answer a text. Texts come from --text, from --input or from standard input,
one a line. With tabs between them, a line may hold two texts (--pairs, also a question and its
text), a text and its choices (--choices), or a text and the first character of its predicate and
the one behind its last (--predicates)."""

import json
import sys

from absl import flags

REQUIRED = ["model"]


def define(values):
    """Declares the flags."""
    flags.DEFINE_string("model", None, "the SavedModel that export wrote", flag_values=values)
    flags.DEFINE_multi_string("text", [], "a text; may be repeated", flag_values=values)
    flags.DEFINE_string("input", None, "a file with one text a line", flag_values=values)
    flags.DEFINE_bool("pairs", False, "a tab parts two texts of a pair", flag_values=values)
    flags.DEFINE_bool(
        "predicates", False, "tabs part text, start and end of its predicate", flag_values=values
    )
    flags.DEFINE_bool(
        "choices", False, "tabs part a text and its choices, two or more", flag_values=values
    )
    flags.DEFINE_integer("batch_size", 32, "texts at once", lower_bound=1, flag_values=values)


def main(values):
    """Answers the texts in their order."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    import tqdm

    import keras_bert as kb

    texts = list(values.text)
    if values.input:
        with open(values.input, encoding="utf-8", errors="replace", newline="\n") as file:
            texts += file.read().removesuffix("\n").split("\n")
    elif not texts:
        texts = sys.stdin.read().removesuffix("\n").split("\n")
    ways = [way for flag, way in _WAYS.items() if values[flag].value]
    if len(ways) > 1:
        raise ValueError(f"expected one of {', '.join(f'--{flag}' for flag in _WAYS)}")
    items = [ways[0](text, place) for place, text in enumerate(texts, 1)] if ways else texts
    predictor = kb.Predictor(values.model)
    # Answers appear as they are found; a portion is large enough to be sorted by length inside.
    portion = 32 * values.batch_size
    with tqdm.tqdm(total=len(items), unit="text", leave=False, disable=None) as bar:
        for start in range(0, len(items), portion):
            part = items[start : start + portion]
            for answer in predictor(part, batch_size=values.batch_size):
                print(json.dumps(answer, ensure_ascii=False))
            bar.update(len(part))


def _pair(text, place):
    parts = text.split("\t")
    if len(parts) != 2:
        raise ValueError(
            f"text {place}: expected two texts with one tab between them; received "
            f"{len(parts)} part(s)"
        )
    return tuple(parts)


def _with_predicate(text, place):
    try:
        text, start, end = text.rsplit("\t", 2)
        return text, int(start), int(end)
    except ValueError:
        raise ValueError(
            f"text {place}: expected a text, the start and the end of its predicate with tabs "
            f"between them; received {text!r}"
        ) from None


def _with_choices(text, place):
    first, *choices = text.split("\t")
    if len(choices) < 2:
        raise ValueError(
            f"text {place}: expected a text and two or more choices with tabs between them; "
            f"received {1 + len(choices)} part(s)"
        )
    return first, choices


# Flag -> what makes an item of a line.
_WAYS = {"pairs": _pair, "choices": _with_choices, "predicates": _with_predicate}
