"""What the models with heads share: the backbone below them, configuration and presets."""

import keras

from keras_bert.checkpoints.opening import open_source
from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.backbone import BertBackbone
from keras_bert.models.base import BertModel


class TaskModel(BertModel):
    """A functional model of a backbone and heads on it; the parent of all tasks."""

    def __init__(self, inputs, outputs, backbone, **kwargs):
        super().__init__(inputs, outputs, config=backbone.config, **kwargs)
        self.backbone = backbone

    def get_config(self):
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "name": self.name,
            "trainable": self.trainable,
        }

    def own_values(self):
        """What `config.json` says of this model that Hugging Face's has no key for: a dict of plain
        values, which `arguments_from` finds in a source's `values`."""
        return {}

    @classmethod
    def from_preset(cls, directory, dtype=None, recompute=False):
        """Reads a checkpoint with the heads of this model.

        Args:
            directory, dtype, recompute: as in `BertBackbone.from_preset`.

        Returns:
            A model of this class. A head that the checkpoint lacks starts anew, with a warning.

        Raises:
            FileNotFoundError, ValueError: as `BertBackbone.from_preset`.

        Example:
            >>> model = BertMaskedLM.from_preset("path/to/model_dir")
            >>> pretrainer = BertPretrainer.from_preset("path/to/model_dir")
        """
        return cls.from_source(open_source(directory), dtype, recompute)

    @classmethod
    def from_source(cls, source, dtype=None, recompute=False, **arguments):
        """Reads an opened checkpoint: `from_preset` for who has looked at it before.

        Args:
            source: `Source`.
            dtype, recompute: as in `BertBackbone`.
            **arguments: of this class, where they are not as the checkpoint says.
        """
        model = cls(
            BertBackbone.empty(source.config, dtype, recompute),
            **cls.arguments_from(source, **arguments),
        )
        model.backbone.fill_from(source, model)
        return model

    @classmethod
    def arguments_from(cls, source, **given):
        """This class's arguments beside the backbone: those given, the others as a checkpoint says.

        Returns:
            Dict, by name.
        """
        return given


def dense_head(backbone, units, name):
    """Makes a head that is one dense layer: float32 logits, initialized as the backbone is."""
    return keras.layers.Dense(
        units,
        kernel_initializer=kernel_initializer(backbone.config.initializer_range),
        dtype="float32",
        name=name,
    )


def dropout_rate(backbone, rate):
    """The rate before a head: the one given, or for None the backbone's."""
    return backbone.config.dropout if rate is None else rate


def checked_labels(task, labels, least):
    """Returns the names of a head's outputs as a list; ValueError where they are none.

    Args:
        task: str, the model's class, for messages.
        labels: list of str.
        least: int, how many there must be.
    """
    if isinstance(labels, str):
        raise ValueError(f"{task}: labels must be a list of str; received {labels!r}")
    labels = list(labels)
    if not all(isinstance(label, str) for label in labels):
        raise ValueError(
            f"{task}: labels must be str; received {labels}. Write numbers as str, "
            'for instance ["0", "1"]'
        )
    if len(labels) < least or len(set(labels)) != len(labels):
        number = {1: "one", 2: "two"}[least]
        raise ValueError(
            f"{task}: labels must be {number} or more different names; received {labels}"
        )
    return labels


def as_backbone(backbone):
    """Returns a `BertBackbone` from one, or from the object that `get_config` serialized."""
    if isinstance(backbone, dict):
        backbone = keras.saving.deserialize_keras_object(backbone)
    if not isinstance(backbone, BertBackbone):
        raise ValueError(
            f"Expected a BertBackbone; received {type(backbone).__name__}. Make one by "
            "BertBackbone(config), or read a trained one by BertBackbone.from_preset(directory)"
        )
    return backbone
