"""A text written for a text: summaries, titles, translations, dialogue."""

import time

import keras_bert as kb
from keras_bert.jobs.checkpoint_head import settings, with_head
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.training.generation_scores import generation_report

MODEL = "BertSeq2SeqLM"

__all__ = ["MODEL", "build", "losses", "measure", "preprocessor", "read", "settings"]

_SHOWN = 3


@options_of(kb.Seq2SeqPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Sources, alone or with targets."""
    return kb.Seq2SeqPreprocessor(tokenizer, sequence_length, **settings)


@options_of(kb.data.seq2seq)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Parallel text or rows of two texts; options as those of `kb.data.seq2seq`."""
    data = kb.data.seq2seq(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )
    print(
        f"{path}: {data.num_examples:,} rows; {data.cut_targets:,} targets of more than "
        f"{preprocess.target_length} tokens cut"
    )
    return data


def build(backbone, train, source=None):
    """A model with the masked-LM head of the checkpoint, or a new one where it has none."""
    return with_head(kb.BertSeq2SeqLM(backbone), source)


@options_of(kb.losses.seq2seq)
def losses(model, **options):
    """Cross-entropy, accuracy and perplexity of tokens; options as those of `kb.losses.seq2seq`."""
    return kb.losses.seq2seq(**options)


def measure(model, preprocess, data, directory=None):
    """BLEU and ROUGE of what the model writes; report.json has the texts."""
    write = kb.TextGenerator(model, preprocess)
    write(data.sources[:1])  # makes the graph
    start = time.perf_counter()
    told = write(data.sources, progress=True)
    rate = len(told) / (time.perf_counter() - start)
    lowercase = preprocess.tokenizer.lowercase
    report = generation_report(data.targets, told, lowercase)
    for source, target, text in list(zip(data.sources, data.targets, told, strict=True))[:_SHOWN]:
        print(f"source: {source}\nwanted: {target}\n   got: {text}")
    print(
        f"BLEU {report['bleu']:.2f}, ROUGE-1 {report['rouge1']:.2f}, ROUGE-2 "
        f"{report['rouge2']:.2f}, ROUGE-L {report['rougeL']:.2f} on {report['examples']:,} texts"
        f"{', case ignored' if lowercase else ''}; {rate:.1f} texts/s"
    )
    write_report({**report, "predictions": told}, directory)
    return report
