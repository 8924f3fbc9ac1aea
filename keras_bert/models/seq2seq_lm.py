"""BERT that writes: a target after a source, on the same encoder."""

import keras

from keras_bert.layers.prefix_mask import PrefixMask
from keras_bert.models.decoding import check_sampler, find_sampler, serialized, write_targets
from keras_bert.models.masked_lm import masked_lm_head
from keras_bert.models.task import TaskModel, as_backbone

_SAMPLER = "sampler"


@keras.saving.register_keras_serializable("keras_bert")
class BertSeq2SeqLM(TaskModel):
    """Writes a target text for a source text: summaries, titles, translations, dialogue.

    Source: Dong et al. 2019, https://arxiv.org/abs/1905.03197 (UniLM). A row is
    `[CLS] source [SEP] target [SEP]`; `PrefixMask` says which token sees which, and so one encoder
    reads the source both ways and writes the target from left to right: each token of the target
    is predicted from the one before it, the first from the source's [SEP]. The head is that of the
    masked language model, and a checkpoint's is read into it. Compile with `kb.losses.seq2seq`.

    Args:
        backbone: `BertBackbone`. Its pooler is not used.
        sampler: how `generate` chooses among likely tokens: `"greedy"`, `"beam"`, `"top_k"`,
            `"top_p"`, `"random"`, or a sampler of `keras_hub.samplers`, such as
            `BeamSampler(num_beams=4)`. It is kept with the model. Default `"greedy"`.

    Call arguments: the backbone's dict, `segment_ids` 0 = source and padding, 1 = target with its
        [SEP]; and
        target_positions: int32 `(batch, targets)`, places of the tokens whose next one is wanted:
            the source's [SEP] and the target's tokens but its [SEP]; unused slots 0.

    Returns: a dict:
        seq2seq: float32 logits `(batch, targets, vocabulary_size)`.

    Raises:
        ValueError: there is no such sampler.

    Example:
        >>> model = BertSeq2SeqLM(BertBackbone(BertConfig.named("tiny", vocabulary_size=100)))
        >>> ones = np.ones((2, 5), "int32")
        >>> inputs = {"token_ids": ones, "segment_ids": ones * 0, "padding_mask": ones}
        >>> model.generate(inputs, target_length=7, stop_id=3, pad_id=0)["token_ids"].shape
        TensorShape([2, 7])
    """

    def __init__(self, backbone, sampler="greedy", **kwargs):
        backbone = as_backbone(backbone)

        # === Layers ===
        mask_layer = PrefixMask(name="prefix_mask")
        head = masked_lm_head(backbone)

        # === Functional graph ===
        positions = keras.Input((None,), dtype="int32", name="target_positions")
        inputs = {**backbone.input, "target_positions": positions}
        token_ids, segment_ids, padding_mask = (
            inputs[name] for name in ("token_ids", "segment_ids", "padding_mask")
        )
        mask = mask_layer(segment_ids, padding_mask)
        x, _, _ = backbone.encoder.encode(token_ids, segment_ids, mask)
        outputs = {"seq2seq": head(x, positions)}

        # === Config ===
        kwargs.setdefault("name", "bert_seq2seq_lm")
        super().__init__(inputs, outputs, backbone, **kwargs)
        self.prefix_mask = mask_layer
        self.masked_lm_head = head
        self.sampler = sampler

    @property
    def sampler(self):
        """A name, or `keras_hub.samplers.Sampler`; may be set."""
        return self._sampler

    @sampler.setter
    def sampler(self, value):
        # A name is looked up when it is used: training needs no KerasHub.
        check_sampler(value)
        self._sampler = value if isinstance(value, str) else find_sampler(value)
        self._found_sampler = None

    def find_sampler(self):
        """The `keras_hub.samplers.Sampler`, the same each time: one that draws has a state."""
        if self._found_sampler is None:
            self._found_sampler = find_sampler(self._sampler)
        return self._found_sampler

    def generate(self, inputs, target_length, stop_id, pad_id):
        """Writes a target for each source.

        Args:
            inputs: dict of int32 `(batch, sequence)`, `token_ids`, `segment_ids` (0) and
                `padding_mask` of sources, as `Seq2SeqPreprocessor` makes them.
            target_length: int, most tokens of a target, its [SEP] included.
            stop_id: int, the token [SEP].
            pad_id: int, the token [PAD].

        Returns:
            dict: `token_ids`, int32 `(batch, target_length)`, the tokens, the [SEP] that ends them,
            padding; `score`, float32 `(batch,)`, the geometric mean of the probabilities of its
            tokens, its [SEP] included, at the sampler's temperature.
        """
        token_ids, score = write_targets(
            self, inputs, self.find_sampler(), target_length, stop_id, pad_id
        )
        return {"token_ids": token_ids, "score": score}

    def get_config(self):
        return {**super().get_config(), _SAMPLER: serialized(self._sampler)}

    def own_values(self):
        return {_SAMPLER: serialized(self._sampler)}

    @classmethod
    def arguments_from(cls, source, **given):
        return {_SAMPLER: source.values.get(_SAMPLER, "greedy"), **given}
