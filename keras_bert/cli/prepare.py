"""Writes shards of tokens and manifest.json to --output, which `keras-bert pretrain` and
`kb.data.pretraining` read as they read text files.

Input holds one sentence a line with an empty line between documents, or running prose with
--format=prose. The same input and flags give the same bytes, however many workers there are.

It is an Apache Beam pipeline. It runs here, a process for each core, or where --beam_args say,
for instance --beam_args="--runner=FlinkRunner --flink_master=host:8081". Input and output must lie
on a file system that all workers see.
"""

import os
import shlex

from absl import flags

REQUIRED = ["input", "vocab", "output"]


def define(values):
    """Declares the flags."""
    string, integer = flags.DEFINE_string, flags.DEFINE_integer
    flags.DEFINE_multi_string(
        "input", None, "text file or glob, also compressed; may be repeated", flag_values=values
    )
    string("vocab", None, "the vocabulary file", flag_values=values)
    flags.DEFINE_bool("lowercase", True, "lower-case and strip accents", flag_values=values)
    string("output", None, "the folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=values)
    flags.DEFINE_enum(
        "format", "sentences", ["sentences", "prose"], "layout of the input", flag_values=values
    )
    flags.DEFINE_enum(
        "word_segmenter", None, ["jieba"], "marks Chinese words for --masking", flag_values=values
    )
    flags.DEFINE_bool(
        "drop_duplicates", False, "keep one of documents with the same tokens", flag_values=values
    )
    integer(
        "shards", None, "files; default: one for each 64 MiB", lower_bound=1, flag_values=values
    )
    integer("seed", 0, "decides the order of the documents", lower_bound=0, flag_values=values)
    integer(
        "workers",
        None,
        "processes here; default: one a core",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_multi_string(
        "beam_args", [], "Beam's pipeline options; may be repeated", flag_values=values
    )


def main(values):
    """Prepares the corpus."""
    from keras_bert.cli.quiet import quiet

    # Beam tells of a failed worker many times over; the last line of it is the error's message.
    with quiet(is_shown_on_failure="KERAS_BERT_TRACEBACK" in os.environ) as terminal:
        import keras_bert as kb

        manifest = kb.data.prepare(
            values.input,
            kb.BertTokenizer(values.vocab, lowercase=values.lowercase),
            values.output,
            format=values.format,
            word_segmenter=values.word_segmenter,
            drop_duplicates=values.drop_duplicates,
            shards=values.shards,
            seed=values.seed,
            overwrite=values.overwrite,
            workers=values.workers,
            beam_args=[word for line in values.beam_args for word in shlex.split(line)],
            progress=terminal,
        )
    counts = ", ".join(f"{number:,} {name}" for name, number in manifest["counts"].items())
    print(f"{values.output}: {len(manifest['shards']):,} shards, {counts}".replace("_", " "))
