"""Zips of checkpoints, unpacked into a temporary folder of this process. Standard library only."""

import atexit
import errno
import functools
import os
import shutil
import stat
import tempfile
import zipfile
import zlib

# What a checkpoint is read from; the graph of a TF1 checkpoint (.meta) is not.
_READ = (".json", ".txt", ".index", ".safetensors", ".h5")


def unpacked(path):
    """Unpacks a zip once a process; the folder goes with the process.

    Args:
        path: str or path-like.

    Returns:
        str, the folder of the files: where the zip holds one folder only, that one.

    Raises:
        ValueError: it is no zip or a damaged one, it holds a link or a name outside its folder,
            a file compressed otherwise than by deflate, or more than the disk has room for.
        OSError: it cannot be read or unpacked.
    """
    path = os.path.realpath(os.fspath(path))
    status = os.stat(path)
    return _unpacked(path, status.st_mtime_ns, status.st_size)


@functools.cache
def _unpacked(path, _changed, _size):
    folder = tempfile.mkdtemp(prefix="keras_bert_")
    try:
        _extract(path, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(_remove, folder, os.getpid())
    names = os.listdir(folder)
    inner = os.path.join(folder, names[0]) if len(names) == 1 else folder
    return inner if os.path.isdir(inner) else folder


def _remove(folder, process):
    if os.getpid() == process:  # a child that was forked leaves it to its parent
        shutil.rmtree(folder, ignore_errors=True)


def _extract(path, folder):
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                _check_member(path, member)
            members = [member for member in members if _is_read(member.filename)]
            names = [member.filename for member in members]
            if len(set(names)) != len(names):
                raise zipfile.BadZipFile("it holds two files of one name")
            _check_room(path, members, folder)
            for member in members:
                # Reads no more than the zip says there is, and compares a checksum.
                written = os.path.getsize(archive.extract(member, folder))
                if written != member.file_size:
                    raise zipfile.BadZipFile(
                        f"{member.filename} has {written:,} bytes, not {member.file_size:,}"
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} is no whole zip: {error}. Fetch it once more") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # that is a place before the file's beginning
            raise
        raise ValueError(f"{path} is no whole zip: it is cut short. Fetch it once more") from error


def _check_member(path, member):
    name = member.filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise ValueError(
            f"{path} holds the name {name!r}, which lies outside its folder; nothing was unpacked"
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"{path} holds the link {name!r}; expected files only")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"{path}: {name!r} is compressed by method {member.compress_type}; expected deflate, "
            "or none. Unpack it yourself and pass the folder"
        )


def _check_room(path, members, folder):
    needed, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if needed > free:
        raise ValueError(
            f"{path} unpacks to {needed:,} bytes, and {folder} has room for {free:,}; set TMPDIR "
            "to a larger disk"
        )


def _is_read(name):
    if name.startswith("__MACOSX/"):  # what a Mac puts beside each file, under the file's name
        return False
    return name.endswith(_READ) or ".data-" in os.path.basename(name)
