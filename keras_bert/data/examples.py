"""Examples of any block of any epoch, made from nothing but their place and the settings."""

import numpy as np

from keras_bert.data import blocks
from keras_bert.data.randomness import generator
from keras_bert.text.masking import mask_tokens
from keras_bert.text.pairs import pack

# Examples packed and masked at a time: their arrays stay in the processor's cache, and going on in
# the middle of a block makes little for nothing.
_GROUP = 1024


class ExampleMaker:
    """Makes the shuffled, packed and masked examples of a block. Threads may share it.

    Args:
        corpus: a `keras_bert.data.corpus.Corpus`.
        tokenizer: a `keras_bert.BertTokenizer`.
        deal: a `keras_bert.data.deal.Deal`, which says what a block is made of.
        seed: int.
        sequence_length: int.
        pairs: str, `"nsp"`, `"sop"` or `"none"`.
        short_sequence_rate: float.
        masking: dict, keyword arguments of `mask_tokens`.
        reading: dict, the arguments `format`, `split_sentences`, `continuations` of `read_block`.
    """

    def __init__(
        self,
        corpus,
        tokenizer,
        *,
        deal,
        seed,
        sequence_length,
        pairs,
        short_sequence_rate,
        masking,
        reading,
    ):
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.deal = deal
        self.seed = seed
        self.sequence_length = sequence_length
        self.pairs = pairs
        self.short_sequence_rate = short_sequence_rate
        self.masking = masking
        self.reading = reading

    def plan(self, epoch, lane, block):
        """Reads, tokenizes and plans a block; returns a `TokenizedBlock` and a `Plan`."""
        windows = self.deal.windows(epoch, lane, block)
        tokenized = blocks.read_block(self.corpus, windows, self.tokenizer, **self.reading)
        return blocks.plan_block(
            tokenized,
            self.pairs,
            self.sequence_length,
            self.short_sequence_rate,
            self.tokenizer.sep_id,
            generator(self.seed, "pairs", epoch, lane, block),
        )

    def make(self, epoch, lane, block, offset=0):
        """Makes the examples of a block from number `offset` on.

        Returns:
            `(examples, counts)`: a dict of arrays `(examples, ...)` with the keys of DESIGN
            section 3, and the `Counts` of the whole block.
        """
        tokenized, plan = self.plan(epoch, lane, block)
        if offset > tokenized.counts.examples:
            raise ValueError(
                f"Block {block} of epoch {epoch} in lane {lane} has {tokenized.counts.examples} "
                f"examples; offset {offset} lies behind them. The corpus or a setting has changed "
                "since this place was noted."
            )
        place = epoch, lane, block
        order = generator(self.seed, "order", *place).permutation(tokenized.counts.examples)
        groups = [
            self._group(tokenized, plan, order[begin : begin + _GROUP], (*place, begin))
            for begin in range(offset // _GROUP * _GROUP, max(1, len(order)), _GROUP)
        ]
        skipped = offset % _GROUP
        examples = {
            name: np.concatenate([group[name] for group in groups])[skipped:] for name in groups[0]
        }
        return examples, tokenized.counts

    def _group(self, tokenized, plan, rows, place):
        tokenizer = self.tokenizer
        token_ids, segment_ids, padding_mask = pack(
            tokenized.tokens,
            plan,
            rows,
            self.sequence_length,
            tokenizer.cls_id,
            tokenizer.sep_id,
            tokenizer.pad_id,
        )
        continues_word = None
        if tokenized.continues_word is not None:
            continues_word, _, _ = pack(
                tokenized.continues_word, plan, rows, self.sequence_length, False, False, False
            )
        token_ids, mask_positions, mask_ids, mask_weights = mask_tokens(
            token_ids,
            tokenizer,
            generator(self.seed, "masks", *place),
            continues_word=continues_word,
            **self.masking,
        )
        examples = {
            "token_ids": token_ids,
            "segment_ids": segment_ids,
            "padding_mask": padding_mask,
            "mask_positions": mask_positions,
            "mask_ids": mask_ids,
            "mask_weights": mask_weights,
        }
        if plan.labels is not None:
            examples["next_sentence_labels"] = plan.labels[rows]
        return examples
