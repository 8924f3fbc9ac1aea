"""What a row is labelled with: one class, several labels, or numbers."""

import json
import math
import re

import numpy as np

from keras_bert.data.labelled_files import value_in
from keras_bert.data.tables import name_of


class OneClass:
    """A class a row, by name; `output` is the model's output that learns it."""

    output = "classification"
    columns = ("label",)

    @staticmethod
    def read(row, columns):
        """The label in the row's column, str."""
        label = str(value_in(row, _only(columns)))
        if not label:
            raise ValueError(f"no label in column {columns[0]!r}")
        return label

    @staticmethod
    def names(values, known, columns):
        """The classes where none are given: those that the source knows, or those found."""
        return known or _sorted(set(values))

    @staticmethod
    def numbers(values, names, places):
        """Class numbers, int32 `(rows,)`."""
        numbers = {label: number for number, label in enumerate(names)}
        if not any(map(_is_number, names)):  # names given to a file that holds numbers
            numbers.update({str(number): number for number in range(len(names))})
        return np.array(
            [_number(value, numbers, names, at) for value, at in zip(values, places, strict=True)],
            "int32",
        )


class SeveralLabels:
    """Any labels a row: in one column, a list or str with `|` between; or a 0/1 column each."""

    output = "classification"
    columns = ("labels", "label")

    @staticmethod
    def read(row, columns):
        """The labels that are right, list of str; it may be empty."""
        if len(columns) > 1:
            return [name for name in columns if _is_on(row, name)]
        value = row.get(columns[0])
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise ValueError(f"column {columns[0]!r} is no JSON list: {error}") from None
        if isinstance(value, (list, tuple)):
            if not all(isinstance(label, (str, int)) for label in value):
                raise ValueError(f"expected a list of str in column {columns[0]!r}; got {value!r}")
            labels = [str(label) for label in value]
        elif isinstance(value, (dict, type(None))):
            raise ValueError(f"no value in column {columns[0]!r}")
        else:
            labels = [part.strip() for part in str(value).split("|")] if str(value).strip() else []
        if not all(labels):
            raise ValueError(f"an empty label in column {columns[0]!r}: {value!r}")
        return labels

    @staticmethod
    def names(values, known, columns):
        """The labels where none are given: the columns, or those that the source knows or found."""
        if len(columns) > 1:
            return list(columns)
        return known or _sorted({label for labels in values for label in labels})

    @staticmethod
    def numbers(values, names, places):
        """1 where a label is right, else 0: float32 `(rows, labels)`."""
        numbers = {label: number for number, label in enumerate(names)}
        right = np.zeros((len(values), len(names)), "float32")
        for row, (labels, at) in enumerate(zip(values, places, strict=True)):
            for label in labels:
                right[row, _number(label, numbers, names, at)] = 1
        return right


class Numbers:
    """A number a row, or several, a column each."""

    output = "regression"
    columns = ("score", "label")

    @staticmethod
    def read(row, columns):
        """The numbers, list of float."""
        return [_float(value_in(row, name), name) for name in columns]

    @staticmethod
    def names(values, known, columns):
        """The columns."""
        return list(columns)

    @staticmethod
    def numbers(values, names, places):
        """float32 `(rows, numbers)`."""
        numbers = np.array(values, "float32")
        if numbers.shape[1] != len(names):
            raise ValueError(
                f"expected {len(names)} numbers a row, for labels={names}; received "
                f"{numbers.shape[1]}. Name the columns by label_column=[...]"
            )
        return numbers


TARGETS = {"single_label": OneClass, "multi_label": SeveralLabels, "regression": Numbers}


def given_names(labels):
    """Checks the names of classes that were given; list of str."""
    if isinstance(labels, str):
        raise ValueError(f"labels: expected a list of str; received {labels!r}")
    labels = [str(label) for label in labels]
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels: expected different names; received {labels}")
    return labels


def _only(columns):
    if len(columns) != 1:
        raise ValueError(f"one class has one column; received label_column={list(columns)}")
    return columns[0]


def _sorted(names):
    return sorted(names, key=int if all(map(_is_number, names)) else None)


def _is_number(label):
    return re.fullmatch(r"-?[0-9]+", label) is not None


def _number(label, numbers, names, place):
    if label not in numbers:
        few = f"{names}" if len(names) <= 20 else f"{names[:20]} and {len(names) - 20} more"
        raise ValueError(f"{name_of(place)}: the label {label!r} is not among labels={few}")
    return numbers[label]


def _is_on(row, name):
    value = value_in(row, name)
    if _float(value, name) not in (0, 1):
        raise ValueError(f"expected 0 or 1 in column {name!r}; received {value!r}")
    return _float(value, name) == 1


def _float(value, name):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number in column {name!r}; received {value!r}")
    return number
