"""Several trained models of one task as one, which averages their answers."""

import keras

from keras_bert.layers.answer_mean import AnswerMean
from keras_bert.models.alike import (
    COMMON,
    TUNED,
    check_alike,
    mean_thresholds,
    plain,
    thresholds_of,
)
from keras_bert.models.base import BertModel
from keras_bert.models.masked_lm import BertMaskedLM
from keras_bert.models.multiple_choice import BertMultipleChoice
from keras_bert.models.next_sentence import BertNextSentence
from keras_bert.models.relation_classifier import BertRelationClassifier
from keras_bert.models.span_classifier import BertSpanClassifier
from keras_bert.models.text_classifier import BertTextClassifier
from keras_bert.models.token_classifier import BertTokenClassifier

# What is averaged of each task; see `ensemble`.
_KINDS = {
    BertMaskedLM: "classes",
    BertMultipleChoice: "classes",
    BertNextSentence: "classes",
    BertRelationClassifier: "classes",
    BertSpanClassifier: "numbers",
    BertTokenClassifier: "classes",
    BertTextClassifier: {
        "single_label": "classes",
        "multi_label": "labels",
        "regression": "numbers",
    },
}


def ensemble(models):
    """Makes one model of several that were trained for the same task: it averages their answers.

    Averaged are probabilities: of classes (text, token and relation classifiers, multiple choice,
    next sentence, masked LM) by softmax, of several labels by sigmoid; the model's outputs are
    their logarithms or logits, so that it is used, measured and exported as a member is. Numbers
    (regression) are averaged themselves, and so are the logits of a span classifier: its spans
    are compared across the windows of a text, where probabilities of each window would all weigh
    the same. Thresholds are the means of the members'; tune them anew where there is data.

    It costs what all members cost together; see `averaged_weights`. Source: Lakshminarayanan et
    al. 2017, https://arxiv.org/abs/1612.01474, section 2.4.

    Args:
        models: list of two or more task models of one class (no embedder, whose vectors mean
            something else in each model), with the same labels and vocabulary; their sizes may
            differ. They are used as they are, not copied.

    Returns:
        A Keras model with the inputs and outputs of a member, and its attributes `labels`,
        `problem_type`, `window_pooling`, `thresholds`, `out_of_scope`, `no_answer_threshold`, `crf`
        (None) where there are such;
        `members`, a list; `task`, the members' class; `config`, that of the member with the
        shortest position table. `kb.export_saved_model` takes it, `save_preset` does not: a model
        directory holds one model.

    Raises:
        ValueError: fewer than two models, one that cannot be averaged, or models that differ in
            what they must share.

    Example:
        >>> models = [kb.BertTextClassifier.from_preset(f"runs/seed_{i}/model") for i in range(3)]
        >>> kb.export_saved_model(kb.ensemble(models), preprocess, "saved_models/mood/1")
    """
    models = list(models)
    if len(models) < 2:
        raise ValueError(f"ensemble: expected two models or more; received {len(models)}")
    return Ensemble(models)


@keras.saving.register_keras_serializable("keras_bert")
class Ensemble(BertModel):
    """What `ensemble` makes; `tuned` is a dict of thresholds, None for the members' means."""

    def __init__(self, members, tuned=None, **kwargs):
        members = [
            keras.saving.deserialize_keras_object(member) if isinstance(member, dict) else member
            for member in members
        ]
        task = type(members[0])
        kind = _KINDS.get(task)
        if kind is None:
            raise ValueError(
                f"ensemble: expected models of {', '.join(t.__name__ for t in _KINDS)}; "
                f"received a {task.__name__}"
            )
        for number, member in enumerate(members):
            check_alike("ensemble", members[0], member, number)
        first = members[0]
        if getattr(first, "crf", None) is not None:
            raise ValueError(
                "ensemble: labels in a chain (crf) are found together, and have no mean of their "
                "own; expected token classifiers without. kb.averaged_weights takes both"
            )
        kind = kind[first.problem_type] if isinstance(kind, dict) else kind

        # === Layers ===
        # Models of one name cannot stand in a graph together.
        parts = [_Member(member, name=f"member_{i}") for i, member in enumerate(members)]

        # === Functional graph ===
        inputs = {
            name: keras.Input(x.shape[1:], dtype=x.dtype, name=name)
            for name, x in first.input.items()
        }
        answers = [part(inputs) for part in parts]
        outputs = {
            name: AnswerMean(kind, name=f"mean_{name}")([answer[name] for answer in answers])
            for name in first.output
        }

        # === Config ===
        config = min((m.config for m in members), key=lambda config: config.max_sequence_length)
        kwargs.setdefault("name", f"ensemble_of_{first.name}")
        super().__init__(inputs, outputs, config, **kwargs)
        self.members, self.task = members, task
        if hasattr(first, "crf"):
            self.crf = None
        tuned = _means(members) if tuned is None else tuned
        for name in (*COMMON, *TUNED):
            if hasattr(first, name):
                own = tuned.get(name) if name in TUNED else plain(getattr(first, name))
                setattr(self, name, own)

    def get_config(self):
        return {
            "members": [keras.saving.serialize_keras_object(member) for member in self.members],
            "tuned": {name: plain(getattr(self, name)) for name in _means(self.members)},
            "name": self.name,
            "trainable": self.trainable,
        }


class _Member(keras.layers.Layer):
    """A model under a name of its own."""

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.built = True

    def call(self, inputs):
        return self.model(inputs)

    def compute_output_spec(self, inputs):
        # Known; to find them out, JAX would run the model on shapes that are no numbers.
        return {n: keras.KerasTensor(x.shape, x.dtype) for n, x in self.model.output.items()}


def _means(models):
    return mean_thresholds([thresholds_of(model) for model in models])
