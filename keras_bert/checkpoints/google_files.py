"""The variables of a TensorFlow 1 checkpoint, found in a folder and read one at a time."""

import glob
import logging
import math
import os
import re
import tempfile

from keras_bert.checkpoints import google_names

CHECKPOINT = "bert_model.ckpt"

_logger = logging.getLogger(__name__)


class CheckpointFiles:
    """What a checkpoint holds, by canonical names (see `names.canonical`).

    Args:
        prefix: str, for instance `"folder/bert_model.ckpt"`, as `find_checkpoint` gives it.

    Attributes:
        path: str, the prefix, for messages.
        ignored: list of str, variables that are no weights of a model.

    Raises:
        FileNotFoundError: there are no data files beside the index.
        ValueError: a file is damaged, or a variable is none of a BERT's.
    """

    def __init__(self, prefix):
        self.path, self.ignored = prefix, []
        shapes = self._open()
        self._found = {}  # canonical name -> variable, shape, dtype
        for variable, shape in sorted(shapes.items()):
            name, dtype = google_names.canonical_name(variable), self._dtypes[variable]
            if google_names.is_state(variable):
                self.ignored.append(variable)
            elif name is None:
                raise ValueError(
                    f"{prefix} holds the variable {variable} of shape {tuple(shape)}, which "
                    "Google's BERT does not have; expected its encoder, heads, and slots of "
                    "optimizers. Other kinds of model (ALBERT, ELECTRA) are not read"
                )
            elif not dtype.is_floating:
                raise ValueError(
                    f"{prefix}: variable {variable} has the type {dtype.name}; expected floats"
                )
            else:
                self._found[name] = variable, tuple(shape), dtype.name

    def _open(self):
        """Opens the index and checks it against the data; returns variable -> shape."""
        import tensorflow as tf

        files = glob.glob(f"{glob.escape(self.path)}.data-*")
        if not files:
            raise FileNotFoundError(
                f"{self.path}.index has no data beside it; expected {self.path}.data-00000-of-00001"
            )
        try:
            self._reader = tf.train.load_checkpoint(self._literal(files))
            shapes = self._reader.get_variable_to_shape_map()
            self._dtypes = self._reader.get_variable_to_dtype_map()
        except Exception as error:  # each status of the reader comes as another class
            raise ValueError(
                f"{self.path}.index is no whole index of a checkpoint: {error}. Fetch it once more"
            ) from error
        # Before anything is read: where an index claims more, its word would be memory.
        needed = sum(
            math.prod(shape) * self._dtypes[variable].size
            for variable, shape in shapes.items()
            if self._dtypes[variable] != tf.string
        )
        size = sum(os.path.getsize(path) for path in files)
        if needed > size:
            raise ValueError(
                f"{self.path}.data-* hold {size:,} bytes, and the index names variables of "
                f"{needed:,}; are they cut short? Fetch them once more"
            )
        return shapes

    def _literal(self, files):
        """The prefix, or one that links to its files where TensorFlow would read a pattern."""
        if not re.search(r"[*?[\\]", self.path):
            return self.path
        self._links = tempfile.TemporaryDirectory()  # goes with this object
        prefix = os.path.join(self._links.name, CHECKPOINT)
        for path in (f"{self.path}.index", *files):
            os.symlink(os.path.abspath(path), prefix + path[len(self.path) :])
        return prefix

    def __iter__(self):
        return iter(self._found)

    def __contains__(self, name):
        return name in self._found

    def stored_name(self, name):
        """The variable's name in the file, or the one that a missing one would have there."""
        if name in self._found:
            return self._found[name][0]
        return google_names.variable_name(name) or name

    def shape(self, name):
        """The shape, tuple of int; a kernel's is (outputs, inputs), the reverse of the file's."""
        variable, shape, _ = self._found[name]
        return shape[::-1] if google_names.is_kernel(variable) else shape

    def dtype(self, name):
        """The type in the file, as NumPy names it."""
        return self._found[name][2]

    def read(self, name):
        """The values, a NumPy array; dense kernels are (outputs, inputs)."""
        variable = self._found[name][0]
        try:
            value = self._reader.get_tensor(variable)
        except Exception as error:  # as above
            raise ValueError(
                f"{self.path}: variable {variable} cannot be read: {error}. Fetch the files once "
                "more"
            ) from error
        return value.T if google_names.is_kernel(variable) else value


def is_prefix(given):
    """Whether a path is the prefix of a checkpoint, such as `folder/bert_model.ckpt`."""
    return not os.path.isdir(given) and os.path.isfile(f"{given}.index")


def find_checkpoint(folder, given):
    """Finds the checkpoint that is meant.

    Args:
        folder: str, where it lies.
        given: str, what the user named: the folder, a prefix in it, or a zip.

    Returns:
        str, its prefix: the one that was given; else `bert_model.ckpt` if it is there; else the
        one checkpoint of the folder, or of one name with several steps the newest.

    Raises:
        FileNotFoundError: there is none.
        ValueError: there are several, and their names do not tell which is meant.
    """
    if is_prefix(given):
        return given
    pattern = os.path.join(glob.escape(folder), "*.ckpt*.index")
    names = sorted(os.path.basename(path)[: -len(".index")] for path in glob.glob(pattern))
    if not names:
        raise FileNotFoundError(
            f"{folder} holds no {CHECKPOINT}.index and no other *.ckpt*.index; expected a "
            "TensorFlow checkpoint beside bert_config.json"
        )
    if CHECKPOINT in names:
        return os.path.join(folder, CHECKPOINT)
    steps = [re.fullmatch(r"(.+\.ckpt)-(\d+)", name) for name in names]
    if len(names) > 1 and (None in steps or len({step[1] for step in steps}) > 1):
        raise ValueError(
            f"{folder} holds several checkpoints: {', '.join(names)}; pass the one that is meant, "
            f"for instance {os.path.join(folder, names[-1])!r}"
        )
    if len(names) > 1:
        newest = max(steps, key=lambda step: int(step[2]))[0]
        _logger.info("%s: of %s the newest, %s, is read", folder, ", ".join(names), newest)
        return os.path.join(folder, newest)
    return os.path.join(folder, names[0])
