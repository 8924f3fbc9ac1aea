"""Texts that differ each epoch: tokens replaced, masked or left out at random."""

import numpy as np
import tensorflow as tf

from keras_bert.data.replacement import Replacement

# Labels of whole rows: they stay right where tokens are gone.
_OF_ROWS = {"classification", "regression"}


def augmented(
    dataset, tokenizer, mask_rate=0.0, drop_rate=0.0, seed=0, replace_rate=0.0, masked_lm=None
):
    """Replaces or masks tokens of a training set's texts, or leaves them out, anew each epoch.

    Each token that is not special (nor a mark, such as of an entity) is drawn by itself, by (seed,
    epoch, batch): the same arguments give the same rows in any process. Replacing comes first, then
    masking and leaving out; a row of which tokens are left out has fewer real tokens, and as many
    columns. Labels stay as they are.

    Source: Wei and Zou 2019, https://arxiv.org/abs/1901.11196 (deletion); Iyyer et al. 2015,
    https://aclanthology.org/P15-1162 (word dropout); Kobayashi 2018,
    https://arxiv.org/abs/1805.06201, and Wu et al. 2019, https://arxiv.org/abs/1812.06705, of which
    this is the unconditional form: replacement by a language model's draws, which keep the
    grammar, but not always what a label is about.

    Args:
        dataset: `tf.data.Dataset` of `(inputs, labels, sample_weights)`, as `kb.data` makes it,
            with `token_ids` `(batch, sequence)`.
        tokenizer: the `BertTokenizer` of its ids.
        mask_rate: float in [0, 1), the share that becomes [MASK]. Default 0.0.
        drop_rate: float in [0, 1), the share that is left out; for labels of whole rows only.
            Default 0.0.
        seed: int, default 0.
        replace_rate: float in [0, 1), the share that is masked and replaced by draws from
            `masked_lm`, which come out as the same token too. 0.1 to 0.3 are usual. Default 0.0.
        masked_lm: `BertMaskedLM` of the tokenizer's vocabulary, whose weights stay as they are. It
            runs for each batch: about as long as a step of training without its backward pass.

    Returns:
        `tf.data.Dataset` of the same elements, attributes and length, with the method
        `set_epoch(epoch)`: which epoch, from 0, comes next.

    Raises:
        ValueError: a rate out of range, or tokens to be left out whose places have labels; a
            `masked_lm` that is none or of another vocabulary, or one without the other.

    Example:
        >>> train = kb.data.classification("train.tsv", preprocess)
        >>> train = augmented(train, tokenizer, mask_rate=0.1)
        >>> model.fit(train, epochs=3)
    """
    rates = {"mask_rate": mask_rate, "drop_rate": drop_rate, "replace_rate": replace_rate}
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise ValueError(f"augmented: {name} must be in [0, 1); received {rate!r}")
    inputs, labels = dataset.element_spec[:2]
    if drop_rate and (set(labels) - _OF_ROWS or len(inputs["token_ids"].shape) != 2):
        raise ValueError(
            f"augmented: drop_rate={drop_rate} moves tokens, and the labels "
            f"{', '.join(sorted(labels))} may belong to places of theirs; use mask_rate"
        )
    if bool(replace_rate) != (masked_lm is not None):
        raise ValueError(
            "augmented: replace_rate needs masked_lm, whose draws replace tokens, and masked_lm "
            f"the rate; received replace_rate={replace_rate}, masked_lm={masked_lm!r}"
        )
    replace = Replacement(masked_lm, tokenizer, replace_rate) if replace_rate else None
    is_ordinary_id = np.zeros(tokenizer.vocabulary_size, bool)
    is_ordinary_id[tokenizer.ordinary_ids] = True
    next_epoch = _NextEpoch(dataset)

    def of_epoch(epoch):
        return dataset.enumerate().map(
            lambda place, element: of_batch(tf.stack([seed, epoch]), place, *element),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def of_batch(seed, place, inputs, *rest):
        seed = tf.random.experimental.stateless_fold_in(seed, place)
        seeds = tf.random.experimental.stateless_split(seed)
        ids = inputs["token_ids"]
        is_ordinary = (inputs["padding_mask"] == 1) & tf.gather(is_ordinary_id, ids)
        if replace is not None:
            own_seed = tf.random.experimental.stateless_fold_in(seed, 2)
            ids = replace(inputs, is_ordinary, own_seed)
            inputs = {**inputs, "token_ids": ids}
        if mask_rate:
            chosen = is_ordinary & (
                tf.random.stateless_uniform(tf.shape(ids), seeds[0]) < mask_rate
            )
            inputs = {**inputs, "token_ids": tf.where(chosen, tokenizer.mask_id, ids)}
        if drop_rate:
            gone = is_ordinary & (tf.random.stateless_uniform(tf.shape(ids), seeds[1]) < drop_rate)
            inputs = _without(gone, inputs, tokenizer.pad_id)
        return inputs, *rest

    epochs = tf.data.Dataset.from_generator(
        next_epoch, output_signature=tf.TensorSpec((), tf.int64)
    )
    result = epochs.flat_map(of_epoch).prefetch(tf.data.AUTOTUNE)
    result = result.apply(tf.data.experimental.assert_cardinality(dataset.cardinality()))
    for name, value in vars(dataset).items():
        if not name.startswith("_"):
            setattr(result, name, value)
    result.set_epoch = next_epoch.set_epoch
    return result


class _NextEpoch:
    """Numbers the passes over the data, in step with the dataset below."""

    def __init__(self, dataset):
        self._below = getattr(dataset, "set_epoch", lambda epoch: None)
        self._epoch = 0

    def set_epoch(self, epoch):
        self._below(epoch)
        self._epoch = epoch

    def __call__(self):
        epoch, self._epoch = self._epoch, self._epoch + 1
        return [epoch]


def _without(gone, inputs, pad_id):
    """The inputs with tokens left out, those behind them moved up."""
    real = (inputs["padding_mask"] == 1) & ~gone
    # Real tokens first, in their order.
    order = tf.argsort(tf.cast(~real, tf.int32), axis=-1, stable=True)
    length = tf.shape(real)[1]
    mask = tf.sequence_mask(tf.reduce_sum(tf.cast(real, tf.int32), axis=-1), length)

    def packed(values, padding):
        return tf.where(mask, tf.gather(values, order, batch_dims=1), padding)

    return {
        **inputs,
        "token_ids": packed(inputs["token_ids"], pad_id),
        "segment_ids": packed(inputs["segment_ids"], 0),
        "padding_mask": tf.cast(mask, inputs["padding_mask"].dtype),
    }
