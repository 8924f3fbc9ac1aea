"""Labelled spans of a text: named entities, slots, semantic roles of a predicate."""

import tqdm

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.text.entities import EntityDecoder, entities_of
from keras_bert.text.tokenizer import as_strings
from keras_bert.training import chains
from keras_bert.training.span_scores import span_report

MODEL = "BertTokenClassifier"

_BATCH_SIZE = 64


@options_of(kb.TokenClassifierPreprocessor)
def preprocessor(tokenizer, sequence_length, **settings):
    """Texts, packed."""
    return kb.TokenClassifierPreprocessor(tokenizer, sequence_length=sequence_length, **settings)


@options_of(kb.data.token_classification)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Texts with spans; options as those of `kb.data.token_classification`."""
    if like is not None:
        options["labels"] = like.labels
    return kb.data.token_classification(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )


def build(backbone, train, crf=False):
    """A token classifier of the training set's labels; `crf` as that of the class."""
    return kb.BertTokenClassifier(backbone, labels=train.labels, crf=crf)


def losses(model):
    """Cross-entropy and accuracy of words, or the likelihood of their chains."""
    return kb.losses.token_classification(crf=model.crf is not None)


def measure(model, preprocess, data, directory=None):
    """Precision, recall and F1 of whole spans, a row a label, as the served model finds them."""
    found = predict_entities(model, preprocess, data.texts, data.predicates)
    report = span_report(
        [[span[:3] for span in spans] for spans in data.spans],
        [[(e["start"], e["end"], e["label"]) for e in entities] for entities in found],
    )
    width = max(len(label) for label in (*report["labels"], "label"))
    print(f"{'label':{width}}  precision  recall      F1  entities  predicted")
    for label, row in report["labels"].items():
        print(
            f"{label:{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:6.3f}"
            f"  {row['entities']:8,}  {row['predicted']:9,}"
        )
    print(
        f"micro precision {report['precision']:.4f}, recall {report['recall']:.4f}, "
        f"F1 {report['f1']:.4f}, macro F1 {report['macro_f1']:.4f} on {report['entities']:,} "
        f"entities of {report['examples']:,} texts"
    )
    write_report(report, directory)
    return report


def predict_entities(model, preprocess, texts, predicates=None):
    """Finds the entities of texts with a model of this process.

    Args:
        model: `BertTokenClassifier`.
        preprocess: `TokenClassifierPreprocessor`.
        texts: list of str.
        predicates: list of (start, end), or None.

    Returns:
        List of lists of dicts, as `kb.Predictor` answers.
    """
    decode = EntityDecoder(model.labels)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    answers = [None] * len(texts)
    starts = range(0, len(order), _BATCH_SIZE)
    for start in tqdm.tqdm(starts, unit="batch", leave=False, disable=None):
        places = order[start : start + _BATCH_SIZE]
        batch = as_strings([texts[place] for place in places])
        marked = predicates and [predicates[place] for place in places]
        inputs, words = preprocess.with_words(batch, marked)
        logits, tags = model.predict_on_batch(inputs)["token_classification"], None
        if model.crf is not None:
            tags, logits = chains.decode(logits, words["mask"])
        found = {key: x.numpy() for key, x in decode(logits, words, batch, tags).items()}
        for row, place in enumerate(places):
            answers[place] = entities_of({key: value[row] for key, value in found.items()})
    return answers
