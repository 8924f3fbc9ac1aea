"""Folders that are whole or absent: written under another name, then moved.

A kill or a full disk at any moment leaves either the former content or the new one. Standard
library only.

A folder cannot be replaced in one step where the system has no exchange of names, so it is done
in two, each with a name of its own beside the folder `model`:

    .model.new      being written; locked as long as its writer lives
    .model.old      the former folder, between the two renames only
    .model.trash    the former folder, being deleted

Between `model -> .model.old` and `.model.new -> model` there is no `model`; a reader then finds the
former one through `find_directory`, and the next writer puts it back first. What a killed writer
leaves behind is removed by the next one.
"""

import contextlib
import fcntl
import os
import shutil


@contextlib.contextmanager
def atomic_directory(path, overwrite=False, marker=None):
    """Makes a folder that takes its name only when the `with` block ends without an error.

    Args:
        path: str or path-like, the folder to make; folders above it are made as needed.
        overwrite: bool, whether a folder that exists is replaced, as a whole. Default False.
        marker: str or None (default), a file that every folder of this kind holds. With
            `overwrite`, a folder that is neither empty nor holds it is refused: it is something
            else.

    Yields:
        str, the temporary folder to write into.

    Raises:
        FileExistsError: the folder exists and `overwrite` is False, or it is of another kind, or
            another process is writing it now.
        OSError: something cannot be written; a former folder stays as it was.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model")
        >>> with atomic_directory(path) as temporary:
        ...     _ = open(os.path.join(temporary, "config.json"), "w").write("{}")
        >>> os.listdir(path)
        ['config.json']
    """
    path = os.path.realpath(os.fspath(path))
    # Before any work: hours of it may precede the second look below.
    _check_free(find_directory(path), overwrite, marker)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new, old, trash = (_beside(path, kind) for kind in ("new", "old", "trash"))
    lock = _lock_directory(new, path)
    try:
        _remove(trash)
        if os.path.lexists(old):  # a writer was killed between its renames
            os.rename(old, trash if os.path.lexists(path) else path)
            _remove(trash)
        for name in os.listdir(new):
            _remove(os.path.join(new, name))
        yield new
        _sync(new)
        _check_free(path, overwrite, marker)
        if os.path.lexists(path):
            os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            if os.path.lexists(old):
                os.rename(old, path)
            raise
        _sync_one(os.path.dirname(path))
        if os.path.lexists(old):
            os.rename(old, trash)
            _remove(trash)
    finally:
        # After success there is nothing under this name.
        if _is_same(new, lock):
            _remove(new)
        os.close(lock)


def find_directory(path):
    """Returns the folder that holds the last whole content of `path`.

    That is `path` itself, or, where its writer was killed between the two renames, the former
    folder under its other name. Readers call this first; it changes nothing.

    Args:
        path: str or path-like.

    Returns:
        str, `path` where it exists or nothing else does.
    """
    path = os.fspath(path)
    old = _beside(os.path.realpath(path), "old")
    return old if not os.path.lexists(path) and os.path.isdir(old) else path


def _beside(path, kind):
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{kind}")


def _check_free(path, overwrite, marker):
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise FileExistsError(
            f"{path} exists already; choose another folder, or pass overwrite=True to replace it"
        )
    if not os.path.isdir(path):
        raise FileExistsError(f"{path} is a file, and a folder is to be written; choose another")
    names = os.listdir(path)
    if marker is not None and names and marker not in names:
        raise FileExistsError(
            f"{path} holds no {marker}, so it is something else than what is to be written, and "
            "is not replaced; choose another folder"
        )


def _lock_directory(new, path):
    """Makes the temporary folder and locks it; the lock goes with the process that holds it."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(new)
        try:
            lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # its writer has just moved it into place
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FileExistsError(f"another process is writing {path} at this moment") from None
        if _is_same(new, lock):
            return lock
        os.close(lock)


def _is_same(path, descriptor):
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _sync(directory):
    for folder, _, names in os.walk(directory):
        for name in names:
            _sync_one(os.path.join(folder, name))
        _sync_one(folder)


def _sync_one(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
