"""Questions, texts and answers from files in SQuAD's JSON: SQuAD, XQuAD, CMRC 2018, DRCD."""

import json
from typing import NamedTuple

from keras_bert.text.files import expand_files, open_binary


class Question(NamedTuple):
    """A question about a text.

    `id`: str. `text`: str. `context`: int, the number of its text. `answers`: list of str, the
    right ones as the file has them; none where there is no answer. `spans`: list of (start, end),
    characters of those answers whose place in the text holds them. `file`: str.
    """

    id: str
    text: str
    context: int
    answers: list
    spans: list
    file: str


class Questions(NamedTuple):
    """What files hold: `contexts`, list of str; `questions`, list of `Question`; `skipped`, int,
    answers whose place in the text holds something else; `answers`, int, all answers."""

    contexts: list
    questions: list
    skipped: int
    answers: int


def read_questions(path):
    """Reads files in SQuAD's format, version 1.1 or 2.0.

    Args:
        path: str or path-like, a glob, or a list of these; `.json`, also with `.gz`.

    Returns:
        `Questions`, in the order of the files. Questions of version 2.0 that are impossible, and
        those with no answers, have none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is no JSON of this format, or a text is empty; the message names the file
            and the text or question.
    """
    contexts, questions, skipped, count = [], [], 0, 0
    for file in expand_files(path):
        articles = _member(_parse(file), "data", list, file)
        for number, article in enumerate(articles, start=1):
            place = f"{file}, article {number}"
            for part, paragraph in enumerate(_member(article, "paragraphs", list, place), start=1):
                where = f"{place}, paragraph {part}"
                context = _member(paragraph, "context", str, where)
                rows = _member(paragraph, "qas", list, where)
                if not context.strip():
                    names = ", ".join(str(row.get("id")) for row in rows if isinstance(row, dict))
                    raise ValueError(
                        f"{where}: the context is empty, so the questions {names or '(none)'} have "
                        "no text to be answered from. Leave the paragraph out"
                    )
                for row in rows:
                    question, bad, answers = _question(row, context, len(contexts), file, where)
                    questions.append(question)
                    skipped, count = skipped + bad, count + answers
                contexts.append(context)
    if not questions:
        raise ValueError(f"{path}: no questions; expected SQuAD's JSON with data, paragraphs, qas")
    return Questions(contexts, questions, skipped, count)


def _parse(file):
    with open_binary(file) as stream:
        data = stream.read()
    try:
        return json.loads(data.decode("utf-8-sig"))
    except ValueError as error:  # not UTF-8, or not JSON
        raise ValueError(f"{file}: expected SQuAD's JSON; {error}") from error


def _question(row, context, number, file, where):
    """A `Question`, how many of its answers stand elsewhere, and how many it has."""
    name = _member(row, "id", (str, int), where)
    where = f"{file}, question {name}"
    text = _member(row, "question", str, where)
    answers = _member(row, "answers", list, where)
    if row.get("is_impossible", False):
        answers = []
    texts, spans = [], []
    for answer in answers:
        told = _member(answer, "text", str, where)
        start = _member(answer, "answer_start", int, where)
        texts.append(told)
        if start >= 0 and told.strip() and context[start : start + len(told)] == told:
            begin = start + len(told) - len(told.lstrip())
            spans.append((begin, begin + len(told.strip())))
    question = Question(str(name), text, number, texts, spans, file)
    return question, len(answers) - len(spans), len(answers)


def _member(values, name, kind, where):
    value = values.get(name) if isinstance(values, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        found = "a JSON object" if isinstance(values, dict) else type(values).__name__
        if isinstance(values, dict) and name in values:
            found = f"{name} of type {type(value).__name__}"
        elif isinstance(values, dict):
            found = f"an object with {', '.join(values) or 'nothing in it'}"
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise ValueError(
            f"{where}: expected {name!r} of type {' or '.join(k.__name__ for k in kinds)}, as in "
            f"SQuAD's JSON; received {found}"
        )
    return value
