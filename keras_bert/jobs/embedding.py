"""Sentence embeddings: what is similar has vectors near each other."""

import numpy as np
import tqdm

import keras_bert as kb
from keras_bert.jobs.options import options_of
from keras_bert.jobs.reports import write_report
from keras_bert.training.correlation import pearson, spearman
from keras_bert.training.retrieval import recall_at

MODEL = "BertTextEmbedder"

__all__ = ["MODEL", "build", "losses", "measure", "preprocessor", "read", "settings"]


def preprocessor(tokenizer, sequence_length):
    """Texts, packed."""
    return kb.TextClassifierPreprocessor(tokenizer, sequence_length=sequence_length)


@options_of(kb.data.embedding_pairs)
def read(path, preprocess, like=None, batch_size=32, shuffle=True, seed=0, **options):
    """Pairs or triplets; options as those of `kb.data.embedding_pairs`."""
    if getattr(like, "score_range", None) is not None:
        options["score_range"] = like.score_range
    data = kb.data.embedding_pairs(
        path, preprocess, batch_size=batch_size, shuffle=shuffle, seed=seed, **options
    )
    if getattr(like, "scored", data.scored) != data.scored:
        kinds = {True: "scored pairs", False: "rows without scores"}
        raise ValueError(
            f"{path}: holds {kinds[data.scored]}, and the training set {kinds[like.scored]}; "
            "expected the same. By positive_score scored pairs become rows without scores"
        )
    return data


def settings(source):
    """How a checkpoint's embeddings are pooled; means of length 1 where it says nothing."""
    return kb.BertTextEmbedder.arguments_from(source)


def build(backbone, train, pooling="mean", normalize=True):
    """The training model with the embedder in it."""
    model = kb.BertEmbeddingTrainer(kb.BertTextEmbedder(backbone, pooling, normalize))
    model.scored, model.num_texts = train.scored, train.num_texts
    return model


def losses(model, loss=None, temperature=None, margin=None):
    """What the training set is fit for: cosines for scored pairs, in-batch negatives for others.

    Args:
        model: as `build` makes it.
        loss: str, `"cosine_regression"`, `"in_batch_negatives"` or `"triplet"`. Default: the first
            for scored pairs, the second for other rows.
        temperature: float, of in-batch negatives. Default: that of `kb.losses.in_batch_negatives`.
        margin: float, of triplets. Default: that of `kb.losses.triplet`.

    Raises:
        ValueError: the rows are none for the loss, or the loss has no use for an argument.
    """
    if loss is None:
        loss = "cosine_regression" if model.scored else "in_batch_negatives"
    rows = f"rows of {model.num_texts} texts with{'' if model.scored else 'out'} scores"
    if (loss == "cosine_regression") != model.scored:
        expected = {True: "pairs with scores", False: "rows without scores"}
        raise ValueError(
            f"the loss {loss} needs {expected[not model.scored]}; the training set has {rows}"
        )
    if loss == "triplet" and model.num_texts != 3:
        raise ValueError(
            f"the loss triplet needs anchor, positive and negative; the training set has {rows}"
        )
    given = {"temperature": temperature, "margin": margin}
    given = {name: value for name, value in given.items() if value is not None}
    useless = set(given) - {"in_batch_negatives": {"temperature"}, "triplet": {"margin"}}.get(
        loss, set()
    )
    if useless:
        raise ValueError(f"the loss {loss} has no {', '.join(sorted(useless))}; leave it out")
    return getattr(kb.losses, loss)(**given)


def measure(model, preprocess, data, directory=None):
    """Spearman's and Pearson's correlation of scored pairs; else recall of the positives."""
    trainer = kb.BertEmbeddingTrainer(model) if isinstance(model, kb.BertTextEmbedder) else model
    vectors, labels = [], []
    for inputs, batch_labels, _ in tqdm.tqdm(data, unit="batch", leave=False, disable=None):
        vectors.append(trainer.predict_on_batch(inputs)["embeddings"])
        labels.append(np.asarray(batch_labels["embeddings"]))
    vectors, labels = np.concatenate(vectors), np.concatenate(labels)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    report = _correlations(vectors, labels) if data.scored else _recall(vectors, labels)
    write_report(report, directory)
    return report


def _correlations(vectors, scores):
    cosines = np.sum(np.float64(vectors[:, 0]) * vectors[:, 1], axis=-1)
    report = {
        "examples": len(scores),
        "spearman": spearman(cosines, scores),
        "pearson": pearson(cosines, scores),
    }
    print(
        f"Spearman {report['spearman']:.4f}, Pearson {report['pearson']:.4f} of cosines and scores "
        f"on {len(scores):,} pairs"
    )
    return report


def _recall(vectors, numbers):
    """Every anchor searches the distinct other texts of all rows for its positives."""
    candidates, places = np.unique(numbers[:, 1:], return_inverse=True)
    places = places.reshape(len(numbers), -1)
    texts = np.zeros((len(candidates), vectors.shape[-1]), "float32")
    texts[places] = vectors[:, 1:]
    anchors, first, which = np.unique(numbers[:, 0], return_index=True, return_inverse=True)
    relevant = [set() for _ in anchors]
    for anchor, place in zip(which.reshape(-1), places[:, 0], strict=True):
        relevant[anchor].add(int(place))
    recall = recall_at(vectors[first, 0], texts, relevant)
    report = {"examples": len(numbers), "queries": len(anchors), "texts": len(texts)}
    report |= {f"recall_at_{k}": value for k, value in recall.items()}
    shares = ", ".join(f"recall@{k} {value:.4f}" for k, value in recall.items())
    print(f"{shares}: {len(anchors):,} queries among {len(texts):,} texts")
    return report
