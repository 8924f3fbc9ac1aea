"""What a checkpoint of any kind offers, once it was opened."""

import dataclasses
from typing import Any

from keras_bert.config import BertConfig


@dataclasses.dataclass
class Source:
    """A checkpoint that was opened; see `open_source`.

    Attributes:
        kind: str, as `preset_kind` names it.
        folder: str, where it lies on this machine.
        config: `BertConfig`.
        config_path: str, the file that says so, for messages.
        tensors: its tensors: iterates over canonical names (`names.canonical`); has `in`, `path`,
            `shape(name)`, `dtype(name)`, `read(name)` (dense kernels are (outputs, inputs), as
            Hugging Face's) and `stored_name(name)`.
        values: dict, what its configuration says of heads, in Hugging Face's words
            (`architectures`, `id2label`, `problem_type`, `classifier_dropout`); may be empty.
        embedding: dict or None, how sentences are embedded: `pooling` (str), `normalize` (bool).
        ignored: list of str, stored tensors that are no weights of a model (optimizer slots).
    """

    kind: str
    folder: str
    config: BertConfig
    config_path: str
    tensors: Any
    values: dict = dataclasses.field(default_factory=dict)
    embedding: dict | None = None
    ignored: list = dataclasses.field(default_factory=list)

    def head_size(self, name):
        """Outputs of a head, int; 0 where the checkpoint lacks it.

        Args:
            name: str, the head's tensor of biases, for instance `"classifier.bias"`.
        """
        return self.tensors.shape(name)[0] if name in self.tensors else 0
