"""What a figure is to be compared with, computed on the same files.

The libraries of classical methods are imported where they are used: extra `results`.
"""

import json
import re

from benchmarks.tasks.running import keras_bert
from benchmarks.tasks.starts import STARTS


def untrained_embeddings(recipe, data, folder):
    """Spearman's correlation of the start's own embeddings."""
    log, output = folder / "baseline.log", folder / "baseline"
    start = STARTS[recipe.start](data, folder.parent)
    keras_bert("evaluate", log, preset=start, input=data / recipe.test, output=output)
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return [{"title": "without any training", "measure": "spearman", "value": report["spearman"]}]


def tfidf_regression(recipe, data, folder):
    """Logistic regression on TF-IDF of one to three characters, scikit-learn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10.0, max_iter=1000),
    )
    (labels, texts), (test_labels, test_texts) = (
        zip(*_rows(data / name)[1:], strict=True) for name in (recipe.train, recipe.test)
    )
    value = model.fit(texts, labels).score(test_texts, test_labels)
    title = "TF-IDF and logistic regression"
    return [{"title": title, "measure": "accuracy", "value": float(value)}]


def crf(recipe, data, folder):
    """A CRF on characters and pairs of them within two places, CRFsuite."""
    import pycrfsuite

    from keras_bert.training.span_scores import span_report

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 100})
    for characters, tags in _sentences(data / recipe.train):
        trainer.append(_features(characters), tags)
    model = str(folder / "crf.model")
    trainer.train(model)
    tagger = pycrfsuite.Tagger()
    tagger.open(model)
    test = _sentences(data / recipe.test)
    report = span_report(
        [_spans(tags) for _, tags in test],
        [_spans(tagger.tag(_features(characters))) for characters, _ in test],
    )
    return [{"title": "CRF on characters", "measure": "f1", "value": report["f1"]}]


def word_by_word(recipe, data, folder):
    """Each word's likeliest translation by IBM model 1, NLTK, in the order of the source."""
    from nltk.translate import AlignedSent, IBMModel1

    from keras_bert.training.generation_scores import generation_report

    pairs = zip(*(_words(data / name) for name in recipe.train.split(",")), strict=True)
    model = IBMModel1([AlignedSent(target, source) for source, target in pairs], 5)
    best = {}
    for target, sources in model.translation_table.items():
        for source, probability in sources.items():
            best[source] = max(best.get(source, (0.0, source)), (probability, target))
    sources, targets = (data / name for name in recipe.test.split(","))
    told = [
        " ".join(best.get(word, (0.0, word))[1] for word in sentence)
        for sentence in _words(sources)
    ]
    told = [re.sub(r" ([.,!?;:])", r"\1", text) for text in told]
    report = generation_report(_lines(targets), told)
    return [{"title": "word by word, IBM model 1", "measure": "bleu", "value": report["bleu"]}]


def _lines(path):
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _words(path):
    return [re.findall(r"\w+|[^\w\s]", line) for line in _lines(path)]


def _rows(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line.split("\t") for line in lines if line]


def _sentences(path):
    """Pairs of tokens and tags of a CoNLL file."""
    blocks = path.read_text(encoding="utf-8").strip("\n").split("\n\n")
    rows = [[line.split("\t") for line in block.split("\n")] for block in blocks]
    return [([token for token, _ in row], [tag for _, tag in row]) for row in rows]


def _features(characters):
    padded = ["<<", "<", *characters, ">", ">>"]
    places = range(2, len(padded) - 2)
    single = [[f"{d}={padded[i + d]}" for d in range(-2, 3)] for i in places]
    pairs = [[f"{d}&={padded[i + d]}{padded[i + d + 1]}" for d in range(-2, 2)] for i in places]
    return [["bias", *a, *b] for a, b in zip(single, pairs, strict=True)]


def _spans(tags):
    """(start, end, label) of BIO tags, in tokens."""
    found, start = [], None
    for place, tag in enumerate([*tags, "O"]):
        goes_on = start is not None and tag == f"I-{tags[start][2:]}"
        if start is not None and not goes_on:
            found.append((start, place, tags[start][2:]))
            start = None
        if tag != "O" and not goes_on:
            start = place
    return found


# Recipe -> function of it, the data folder and a folder to work in, which returns a list of dicts:
# `title`, `measure` (a name of the recipe's) and `value`.
BASELINES = {
    "stsb": untrained_embeddings,
    "chnsenticorp": tfidf_regression,
    "peopledaily": crf,
    "multi30k": word_by_word,
}
