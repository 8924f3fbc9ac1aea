"""What a checkpoint is, in a few lines for a person."""

import collections
import math

from keras_bert.checkpoints.names import IGNORED

# How the canonical names of a head begin -> what it is called here.
_HEADS = {
    "pooler.": "pooler",
    "cls.predictions.": "masked LM",
    "cls.seq_relationship.": "next sentence",
    "classifier.": "classifier",
    "qa_outputs.": "spans",
}
_KINDS = {
    "huggingface": "Hugging Face",
    "google": "Google TensorFlow 1",
    "keras_hub": "KerasHub",
    "sentence_transformers": "sentence-transformers",
}


def summary(source):
    """Describes an opened checkpoint: kind, sizes, heads, parameters, types.

    Args:
        source: `Source`.

    Returns:
        str, several lines.
    """
    config, tensors = source.config, source.tensors
    parameters = collections.Counter()
    weights = [name for name in tensors if name not in IGNORED]
    for name in weights:
        parameters[tensors.dtype(name)] += math.prod(tensors.shape(name))
    heads = [head for start, head in _HEADS.items() if any(n.startswith(start) for n in tensors)]
    lines = [
        f"{_KINDS[source.kind]} checkpoint {source.folder}",
        f"  {config.num_layers} layers, {config.hidden_dim} wide, {config.num_heads} heads, "
        f"{config.intermediate_dim} inside, {config.activation}; {config.vocabulary_size:,} "
        f"tokens, {config.max_sequence_length} positions, {config.num_segments} segments",
        f"  heads: {', '.join(heads) or 'none'}",
        f"  {sum(parameters.values()):,} parameters in {len(weights)} tensors: "
        + ", ".join(f"{count:,} {dtype}" for dtype, count in parameters.most_common()),
    ]
    if source.ignored:
        few = ", ".join(source.ignored[:3]) + (", ..." if len(source.ignored) > 3 else "")
        lines.append(f"  left aside, no weights of a model: {len(source.ignored)} ({few})")
    return "\n".join(lines)
