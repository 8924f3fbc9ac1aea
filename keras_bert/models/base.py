"""What every model here shares: configuration, presets, counting of real tokens, clear errors."""

import keras
from keras import ops

from keras_bert.config import BertConfig


class BertModel(keras.Model):
    """A functional Keras model with a `BertConfig`; the parent of the backbone and all tasks.

    Training and evaluation report `real_tokens`, the number of tokens that are not padding, among
    their logs (`kb.Throughput` turns it into tokens per second).
    """

    def __init__(self, inputs, outputs, config, dtype=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.config = config
        self._policy = keras.dtype_policies.get(dtype)
        self.real_tokens = keras.metrics.Sum(name="real_tokens")

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.real_tokens.update_state(ops.cast(x["padding_mask"], "float32"))
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def fit(self, *args, **kwargs):
        return self._naming_bad_ids(super().fit, *args, **kwargs)

    def evaluate(self, *args, **kwargs):
        return self._naming_bad_ids(super().evaluate, *args, **kwargs)

    def predict(self, *args, **kwargs):
        return self._naming_bad_ids(super().predict, *args, **kwargs)

    def _naming_bad_ids(self, method, *args, **kwargs):
        """Runs `method`; a lookup outside a table becomes an error that says what to do."""
        try:
            return method(*args, **kwargs)
        except Exception as error:  # TensorFlow's class is not imported on other backends
            if "is not in [0," not in str(error):
                raise
            start = str(error).index("is not in [0,")
            line = str(error)[str(error).rindex("\n", 0, start) + 1 :].split("\n")[0]
            raise ValueError(
                f"An id lies outside its embedding table ({line.strip()}). The model was built "
                f"with vocabulary_size={self.config.vocabulary_size} and max_sequence_length="
                f"{self.config.max_sequence_length}; use the tokenizer this model belongs to"
            ) from error


def backbone_inputs():
    """Returns the three inputs of the backbone, int32 `(batch, sequence)` each."""
    return {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("token_ids", "segment_ids", "padding_mask")
    }


def as_config(config):
    """Returns a `BertConfig` from one, or from the dict that `get_config` wrote."""
    if isinstance(config, BertConfig):
        return config
    if isinstance(config, dict):
        return BertConfig.from_dict(config)
    raise ValueError(
        f"Expected a BertConfig; received {type(config).__name__}. Use BertConfig(...) or "
        'BertConfig.named("base")'
    )


def as_backbone(backbone, backbone_class):
    """Returns a backbone from one, or from the object that `get_config` serialized."""
    if isinstance(backbone, dict):
        backbone = keras.saving.deserialize_keras_object(backbone)
    if not isinstance(backbone, backbone_class):
        raise ValueError(
            f"Expected a {backbone_class.__name__}; received {type(backbone).__name__}"
        )
    return backbone
