"""The description of a BERT model: sizes, rates and variants. Standard library only."""

import dataclasses
import json
import os

# Layers, hidden size and heads of Google's released models, as in Turc et al. 2019
# (https://arxiv.org/abs/1908.08962) and Devlin et al. 2018 (https://arxiv.org/abs/1810.04805).
NAMED_SIZES = {
    "tiny": {"num_layers": 2, "hidden_dim": 128, "num_heads": 2},
    "mini": {"num_layers": 4, "hidden_dim": 256, "num_heads": 4},
    "small": {"num_layers": 4, "hidden_dim": 512, "num_heads": 8},
    "medium": {"num_layers": 8, "hidden_dim": 512, "num_heads": 8},
    "base": {"num_layers": 12, "hidden_dim": 768, "num_heads": 12},
    "large": {"num_layers": 24, "hidden_dim": 1024, "num_heads": 16},
}

# Entries in the vocabularies of Google's released models.
VOCABULARY_SIZES = {
    "uncased": 30_522,
    "cased": 28_996,
    "chinese": 21_128,
    "multilingual_cased": 119_547,
}

ACTIVATIONS = ("gelu", "gelu_tanh", "relu", "silu", "tanh")

# Field -> the field whose value is its default.
_FOLLOWING = {
    "embedding_dim": "hidden_dim",
    "head_activation": "activation",
    "head_layer_norm_epsilon": "layer_norm_epsilon",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes, rates and variants of a BERT model; frozen and checked when made.

    Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805; `share_layers` and
    `embedding_dim` are ALBERT's, Lan et al. 2019, https://arxiv.org/abs/1909.11942; `pre_norm` is
    Xiong et al. 2020, https://arxiv.org/abs/2002.04745.

    Args:
        vocabulary_size: int, entries of the vocabulary. Default 30,522 (English, uncased).
        num_layers: int, encoder layers. Default 12.
        hidden_dim: int, size of a token's vector. Default 768.
        num_heads: int, attention heads; divides `hidden_dim`. Default 12.
        intermediate_dim: int, inner size of the feed-forward part. Default 4 x `hidden_dim`.
        num_segments: int, entries of the segment table. Default 2.
        max_sequence_length: int, entries of the position table. Default 512.
        activation: str, `"gelu"` (exact, erf), `"gelu_tanh"`, `"relu"`, `"silu"` or `"tanh"`.
        dropout: float in [0, 1), on embeddings and on each sublayer's output. Default 0.1.
        attention_dropout: float in [0, 1), on attention probabilities. Default 0.1.
        layer_norm_epsilon: float, default 1e-12.
        initializer_range: float, standard deviation of the truncated normal. Default 0.02.
        pre_norm: bool, normalize before each sublayer rather than after it. Default False.
        share_layers: bool, one set of weights for all encoder layers. Default False.
        embedding_dim: int, size of the embedding tables when smaller than `hidden_dim`
            (a projection follows). Default: `hidden_dim`, no projection.
        head_activation: str, of the masked-LM head. Default: `activation`. KerasHub's differs.
        head_layer_norm_epsilon: float, of the masked-LM head. Default: `layer_norm_epsilon`.

    Raises:
        ValueError: a value is out of range, or values contradict each other.

    Example:
        >>> config = BertConfig.named("tiny", vocabulary_size=8_000)
        >>> config.hidden_dim
        128
        >>> BertConfig.from_json(config.to_json()) == config
        True
    """

    vocabulary_size: int = VOCABULARY_SIZES["uncased"]
    num_layers: int = 12
    hidden_dim: int = 768
    num_heads: int = 12
    intermediate_dim: int | None = None
    num_segments: int = 2
    max_sequence_length: int = 512
    activation: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-12
    initializer_range: float = 0.02
    pre_norm: bool = False
    share_layers: bool = False
    embedding_dim: int | None = None
    head_activation: str | None = None
    head_layer_norm_epsilon: float | None = None

    def __post_init__(self):
        # Frozen: what follows from another field is filled in through object.
        if self.intermediate_dim is None and _is_int(self.hidden_dim):
            object.__setattr__(self, "intermediate_dim", 4 * self.hidden_dim)
        for name, source in _FOLLOWING.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(self, source))
        for name in (
            "vocabulary_size",
            "num_layers",
            "hidden_dim",
            "num_heads",
            "intermediate_dim",
            "num_segments",
            "max_sequence_length",
            "embedding_dim",
        ):
            value = getattr(self, name)
            if not _is_int(value) or value < 1:
                raise ValueError(f"BertConfig: {name} must be a positive int; received {value!r}")
        for name in ("dropout", "attention_dropout"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 <= value < 1.0:
                raise ValueError(
                    f"BertConfig: {name} must be at least 0 and less than 1; received {value!r}"
                )
        for name in ("layer_norm_epsilon", "head_layer_norm_epsilon", "initializer_range"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 < value < float("inf"):
                raise ValueError(
                    f"BertConfig: {name} must be a positive number; received {value!r}"
                )
        for name in ("pre_norm", "share_layers"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"BertConfig: {name} must be True or False; received {value!r}")
        for name in ("activation", "head_activation"):
            if getattr(self, name) not in ACTIVATIONS:
                raise ValueError(
                    f"BertConfig: {name} must be one of {', '.join(ACTIVATIONS)}; "
                    f"received {getattr(self, name)!r}"
                )
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                f"BertConfig: num_heads must divide hidden_dim; received num_heads="
                f"{self.num_heads} and hidden_dim={self.hidden_dim}, which leaves "
                f"{self.hidden_dim % self.num_heads}"
            )
        if self.embedding_dim > self.hidden_dim:
            raise ValueError(
                f"BertConfig: embedding_dim must be at most hidden_dim ({self.hidden_dim}); "
                f"received {self.embedding_dim}"
            )

    @classmethod
    def named(cls, name, **overrides):
        """Makes the configuration of one of Google's sizes.

        Args:
            name: str, `"tiny"`, `"mini"`, `"small"`, `"medium"`, `"base"` or `"large"`.
            **overrides: any field of `BertConfig`.

        Returns:
            A `BertConfig`.

        Raises:
            ValueError: the name is not known.
            TypeError: an override is not a field.

        Example:
            >>> BertConfig.named("small", vocabulary_size=8_000).num_layers
            4
        """
        if name not in NAMED_SIZES:
            raise ValueError(
                f"BertConfig.named: name must be one of {', '.join(NAMED_SIZES)}; received {name!r}"
            )
        return cls(**{**NAMED_SIZES[name], **overrides})

    @classmethod
    def from_dict(cls, values):
        """Makes a configuration from a dict of fields, as `to_dict` returns it.

        Raises:
            ValueError: a key is not known, or a value is out of range.

        Example:
            >>> BertConfig.from_dict({"hidden_dim": 128, "num_heads": 2}).intermediate_dim
            512
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"BertConfig: unknown keys {', '.join(unknown)}; known are "
                f"{', '.join(sorted(known))}"
            )
        return cls(**values)

    @classmethod
    def from_json(cls, text):
        """Makes a configuration from the text that `to_json` returns.

        Raises:
            ValueError: the text is no JSON object, or as `from_dict`.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"BertConfig.from_json: expected a JSON object; the text is no JSON: {error}"
            ) from error
        if not isinstance(values, dict):
            raise ValueError(
                f"BertConfig.from_json: expected a JSON object; received {type(values).__name__}"
            )
        return cls.from_dict(values)

    @classmethod
    def load(cls, path):
        """Reads a configuration from a JSON file of `BertConfig` fields.

        Args:
            path: str or path-like.

        Returns:
            A `BertConfig`.

        Raises:
            OSError: the file cannot be read.
            ValueError: as `from_json`; the message names the file.

        Example:
            >>> config = BertConfig.load("path/to/bert_config.json")
        """
        path = os.fspath(path)
        with open(path, encoding="utf-8") as file:
            try:
                return cls.from_json(file.read())
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error

    def to_dict(self):
        """Returns the fields as a dict of plain values."""
        return dataclasses.asdict(self)

    def to_json(self):
        """Returns the fields as a JSON object, keys in order of definition."""
        return json.dumps(self.to_dict(), indent=2)

    def replace(self, **changes):
        """Returns a copy with some fields changed, checked again.

        Fields that follow another (`intermediate_dim` is 4 x `hidden_dim`; those that are equal to
        the field which is their default) go on following it, unless they are among the changes.

        Example:
            >>> BertConfig(hidden_dim=128, num_heads=2).replace(hidden_dim=256).intermediate_dim
            1024
        """
        if self.intermediate_dim == 4 * self.hidden_dim:
            changes.setdefault("intermediate_dim", None)
        for name, source in _FOLLOWING.items():
            if getattr(self, name) == getattr(self, source):
                changes.setdefault(name, None)
        return dataclasses.replace(self, **changes)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
