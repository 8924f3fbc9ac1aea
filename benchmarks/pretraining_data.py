"""Mtokens a second of masked batches made from raw text, rows of 128; padding does not count.

Ours reads the file, draws sentence pairs, packs and masks; everything is charged, from opening
the file on. The peers make no pairs; they are handed texts in memory, cut beforehand to fill a
row, and tokenize, pack and mask: KerasHub's preprocessor in a parallel `tf.data` map, Hugging
Face's tokenizer and collator in a PyTorch DataLoader with a process for each core.
"""

import os

from benchmarks.data import GUTENBERG, full_rows, read_vocabulary
from benchmarks.groups import Group
from benchmarks.measure import rate_of_passes
from benchmarks.peers import huggingface_tokenizer

SEQUENCE_LENGTH = 128
BATCH = 256
MASKS = 20


def _repeat(one_pass, setting):
    one_pass()
    return lambda: rate_of_passes(one_pass, 0 if setting.quick else 2)


def _ours(setting):
    import keras_bert as kb

    tokenizer = kb.BertTokenizer(setting.vocabulary)

    def one_pass():
        # Threads make blocks, and the corpus is about one block an epoch.
        data = kb.data.pretraining(
            setting.data / GUTENBERG,
            tokenizer,
            sequence_length=SEQUENCE_LENGTH,
            batch_size=BATCH,
            epochs=1 if setting.quick else 4,
        )
        batches = data.as_numpy_iterator()
        return sum(int(inputs["padding_mask"].sum()) for inputs, _, _ in batches) / 1e6

    return _repeat(one_pass, setting)


def _kerashub(setting):
    import keras_hub
    import tensorflow as tf

    preprocess = keras_hub.models.BertMaskedLMPreprocessor(
        keras_hub.models.BertTokenizer(read_vocabulary(setting), lowercase=True),
        sequence_length=SEQUENCE_LENGTH,
        mask_selection_length=MASKS,
    )
    texts = full_rows(setting, GUTENBERG, SEQUENCE_LENGTH - 2)
    data = (
        tf.data.Dataset.from_tensor_slices(texts)
        .batch(BATCH)
        .map(preprocess, num_parallel_calls=os.cpu_count())
        .prefetch(2)
    )

    def one_pass():
        batches = data.as_numpy_iterator()
        return sum(int(inputs["padding_mask"].sum()) for inputs, _, _ in batches) / 1e6

    return _repeat(one_pass, setting)


def _huggingface(setting):
    # Each process of the loader has a core to itself.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    import transformers

    tokenizer = huggingface_tokenizer(setting.vocabulary)
    mask = transformers.DataCollatorForLanguageModeling(tokenizer, seed=0)

    def collate(texts):
        rows = tokenizer(
            texts,
            truncation=True,
            max_length=SEQUENCE_LENGTH,
            return_special_tokens_mask=True,
        )
        keys = list(rows)
        return mask([dict(zip(keys, row, strict=True)) for row in zip(*rows.values(), strict=True)])

    loader = torch.utils.data.DataLoader(
        full_rows(setting, GUTENBERG, SEQUENCE_LENGTH - 2),
        batch_size=BATCH,
        collate_fn=collate,
        num_workers=os.cpu_count(),
    )

    def one_pass():
        return sum(int(batch["attention_mask"].sum()) for batch in loader) / 1e6

    return _repeat(one_pass, setting)


GROUPS = [
    Group(
        name="pretraining data, sequence 128",
        unit="Mtokens/s",
        contenders={
            "ours, with pairs": _ours,
            "KerasHub, no pairs": _kerashub,
            "HF PyTorch, no pairs": _huggingface,
        },
        files=(GUTENBERG,),
        goal=2,
    )
]
