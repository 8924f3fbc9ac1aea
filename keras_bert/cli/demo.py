"""Reads the docstrings of the libraries on this machine (no download), trains a vocabulary,
pretrains a small BERT, fills masks, fine-tunes a classifier from the pretrained weights and from
scratch, exports the better one, asks it in a fresh process, and prints one table of what it
measured. Models, pictures and report.html are left in --output."""

import os

from absl import flags

REQUIRED = []


def define(values):
    """Declares the flags."""
    flags.DEFINE_string("output", "runs/demo", "the run folder to write", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "write into an output that exists", flag_values=values)
    flags.DEFINE_integer("steps", 900, "pretraining steps", lower_bound=10, flag_values=values)


def main(values):
    """Runs the demo."""
    from keras_bert.cli.folders import refuse_existing
    from keras_bert.cli.quiet import import_tensorflow
    from keras_bert.demo import report, steps

    refuse_existing(values.output, values.overwrite)
    results = steps.run(values.output, values.steps, start_tensorflow=import_tensorflow)
    report.write(results, values.output)
    print(f"\n{report.table(results)}\n")
    print(
        f"{results['seconds']['total']:.0f} seconds; {os.path.join(values.output, 'report.html')}"
    )
    seeds = results["seeds"]
    if sum(seeds["pretrained"]) <= sum(seeds["scratch"]):
        raise RuntimeError(
            "pretraining did not help: the classifier from scratch is as good over the seeds. "
            "Raise --steps"
        )
