"""Examples a second while fine-tuning a classifier on SST-2, batch 32, size of all-MiniLM-L6-v2.

All train on the first sentences of the training set, tokenized beforehand. Ours takes the batches
that `kb.data.classification` makes, rows of about equal length padded to the longest; Hugging
Face's model takes length-sorted batches, shuffled; KerasHub pads every row to 128, so that it
needs fewer batches to be measured.
"""

import random
import tempfile
from functools import partial

from benchmarks import peers
from benchmarks.data import SST2_TRAIN, read_sst2, read_vocabulary
from benchmarks.groups import Group

MINILM = (6, 384, 12)  # layers, hidden size, heads
SEQUENCE_LENGTH = 128
BATCH = 32


def _batches(setting, full):
    """Batches of a repeat; the first is not measured."""
    return 1 + (2 if setting.quick else full)


def _keras_repeat(model, data, batches):
    peers.fit_steps(model, data.repeat(), 2)
    # All batches are full.
    examples = BATCH * (batches - 1)
    return lambda: peers.fit_steps(model, data, None).rate(examples)


def _ours(dtype, setting):
    import keras_bert as kb

    batches = _batches(setting, 31)
    tokenizer = kb.BertTokenizer(setting.vocabulary)
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=SEQUENCE_LENGTH)
    rows = zip(*read_sst2(setting, SST2_TRAIN, batches * BATCH), strict=True)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as file:
        file.write("sentence\tlabel\n")
        file.writelines(f"{sentence}\t{label}\n" for sentence, label in rows)
        file.flush()
        data = kb.data.classification(file.name, preprocess, batch_size=BATCH)
    config = peers.our_config(*MINILM, tokenizer.vocabulary_size)
    backbone = kb.BertBackbone(config, dtype=peers.keras_policy(dtype))
    model = kb.BertTextClassifier(backbone, labels=["negative", "positive"])
    model.compile(
        optimizer=kb.optimizers.adamw(3e-5, total_steps=10_000), **kb.losses.classification()
    )
    return _keras_repeat(model, data, batches)


def _kerashub(dtype, jit, setting):
    import keras
    import keras_hub
    import tensorflow as tf

    batches = _batches(setting, 4)
    vocabulary = read_vocabulary(setting)
    preprocess = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(vocabulary, lowercase=True),
        sequence_length=SEQUENCE_LENGTH,
    )
    data = tf.data.Dataset.from_tensor_slices(read_sst2(setting, SST2_TRAIN, batches * BATCH))
    data = data.batch(BATCH).map(preprocess).cache()
    for _ in data:  # the batches now lie in memory
        pass
    backbone = peers.kerashub_backbone(*MINILM, len(vocabulary), dtype)
    model = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    model.compile(
        optimizer=peers.kerashub_optimizer(3e-5),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit,
    )
    return _keras_repeat(model, data, batches)


def _huggingface(dtype, setting):
    import torch
    import transformers

    count = _batches(setting, 31)
    tokenizer = peers.huggingface_tokenizer(setting.vocabulary)
    sentences, labels = read_sst2(setting, SST2_TRAIN, count * BATCH)
    ids = tokenizer(sentences, truncation=True, max_length=SEQUENCE_LENGTH)["input_ids"]
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    batches = []
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        batch = tokenizer.pad({"input_ids": [ids[p] for p in places]}, return_tensors="pt")
        batches.append({**batch, "labels": torch.tensor([labels[p] for p in places])})
    shuffle = random.Random(0).shuffle
    config = peers.huggingface_config(*MINILM, len(tokenizer))
    model = transformers.BertForSequenceClassification(config).train()
    optimizer = peers.torch_adamw(model, 3e-5)
    peers.torch_steps(model, optimizer, batches[:2], dtype)

    def repeat():
        shuffle(batches)
        return peers.torch_steps(model, optimizer, batches, dtype).rate(BATCH * (count - 1))

    return repeat


GROUPS = [
    Group(
        name=f"fine-tuning step SST-2, {dtype}",
        unit="examples/s",
        contenders={
            "ours": partial(_ours, dtype),
            "KerasHub, padded to 128": partial(_kerashub, dtype, False),
            "KerasHub, padded to 128, XLA": partial(_kerashub, dtype, True),
            "HF PyTorch, sorted by length": partial(_huggingface, dtype),
        },
        files=(SST2_TRAIN,),
    )
    for dtype in peers.DTYPES
]
