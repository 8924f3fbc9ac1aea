"""Names of variables in Google's TensorFlow 1 checkpoints, to canonical names and back.

Source: google-research/bert `modeling.py`, `run_pretraining.py`, `run_classifier.py` and
`run_squad.py`, whose graphs give the names; `optimization.py` for the slots beside them.
"""

import re

_TABLE = re.compile(r"bert/embeddings/(word|position|token_type)_embeddings")
_NORM = re.compile(
    r"(bert/embeddings|bert/encoder/layer_\d+/(attention/)?output|cls/predictions/transform)"
    r"/LayerNorm/(gamma|beta)"
)
_DENSE = re.compile(
    r"(bert/encoder/layer_\d+/"
    r"(attention/self/(query|key|value)|attention/output/dense|intermediate/dense|output/dense)"
    r"|bert/pooler/dense|cls/predictions/transform/dense)/(kernel|bias)"
)
# Heads made of bare variables; their weights are (outputs, inputs), unlike a layer's kernel.
_HEADS = {
    "cls/predictions/output_bias": "cls.predictions.bias",
    "cls/seq_relationship/output_weights": "cls.seq_relationship.weight",
    "cls/seq_relationship/output_bias": "cls.seq_relationship.bias",
    "output_weights": "classifier.weight",
    "output_bias": "classifier.bias",
    "cls/squad/output_weights": "qa_outputs.weight",
    "cls/squad/output_bias": "qa_outputs.bias",
}
_HEAD_VARIABLES = {name: variable for variable, name in _HEADS.items()}
_ENDINGS = {"kernel": "weight", "gamma": "weight", "bias": "bias", "beta": "bias"}

# What optimizers keep beside each variable: Google's AdamWeightDecay, TensorFlow's Adam and
# Momentum, and LAMB.
_SLOTS = re.compile(r"(.+)/(adam_[mv]|Adam(_1)?|Momentum|lamb_[mv]|LAMB(_1)?)")
# What trainers keep once: the step, Adam's powers, the scale of the loss in float16.
_STATE = re.compile(
    r"global_step|beta[12]_power|(current_)?loss_scale|good_steps|bad_steps"
    r"|signal_early_stopping/STOP"
)


def canonical_name(variable):
    """The canonical name of a variable (see `names.canonical`), or None where it is not known."""
    if variable in _HEADS:
        return _HEADS[variable]
    name = variable.removeprefix("bert/").replace("/layer_", "/layer/").replace("/", ".")
    if _TABLE.fullmatch(variable):
        return f"{name}.weight"
    if _NORM.fullmatch(variable) or _DENSE.fullmatch(variable):
        base, _, ending = name.rpartition(".")
        return f"{base}.{_ENDINGS[ending]}"
    return None


def variable_name(name):
    """Google's name of a canonical one, or None where Google's files have none for it."""
    if name in _HEAD_VARIABLES:
        return _HEAD_VARIABLES[name]
    base, _, ending = name.replace(".layer.", ".layer_").rpartition(".")
    path = ("" if base.startswith("cls.") else "bert/") + base.replace(".", "/")
    endings = ("gamma", "beta") if path.endswith("LayerNorm") else ("kernel", "bias")
    named = f"{path}/{endings[ending == 'bias']}"
    return next((v for v in (path, named) if canonical_name(v) == name), None)


def is_kernel(variable):
    """Whether a variable is a layer's kernel, (inputs, outputs) in the file."""
    return variable.endswith("/kernel")


def is_state(variable):
    """Whether a variable is an optimizer's or a trainer's, and no weight of a model."""
    slot = _SLOTS.fullmatch(variable)
    return bool(canonical_name(slot[1]) if slot else _STATE.fullmatch(variable))
