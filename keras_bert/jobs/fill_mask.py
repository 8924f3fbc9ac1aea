"""The words that `[MASK]` stands for, learnt from raw text."""

import math

import tqdm

import keras_bert as kb
from keras_bert.jobs.checkpoint_head import settings, with_head
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report

MODEL = "BertMaskedLM"

__all__ = ["MODEL", "build", "losses", "measure", "preprocessor", "read", "settings"]


@options_of(kb.MaskedLMPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Texts with `[MASK]` in them."""
    return kb.MaskedLMPreprocessor(tokenizer, sequence_length=sequence_length, **settings)


@options_of(kb.data.masked_lm)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Raw text, masked; options as those of `kb.data.masked_lm`."""
    data = kb.data.masked_lm(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )
    counts = data.counts
    print(
        f"{path}: {counts.documents:,} documents, {counts.sentences:,} sentences, "
        f"{counts.tokens:,} tokens in {data.num_examples:,} rows; {counts.invalid_lines:,} lines "
        "held bytes that are no UTF-8"
    )
    return data


def build(backbone, train, source=None):
    """A masked language model, with the head of the checkpoint where it has one."""
    return with_head(kb.BertMaskedLM(backbone), source)


def losses(model):
    """Cross-entropy, accuracy and perplexity of the masked tokens."""
    return kb.losses.masked_lm()


def measure(model, preprocess, data, directory=None):
    """Cross-entropy, accuracy and perplexity over all masked tokens of a set."""
    accuracy, perplexity = losses(model)["weighted_metrics"]["masked_lm"]
    masks = 0
    for inputs, labels, weights in tqdm.tqdm(data, unit="batch", leave=False, disable=None):
        logits = model.predict_on_batch(inputs)["masked_lm"]
        for metric in (accuracy, perplexity):
            metric.update_state(labels["masked_lm"], logits, weights["masked_lm"])
        masks += int(weights["masked_lm"].numpy().sum())
    report = {
        "examples": data.num_examples,
        "masks": masks,
        "loss": math.log(float(perplexity.result())),
        "accuracy": float(accuracy.result()),
        "perplexity": float(perplexity.result()),
    }
    print(
        f"loss {report['loss']:.4f}, accuracy {report['accuracy']:.4f}, perplexity "
        f"{report['perplexity']:.2f} on {masks:,} masked tokens of {data.num_examples:,} rows"
    )
    write_report(report, directory)
    return report
