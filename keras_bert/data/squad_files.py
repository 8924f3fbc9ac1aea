"""Questions, texts and answers: SQuAD's JSON (also XQuAD, CMRC 2018, DRCD), or rows of columns."""

import json
import os
from typing import NamedTuple

from keras_bert.data.tables import Tuples, is_in_memory, name_of, read_table, source_of
from keras_bert.data.tfds_table import TFDS
from keras_bert.text.files import expand_files, read_text

_TUPLES = Tuples(
    lambda row: ["question", "context", "answers"] if len(row) == 3 else None,
    "(question, context, answers)",
)


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
    """Reads files in SQuAD's format, version 1.1 or 2.0, or rows with a question each.

    Args:
        path: str or path-like, a glob, or a list of these; `.json` is SQuAD's, also with `.gz`.
            `.jsonl`, `"tfds://name"`, a DataFrame and lists in memory have rows with `question`,
            `context` and `answers`: a list of objects with `text` and `answer_start`, or an object
            of two such lists, as TensorFlow Datasets has it; perhaps `id` and `is_impossible`.
            Tuples are (question, context, answers).

    Returns:
        `Questions`, in the order of the files. Questions of version 2.0 that are impossible, and
        those with no answers, have none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is no JSON of this format, or a text is empty; the message names the file
            and the text or question.
    """
    rows = _rows_of_table(path) if _has_columns(path) else _rows_of_squad(path)
    numbers, questions, skipped, count = {}, [], 0, 0
    for key, context, row, file, where in rows:
        question, bad, answers = _question(
            row, context, numbers.setdefault((key, context), len(numbers)), file, where
        )
        questions.append(question)
        skipped, count = skipped + bad, count + answers
    if not questions:
        raise ValueError(
            f"{source_of(path)}: no questions; expected SQuAD's JSON with data, paragraphs, qas"
        )
    return Questions([context for _, context in numbers], questions, skipped, count)


def _has_columns(path):
    """Whether rows of named columns are meant."""
    if is_in_memory(path):
        return True
    if isinstance(path, (list, tuple)):
        return bool(path) and all(map(_has_columns, path))
    name = os.fspath(path)
    return name.startswith(TFDS) or name.removesuffix(".gz").endswith(".jsonl")


def _rows_of_squad(path):
    """Yields (number of the text, text, question, file, where it stands)."""
    number = 0
    for file in expand_files(path):
        articles = _member(_parse(file), "data", list, file)
        for article_number, article in enumerate(articles, start=1):
            place = f"{file}, article {article_number}"
            for part, paragraph in enumerate(_member(article, "paragraphs", list, place), start=1):
                where = f"{place}, paragraph {part}"
                context = _member(paragraph, "context", str, where)
                rows = _member(paragraph, "qas", list, where)
                names = [str(row.get("id")) for row in rows if isinstance(row, dict)]
                _check_context(context, names, where)
                number += 1
                for row in rows:
                    yield number, context, row, file, where


def _rows_of_table(path):
    """As `_rows_of_squad`; equal texts are one."""
    for place, row in read_table(path, tuples=_TUPLES)[0]:
        where = name_of(place)
        if isinstance(row, ValueError):
            raise ValueError(f"{where}: {row}") from None
        context = _member(row, "context", str, where)
        row = {**row, "id": row["id"] if isinstance(row.get("id"), (str, int)) else place[1]}
        _check_context(context, [str(row["id"])], where)
        answers = row.get("answers")
        if isinstance(answers, dict):
            texts = _member(answers, "text", list, where)
            starts = _member(answers, "answer_start", list, where)
            if len(texts) != len(starts):
                raise ValueError(f"{where}: {len(texts)} answers, but {len(starts)} answer_start")
            pairs = zip(texts, starts, strict=True)
            row["answers"] = [{"text": text, "answer_start": start} for text, start in pairs]
        yield 0, context, row, place[0], where


def _check_context(context, names, where):
    if not context.strip():
        raise ValueError(
            f"{where}: the context is empty, so the questions {', '.join(names) or '(none)'} have "
            "no text to be answered from. Leave the paragraph out"
        )


def _parse(file):
    try:
        return json.loads(read_text(file))
    except json.JSONDecodeError as error:
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
