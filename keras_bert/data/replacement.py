"""Tokens replaced by what a masked language model would put in their place."""

import threading

import numpy as np
import tensorflow as tf

_OF_BACKBONE = ("token_ids", "segment_ids", "padding_mask")
_INPUTS = (*_OF_BACKBONE, "mask_positions")


class Replacement:
    """Masks a share of tokens and draws others for them from a masked language model.

    All chosen tokens of a row are masked at once, and each is drawn by itself, from the model's
    probabilities of ordinary tokens (neither special, nor `[unusedN]`, nor a mark): so the model's
    own token comes up as often as it is likely, and a little less than `rate` of them changes.

    Args:
        masked_lm: `BertMaskedLM`, or another model with its inputs and outputs.
        tokenizer: the `BertTokenizer` of its ids.
        rate: float in (0, 1), the share of tokens that is masked.

    Call arguments:
        inputs: dict of int32 `(..., sequence)`, `token_ids`, `segment_ids`, `padding_mask`.
        is_ordinary: bool of the same shape, the tokens that may be chosen.
        seed: int `(2,)`.

    Returns:
        int32 of the same shape, the new `token_ids`.

    Raises:
        ValueError: the model has no such output, or another vocabulary.
    """

    def __init__(self, masked_lm, tokenizer, rate):
        outputs = getattr(masked_lm, "output", None)
        if not isinstance(outputs, dict) or "masked_lm" not in outputs:
            raise ValueError(
                "augmented: masked_lm must be a BertMaskedLM; received "
                f"{type(masked_lm).__name__}. Read one by kb.BertMaskedLM.from_preset(directory)"
            )
        if masked_lm.config.vocabulary_size != tokenizer.vocabulary_size:
            raise ValueError(
                f"augmented: the masked LM has {masked_lm.config.vocabulary_size} tokens and the "
                f"tokenizer {tokenizer.vocabulary_size}; expected a model of the same vocabulary"
            )
        self._model, self._rate, self._mask_id = masked_lm, rate, tokenizer.mask_id
        self._forbidden = np.full(tokenizer.vocabulary_size, -np.inf, "float32")
        self._forbidden[tokenizer.ordinary_ids] = 0.0
        self._lock = threading.Lock()

    def __call__(self, inputs, is_ordinary, seed):
        seeds = tf.random.experimental.stateless_split(seed)
        ids = inputs["token_ids"]
        rows = {name: tf.reshape(inputs[name], [-1, tf.shape(ids)[-1]]) for name in _OF_BACKBONE}
        is_ordinary = tf.reshape(is_ordinary, tf.shape(rows["token_ids"]))
        draws = tf.random.stateless_uniform(tf.shape(is_ordinary), seeds[0])
        chosen = is_ordinary & (draws < self._rate)
        # The places of the chosen ones, in order; unused slots are 0, [CLS]'s.
        order = tf.argsort(tf.cast(~chosen, tf.int32), axis=1, stable=True)
        counts = tf.reduce_sum(tf.cast(chosen, tf.int32), axis=1)
        is_used = tf.sequence_mask(counts, tf.maximum(1, tf.reduce_max(counts)))
        places = tf.where(is_used, order[:, : tf.shape(is_used)[1]], 0)
        masked = {
            **rows,
            "token_ids": tf.where(chosen, self._mask_id, rows["token_ids"]),
            "mask_positions": places,
        }
        # Not in the graph of the data, which runs on the CPU: the model's weights may be elsewhere.
        drawn = tf.numpy_function(
            self._draw, [*masked.values(), seeds[1]], tf.int32, stateful=False
        )
        drawn = tf.reshape(drawn, tf.shape(places))
        spots = tf.where(is_used)  # (number, 2): row, slot
        targets = tf.stack([spots[:, 0], tf.cast(tf.boolean_mask(places, is_used), tf.int64)], 1)
        new = tf.tensor_scatter_nd_update(
            rows["token_ids"], targets, tf.boolean_mask(drawn, is_used)
        )
        return tf.reshape(new, tf.shape(ids))

    def _draw(self, *values):
        *inputs, seed = values
        places = inputs[-1]
        with self._lock:  # batches are made by several threads
            outputs = self._model.predict_on_batch(dict(zip(_INPUTS, inputs, strict=True)))
        is_used = places > 0
        logits = np.asarray(outputs["masked_lm"])[is_used] + self._forbidden
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype="float64")
        sums = np.cumsum(weights, axis=-1)
        generator = np.random.default_rng([int(part) & 0xFFFFFFFF for part in seed])
        # In (0, total]: the first sum that reaches it is of a token with a probability above 0.
        points = (1 - generator.random((len(sums), 1))) * sums[:, -1:]
        drawn = np.zeros(places.shape, "int32")
        drawn[is_used] = (sums < points).sum(axis=-1)
        return drawn
