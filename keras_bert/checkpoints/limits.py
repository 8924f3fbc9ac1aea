"""What the BERT of other systems lacks, and is refused when a model is written for them."""

from keras_bert.checkpoints import names
from keras_bert.config import BertConfig

ADVICE = "save_preset keeps all of a model"


def check_variants(config, system):
    """Refuses variants of BERT that this package alone has.

    Args:
        config: `BertConfig`.
        system: str, whose BERT has none of them, for the message.

    Raises:
        ValueError: the model is such a variant.
    """
    plain = BertConfig()
    expected = {
        "pre_norm": plain.pre_norm,
        "share_layers": plain.share_layers,
        "embedding_dim": config.hidden_dim,
        "layer_norm_epsilon": plain.layer_norm_epsilon,
    }
    for name, value in expected.items():
        if getattr(config, name) != value:
            raise ValueError(
                f"a model of {name}={getattr(config, name)!r} cannot be written for {system}, "
                f"whose BERT has {value!r} only; {ADVICE}"
            )


def check_head(model, known, system):
    """Refuses heads that a system has no class or name for.

    Args:
        model: a model of this package.
        known: collection of str, Hugging Face's classes whose heads the system has.
        system: str, for the message.

    Raises:
        ValueError: the model has another head.
    """
    if names.architecture(model) not in known:
        raise ValueError(
            f"{system} has no counterpart to the head of a {type(model).__name__}; {ADVICE}, and "
            "model.backbone can be written without the head"
        )


def lost_labels(model):
    """Says, in a list of str, what gets lost of the names of classes and when they are told."""
    labels = getattr(model, "labels", None)
    lost = [f"the classes' names, {labels}"] if labels else []
    if getattr(model, "thresholds", None):
        lost.append(f"the classes' thresholds, {list(model.thresholds)}")
    if getattr(model, "window_pooling", None):
        lost.append(f"the {model.window_pooling} pooling of a document's windows")
    return lost
