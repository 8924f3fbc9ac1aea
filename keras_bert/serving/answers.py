"""What a person wants of a row of a signature's outputs, task by task."""

from keras_bert.text.entities import entities_of


def find_answer(outputs):
    """The function that makes an answer of a row of outputs, or None where no task has them.

    Args:
        outputs: set of str, names of the outputs of `serving_default`.
    """
    # The task with the most outputs that are all there.
    tasks = sorted(_ANSWERS, key=len, reverse=True)
    return next((_ANSWERS[keys] for keys in tasks if set(keys) <= outputs), None)


def _classifier_answer(row):
    return {"label": row["label"].decode("utf-8"), "score": float(row["score"])}


def _masked_lm_answer(row):
    masks = zip(row["tokens"], row["scores"], strict=True)
    return [
        [
            {"token": token.decode("utf-8"), "score": float(score)}
            for token, score in zip(*mask, strict=True)
        ]
        for mask in list(masks)[: row["num_masks"]]
    ]


def _several_labels_answer(row):
    told = zip(row["labels"], row["scores"], strict=True)
    return [
        {"label": label.decode("utf-8"), "score": float(score)}
        for label, score in list(told)[: row["num_labels"]]
    ]


def _number_answer(row):
    return {"score": float(row["score"])}


def _numbers_answer(row):
    named = zip(row["names"], row["numbers"], strict=True)
    return {name.decode("utf-8"): float(number) for name, number in named}


def _choice_answer(row):
    choice = row["choice"].decode("utf-8")
    return {"choice": choice, "index": int(row["index"]), "score": float(row["score"])}


def _next_sentence_answer(row):
    return {"is_next": bool(row["is_next"]), "score": float(row["score"])}


def _span_answer(row):
    answer = {"answer": row["answer"].decode("utf-8"), "score": float(row["score"])}
    return {**answer, "start": int(row["start"]), "end": int(row["end"])}


def _written_answer(row):
    return {"text": row["text"].decode("utf-8"), "score": float(row["score"])}


def _embedder_answer(row):
    return row["embedding"].tolist()


# Outputs of serving_default that tell a task -> what makes a row of them an answer.
_ANSWERS = {
    ("label", "score"): _classifier_answer,
    ("tokens", "scores", "num_masks"): _masked_lm_answer,
    ("labels", "scores", "num_labels"): _several_labels_answer,
    ("score",): _number_answer,
    ("numbers", "names"): _numbers_answer,
    ("choice", "index", "score"): _choice_answer,
    ("is_next", "score"): _next_sentence_answer,
    ("num_entities", "labels", "texts", "starts", "ends", "scores"): entities_of,
    ("answer", "start", "end", "score"): _span_answer,
    ("embedding",): _embedder_answer,
    ("text", "score"): _written_answer,
}
