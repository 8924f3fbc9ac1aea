"""From a token classifier's logits to entities with their places in the raw text, in the graph."""

import tensorflow as tf

from keras_bert.text import bio, normalization


class EntityDecoder:
    """Reads entities from logits, the same way eagerly and in an exported graph.

    Each word has the likeliest label of its first piece. An entity begins with B, and with I after
    O or after another label: unbalanced tags are repaired, as `bio.spans_of_tags` does.

    Args:
        labels: list of str, the classes of the model: `O`, `B-LABEL`, `I-LABEL` in any order.

    Call arguments:
        logits: float `(batch, sequence, classes)`.
        words: dict, as `TokenClassifierPreprocessor.with_words` returns it.
        texts: string `(batch,)`, the raw texts.
        tags: int `(batch, sequence)`, the classes of the words. Default: the likeliest ones.

    Returns of a call: a dict:
        num_entities: int32 `(batch,)`;
        labels, texts: string `(batch, entities)`, an entity's label and its raw text;
        starts, ends: int32 `(batch, entities)`, its place in the raw text, in characters, end
            exclusive;
        scores: float32 `(batch, entities)`, the mean over its words of their labels' probability.
        In order of the text; slots beyond a row's `num_entities` hold "", 0 and 0.0.

    Raises:
        ValueError: a label is none of these.

    Example:
        >>> decode = EntityDecoder(["O", "B-PER", "I-PER"])
        >>> words = {"mask": [[0, 1, 1, 0]], "starts": [[0, 0, 4, 0]], "ends": [[0, 3, 9, 0]]}
        >>> logits = [[[0.0, 0, 0], [0, 9, 0], [9, 0, 0], [0, 0, 0]]]
        >>> decode(logits, words, ["Ann sings"])["texts"].numpy().tolist()
        [[b'Ann']]
    """

    def __init__(self, labels):
        parts = [bio.split_tag(label) for label in labels]
        # Entities' labels; those of O are never looked at.
        self._names = tf.constant([label or "" for _, label in parts])
        self._is_inside = tf.constant([action is not None for action, _ in parts])
        self._begins = tf.constant([action in bio.BEGINNING for action, _ in parts])

    def __call__(self, logits, words, texts, tags=None):
        texts = normalization.replace_invalid(tf.convert_to_tensor(texts))
        probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
        # Words of the batch one behind the other, (words,) each.
        place = tf.where(tf.equal(words["mask"], 1))
        row = place[:, 0]
        probabilities = tf.gather_nd(probabilities, place)
        if tags is None:
            best = tf.argmax(probabilities, axis=-1)
        else:
            best = tf.gather_nd(tf.cast(tags, tf.int64), place)
        score = tf.gather(probabilities, best, batch_dims=1)
        name = tf.gather(self._names, best)
        is_inside = tf.gather(self._is_inside, best)

        goes_on = is_inside & ~tf.gather(self._begins, best)
        goes_on &= _before(is_inside, False) & (_before(row, -1) == row)
        goes_on &= _before(name, "") == name
        begins = is_inside & ~goes_on

        entity = tf.boolean_mask(tf.cumsum(tf.cast(begins, tf.int32)) - 1, is_inside)
        starts, ends = (tf.gather_nd(words[key], place) for key in ("starts", "ends"))
        starts = tf.boolean_mask(starts, begins)
        ends = tf.math.segment_max(tf.boolean_mask(ends, is_inside), entity)
        row = tf.boolean_mask(row, begins)
        found = {
            "labels": tf.boolean_mask(name, begins),
            "starts": starts,
            "ends": ends,
            "scores": tf.math.segment_mean(tf.boolean_mask(score, is_inside), entity),
            "texts": tf.strings.substr(
                tf.gather(texts, row), starts, ends - starts, unit="UTF8_CHAR"
            ),
        }
        rows = tf.shape(texts, tf.int64)[0]
        ragged = {
            key: tf.RaggedTensor.from_value_rowids(value, row, rows) for key, value in found.items()
        }
        counts = tf.cast(ragged["labels"].row_lengths(), tf.int32)
        return {"num_entities": counts, **{key: r.to_tensor() for key, r in ragged.items()}}


def _before(values, first):
    """Each value's predecessor; `first` where there is none."""
    return tf.concat([tf.constant([first], values.dtype), values[:-1]], axis=0)


def entities_of(row):
    """The entities of one text, as a person reads them.

    Args:
        row: dict of NumPy arrays, one row of what `EntityDecoder` returns.

    Returns:
        List of dicts: `text` and `label` (str), `start` and `end` (int), `score` (float).
    """
    return [
        {
            "text": row["texts"][i].decode("utf-8"),
            "label": row["labels"][i].decode("utf-8"),
            "start": int(row["starts"][i]),
            "end": int(row["ends"][i]),
            "score": float(row["scores"][i]),
        }
        for i in range(row["num_entities"])
    ]
