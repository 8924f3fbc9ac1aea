"""Rows of named columns from TensorFlow Datasets."""

import re

TFDS = "tfds://"
_SPLITS = ("train", "validation", "test")


def read(name):
    """Reads a split of a set, which is downloaded where it is not there.

    Args:
        name: str, `"tfds://name"`, `"tfds://name/config"`, either with `/split` at its end; the
            split is `train` where none is named.

    Returns:
        As `read_table`. Numbers of classes are given by their names.

    Raises:
        ValueError: there is no such set.
    """
    import tensorflow_datasets as tfds

    builder, split = _builder(tfds, name)
    builder.download_and_prepare()
    features = builder.info.features
    found = {column: _class_names(feature) for column, feature in features.items()}
    class_names = {column: names for column, names in found.items() if names is not None}
    return _rows(name, tfds.as_numpy(builder.as_dataset(split=split)), class_names), class_names


def _class_names(feature):
    names = getattr(feature, "names", None) or getattr(
        getattr(feature, "feature", None), "names", None
    )
    return names and list(names)


def _rows(name, examples, class_names):
    for number, example in enumerate(examples, start=1):
        try:
            row = {
                column: _named(_plain(value), class_names[column])
                if column in class_names
                else _plain(value)
                for column, value in example.items()
            }
        except ValueError as error:
            row = error
        yield (name, number), row


def _plain(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _named(value, names):
    if isinstance(value, list):
        return [_named(part, names) for part in value]
    if not 0 <= value < len(names):
        raise ValueError(f"no label ({value}); the test splits of some sets have none")
    return names[value]


def _builder(tfds, name):
    whole = name.removeprefix(TFDS)
    head, _, tail = whole.rpartition("/")
    split = re.match(r"\w*", tail)[0]
    if head:
        try:
            builder = tfds.builder(head)
        except tfds.core.registered.DatasetNotFoundError:
            builder = None
        if builder is not None and (split in _SPLITS or split in builder.info.splits):
            return builder, tail
    try:
        return tfds.builder(whole), "train"
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(f"{name}: TensorFlow Datasets knows no such set: {error}") from error
