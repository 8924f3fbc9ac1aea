"""Which options a job's function takes, where it hands them on to another one."""

import inspect


def options_of(function):
    """Makes of a function's `**options` those of the function that it hands them on to.

    So the command line knows which flags a job has a use for before it begins, and help and
    completion show them.

    Args:
        function: what takes the options.

    Returns:
        A decorator.

    Example:
        >>> def read(path, shuffle=True, header=None): ...
        >>> @options_of(read)
        ... def read_shuffled(path, **options):
        ...     return read(path, shuffle=True, **options)
        >>> str(inspect.signature(read_shuffled))
        '(path, *, shuffle=True, header=None)'
    """

    def decorate(job_function):
        own = inspect.signature(job_function).parameters.values()
        own = {part.name: part for part in own if part.kind is not inspect.Parameter.VAR_KEYWORD}
        more = [
            part.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for part in inspect.signature(function).parameters.values()
            if part.name not in own and part.name not in ("self", "preprocess", "path")
        ]
        job_function.__signature__ = inspect.Signature([*own.values(), *more])
        return job_function

    return decorate
