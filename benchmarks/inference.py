"""Text in, labels and scores out: the dev sentences of SST-2, size of all-MiniLM-L6-v2.

Sentences a second in batches of 32, and the median time of a single sentence. Ours is the exported
SavedModel in a `kb.Predictor`, which sorts by length inside; KerasHub's `predict` pads to 128, so
that fewer sentences measure it; Hugging Face's model is given batches in the order of the file,
and sorted by length, padded to the longest row.
"""

import pathlib
import tempfile
from functools import partial

from benchmarks import peers
from benchmarks.data import SST2_DEV, read_sst2, read_vocabulary
from benchmarks.finetuning_step import MINILM, SEQUENCE_LENGTH
from benchmarks.groups import Group
from benchmarks.measure import Stopwatch, median_milliseconds

BATCH = 32
LABELS = ["negative", "positive"]


def _repeat(answer, setting, is_single, batches=None, sentences=None):
    """A repeat of `answer`, which takes a list of str, after one of the same shape."""
    texts = read_sst2(setting, SST2_DEV)[0]
    if is_single:
        texts = texts[: 5 if setting.quick else sentences]
        run = partial(median_milliseconds, lambda text: answer([text]), texts)
    else:
        texts = texts[: BATCH * 2 if setting.quick else BATCH * batches if batches else None]

        def run():
            watch = Stopwatch()
            answers = answer(texts)
            watch.lap()
            return watch.rate(len(answers))

    run()
    return run


def _ours(dtype, is_single, setting):
    import keras_bert as kb

    tokenizer = kb.BertTokenizer(setting.vocabulary)
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=SEQUENCE_LENGTH)
    config = peers.our_config(*MINILM, tokenizer.vocabulary_size)
    backbone = kb.BertBackbone(config, dtype=peers.keras_policy(dtype))
    model = kb.BertTextClassifier(backbone, labels=LABELS)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sst2" / "1"
        kb.export_saved_model(model, preprocess, path)
        predict = kb.Predictor(path)
    return _repeat(partial(predict, batch_size=BATCH), setting, is_single, sentences=100)


def _kerashub(dtype, is_single, setting):
    import keras_hub
    import numpy as np

    vocabulary = read_vocabulary(setting)
    preprocess = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(vocabulary, lowercase=True),
        sequence_length=SEQUENCE_LENGTH,
    )
    model = keras_hub.models.BertTextClassifier(
        peers.kerashub_backbone(*MINILM, len(vocabulary), dtype),
        num_classes=2,
        preprocessor=preprocess,
        activation="softmax",
    )

    def answer(texts):
        scores = np.asarray(model.predict(texts, batch_size=BATCH, verbose=0), "float32")
        return [
            (LABELS[place], row[place]) for row, place in zip(scores, scores.argmax(1), strict=True)
        ]

    return _repeat(answer, setting, is_single, batches=8, sentences=5)


def _huggingface(dtype, is_single, is_sorted, setting):
    import torch
    import transformers

    tokenizer = peers.huggingface_tokenizer(setting.vocabulary)
    config = peers.huggingface_config(*MINILM, len(tokenizer))
    model = transformers.BertForSequenceClassification(config).eval().to(peers.torch_dtype(dtype))

    @torch.inference_mode()
    def answer(texts):
        order = range(len(texts))
        if is_sorted:
            order = sorted(order, key=lambda place: len(texts[place]))
        answers = [None] * len(texts)
        for start in range(0, len(texts), BATCH):
            places = order[start : start + BATCH]
            batch = tokenizer(
                [texts[place] for place in places],
                padding=True,
                truncation=True,
                max_length=SEQUENCE_LENGTH,
                return_tensors="pt",
            )
            scores, classes = model(**batch).logits.float().softmax(-1).max(-1)
            rows = zip(places, classes.tolist(), scores.tolist(), strict=True)
            for place, label, score in rows:
                answers[place] = LABELS[label], score
        return answers

    return _repeat(answer, setting, is_single, sentences=100)


def _groups(dtype):
    yield Group(
        name=f"inference SST-2 dev, batches of 32, {dtype}",
        unit="sentences/s",
        contenders={
            "ours": partial(_ours, dtype, False),
            "KerasHub, padded to 128": partial(_kerashub, dtype, False),
            "HF PyTorch": partial(_huggingface, dtype, False, False),
            "HF PyTorch, sorted by length": partial(_huggingface, dtype, False, True),
        },
        files=(SST2_DEV,),
    )
    yield Group(
        name=f"inference SST-2 dev, single sentence, {dtype}",
        unit="ms",
        larger_is_better=False,
        contenders={
            "ours": partial(_ours, dtype, True),
            "KerasHub, padded to 128": partial(_kerashub, dtype, True),
            "HF PyTorch": partial(_huggingface, dtype, True, False),
        },
        files=(SST2_DEV,),
    )


GROUPS = [group for dtype in peers.DTYPES for group in _groups(dtype)]
