"""What a checkpoint says of its classifier: how many outputs, their names, what they mean."""

from keras_bert.checkpoints import config_file, names


def classifier_size(source, part="classifier"):
    """Outputs of a checkpoint's classifier.

    Args:
        source: `Source`.
        part: str, the head that the model has, as in `names.OWNERS`. Default `"classifier"`, a
            text classifier's.

    Returns:
        int; 0 where the checkpoint has none, or another class's.
    """
    return 0 if names.foreign_head(part, source.values) else source.head_size(_bias(part))


def classifier_labels(source, labels=None, part="classifier"):
    """Settles the classes of a classifier that is read from a checkpoint.

    Args:
        source: `Source`.
        labels: list of str, the classes' names; default those of the directory.
        part: as in `classifier_size`.

    Returns:
        List of str.

    Raises:
        ValueError: there are no names, or they do not fit the directory's classifier.
    """
    directory = source.folder
    size = classifier_size(source, part)
    if labels is None:
        if not size:
            other = ""
            if source.head_size(_bias(part)):
                foreign = names.foreign_head(part, source.values)
                other = f" of a {names.OWNERS[part]}, but one of a {foreign}"
            raise ValueError(
                f"{directory} has no classifier{other}; pass labels=[...] to start a new one on "
                "its backbone"
            )
        return config_file.labels_of(source) or [f"LABEL_{number}" for number in range(size)]
    if isinstance(labels, str) or not size:
        return labels  # the model says what is wrong with them
    labels, stored = list(labels), config_file.labels_of(source)
    if len(labels) != size:
        raise ValueError(
            f"{directory} has a classifier of {size} outputs ({stored}); received labels={labels}. "
            "To start a new one, read the backbone by BertBackbone.from_preset(...) and put the "
            "model on it"
        )
    if stored and labels != stored and set(labels) == set(stored):
        raise ValueError(
            f"{directory} has the classes {stored} in this order; received labels={labels}, which "
            "would exchange their meanings"
        )
    return labels


def classifier_problem_type(source, problem_type=None):
    """Settles what the outputs of a text classifier that is read from a checkpoint mean.

    Args:
        source: `Source`.
        problem_type: str, one of `config_file.PROBLEM_TYPES`; default what the checkpoint says.

    Returns:
        Str. Where nothing says it, `"regression"` for a classifier of one output, which is how
        Hugging Face trains it, else `"single_label"`.

    Raises:
        ValueError: the checkpoint says something else.
    """
    if problem_type is not None:
        return problem_type
    size = classifier_size(source)
    written = config_file.problem_type_of(source) if size else None
    return written or ("regression" if size == 1 else "single_label")


def _bias(part):
    return f"{names.DENSE_HEADS[part]}.bias"
