"""The weights of a KerasHub preset, in one file or in shards, loaded by KerasHub itself."""

import contextlib
import os
import warnings

import numpy as np

from keras_bert.checkpoints.keras_hub_config import FIELDS, TASK_FILE
from keras_bert.preset_kind import read_json

_SINGLE = "model.weights.h5"
_INDEX = "model.weights.json"
_TASK = "task.weights.h5"


def load(folder, options, task, task_options):
    """Builds KerasHub's model from its numbers alone and fills it; no object is deserialized.

    Args:
        folder: str.
        options: dict, of the backbone, checked.
        task: str, one of `TASKS`, or None.
        task_options: dict, checked.

    Returns:
        `keras_hub.models.BertBackbone`, or a task on one where it has weights of its own; float32;
        and the path of the weights, str.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: they are damaged, or others than the configuration describes.
    """
    import keras
    import keras_hub

    path, files = _files(folder)
    fields = {name: options.get(name, default) for name, default in FIELDS.items()}
    _check_room(path, files, _parameters(fields))
    with keras.device("cpu"):  # it is read from only
        backbone = keras_hub.models.BertBackbone(**fields, dtype="float32")
        with _filling(backbone.weights, path):
            _check_layers(files, fields["num_layers"])
            backbone.load_weights(path)
        if task in (None, "BertTextEmbedder"):
            return backbone, path
        own = os.path.join(folder, _TASK)
        if not os.path.isfile(own):
            raise FileNotFoundError(f"{folder} holds {TASK_FILE} but no {_TASK}")
        if task == "BertMaskedLM":
            model = keras_hub.models.BertMaskedLM(backbone)
        else:
            size = task_options["num_classes"]
            _check_room(own, [own], size * (fields["hidden_dim"] + 1))
            model = keras_hub.models.BertTextClassifier(backbone, size)
        known = {id(weight) for weight in backbone.weights}
        with _filling([weight for weight in model.weights if id(weight) not in known], own):
            model.load_task_weights(own)
    return model, path


def _files(folder):
    """The weights or their index, and the files with the numbers."""
    single, index = os.path.join(folder, _SINGLE), os.path.join(folder, _INDEX)
    if os.path.isfile(single):
        return single, [single]
    if not os.path.isfile(index):
        raise FileNotFoundError(f"{folder} holds no {_SINGLE} and no {_INDEX}")
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ValueError(f'{index} is no index of shards; expected "weight_map" with files')
    listed = [each if isinstance(each, list) else [each] for each in places.values()]
    files = []
    for name in dict.fromkeys(str(name) for names in listed for name in names):
        if os.path.basename(name) != name or "\\" in name or name in ("", ".", ".."):
            raise ValueError(
                f"{index} names the file {name!r}; expected one of the same folder, and nothing "
                "outside it is read"
            )
        files.append(os.path.join(folder, name))
        if not os.path.isfile(files[-1]):
            raise FileNotFoundError(f"no such file: {files[-1]}, which {index} names")
    return index, files


def _parameters(fields):
    """The numbers of a backbone."""
    hidden, inner = fields["hidden_dim"], fields["intermediate_dim"]
    rows = fields["vocabulary_size"] + fields["max_sequence_length"] + fields["num_segments"]
    layer = 4 * hidden * (hidden + 1) + 2 * hidden * inner + inner + hidden + 4 * hidden
    return rows * hidden + 2 * hidden + fields["num_layers"] * layer + hidden * (hidden + 1)


def _check_room(path, files, numbers):
    """Refuses files that are too short before any memory is taken on a configuration's word."""
    size = sum(os.path.getsize(file) for file in files)
    if size < 2 * numbers:  # bytes of the smallest type that is read
        raise ValueError(
            f"{path}: {size:,} bytes are too few for {numbers:,} numbers, which the configuration "
            "beside it describes; is it cut short, or of another model?"
        )


def _check_layers(files, num_layers):
    """Refuses more encoder layers than the configuration says: Keras would leave them out."""
    import h5py

    layers = set()

    def note(name):
        layer, attention, _ = name.partition("/_self_attention_layer")
        if attention:
            layers.add(layer)

    for path in files:
        with h5py.File(path, "r") as file:
            file.visit(note)
    if len(layers) > num_layers:
        raise ValueError(f"it holds {len(layers)} encoder layers; expected {num_layers}")


@contextlib.contextmanager
def _filling(variables, path):
    """Sees to it that a file fills all of them: of some that it skips Keras only warns."""
    for variable in variables:
        variable.assign(np.full(variable.shape, np.nan, "float32"))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Skipping nested container")
            yield
        empty = [v.path for v in variables if np.isnan(np.asarray(v).flat[0])]
        if empty:
            raise ValueError(f"it lacks {', '.join(empty)}, or holds NaN there")
    except Exception as error:  # h5py and Keras raise one class or another
        raise ValueError(
            f"{path} is damaged, or of another model than the configuration beside it describes: "
            f"{error}"
        ) from error
