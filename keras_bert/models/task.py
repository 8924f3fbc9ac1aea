"""What the models with heads share: the backbone below them, configuration and presets."""

import keras

from keras_bert.checkpoints.opening import open_source
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
