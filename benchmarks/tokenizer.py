"""Mtokens a second from WikiText-2, lines in batches of 1,024, all cores.

The peers tokenize the same lines with the same vocabulary: KerasHub's in a `tf.data` map like
ours, Hugging Face's Rust library by its batch call, which spreads a batch over the cores.
"""

import os

from benchmarks.data import WIKITEXT, read_lines, read_vocabulary
from benchmarks.groups import Group
from benchmarks.measure import rate_of_passes

BATCH = 1_024


def _lines(setting):
    return read_lines(setting, WIKITEXT) * (1 if setting.quick else 8)


def _least_seconds(setting):
    return 0 if setting.quick else 2


def _in_tf_data(setting, tokenize):
    """A repeat of the tokens in a `tf.data` map; `tokenize` makes a RaggedTensor of a batch."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices(_lines(setting)).batch(BATCH).cache()
    for _ in batches:  # the lines now lie in memory as batches
        pass
    counts = batches.map(
        lambda batch: tf.size(tokenize(batch).flat_values), num_parallel_calls=os.cpu_count()
    ).prefetch(2)

    def one_pass():
        return sum(int(count) for count in counts) / 1e6

    one_pass()
    return lambda: rate_of_passes(one_pass, _least_seconds(setting))


def _ours(setting):
    import keras_bert as kb

    return _in_tf_data(setting, kb.BertTokenizer(setting.vocabulary))


def _kerashub(setting):
    import keras_hub

    tokenizer = keras_hub.models.BertTokenizer(read_vocabulary(setting), lowercase=True)
    return _in_tf_data(setting, tokenizer)


def _huggingface(setting):
    import tokenizers

    tokenizer = tokenizers.BertWordPieceTokenizer(str(setting.vocabulary), lowercase=True)
    lines = _lines(setting)
    batches = [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]
    encode = tokenizer._tokenizer.encode_batch_fast  # without offsets, as ours

    def one_pass():
        return sum(len(row) for batch in batches for row in encode(batch, False, False)) / 1e6

    one_pass()
    return lambda: rate_of_passes(one_pass, _least_seconds(setting))


GROUPS = [
    Group(
        name="tokenizer",
        unit="Mtokens/s",
        contenders={"ours": _ours, "KerasHub": _kerashub, "HF tokenizers (Rust)": _huggingface},
        files=WIKITEXT,
        goal=8,
    )
]
