"""Downstream jobs in one shape: what `finetune`, `evaluate` and `export` need to know of each.

A job is a module here, named in `JOBS`, with these functions; a command calls nothing else:

    MODEL                                       name of the task model in `keras_bert`
    preprocessor(tokenizer, sequence_length, **settings)
                                                text to the model's inputs; a model directory keeps
                                                the settings (see `Preprocessor.kept`)
    read(path, preprocess, like, batch_size, shuffle, seed, **options)
                                                a file to a dataset; `like` is the training set
                                                or model whose labels it shares, or None; options
                                                are what the job's files have of their own
    build(backbone, train, **options)           the task model for a training set; options are
                                                what the job's head has of its own
    losses(model, **options)                    arguments of `compile`
    measure(model, preprocess, data, directory) prints what the model gets right, writes pictures
                                                and `report.json` to `directory` (or nothing where
                                                it is None); returns a dict of plain numbers

A function that hands options on says to which function, by `options_of`; and, where a job can,
there are these:

    fits(model)                                 whether a model of the class does this job; default
                                                all do
    settings(source)                            arguments of `build` from the opened checkpoint that
                                                training starts from, a dict
    split(path, rates, seed, **options)         a file cut into parts that `read` takes
    folds(path, number, seed, **options)        pairs of such parts for cross-validation, to learn
                                                from and to measure on
    tune(model, preprocess, data)               sets what is tuned on --dev after training, such as
                                                thresholds; returns whether there was anything
"""

import importlib

# Job -> what it is, in one line. The module has the job's name.
JOBS = {
    "classification": "one class for a text or a pair of texts",
    "tokens": "labelled spans of a text: named entities, slots, semantic roles",
    "multi_label": "any of several labels for a text or a pair",
    "choice": "one of several choices to go on or to answer a text",
    "relations": "the relation of two entities of a text",
    "embedding": "vectors of texts, near each other where the texts are similar",
    "fill_mask": "the words that [MASK] stands for, from raw text",
    "next_sentence": "whether a text follows another one, from pairs or raw text",
    "qa": "the part of a text that answers a question",
    "seq2seq": "a text written for a text: summaries, titles, translations, dialogue",
    "regression": "a number for a text or a pair, such as how similar they are",
}


def find_job(name):
    """The module of a job.

    Raises:
        ValueError: there is no such job.
    """
    if name not in JOBS:
        raise ValueError(f"unknown job {name!r}; expected one of {', '.join(JOBS)}")
    return importlib.import_module(f"keras_bert.jobs.{name}")


def job_of(model):
    """The module of the job that a task model does.

    Raises:
        ValueError: it is a model of none.
    """
    task = getattr(model, "task", type(model))  # an ensemble does its members' job
    for name in JOBS:
        job = find_job(name)
        if task.__name__ == job.MODEL and getattr(job, "fits", lambda model: True)(model):
            return job
    raise ValueError(
        f"a {type(model).__name__} does no downstream job; expected one of {', '.join(JOBS)}"
    )
