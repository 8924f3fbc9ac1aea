"""Jobs that go on with the head of the checkpoint that training starts from."""


def settings(source):
    """The checkpoint, as an argument of `build`."""
    return {"source": source}


def with_head(model, source):
    """Reads backbone and head of a new task model from an opened checkpoint.

    Args:
        model: task model; a head that the checkpoint lacks stays new, with a warning.
        source: `Source`, or None: all stays new.

    Returns:
        The model.
    """
    if source is not None:
        model.backbone.fill_from(source, model)
    return model
