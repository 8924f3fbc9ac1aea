"""Names of dtypes and sizes in the peers' own words."""


def kerashub_policy(dtype):
    """Returns the Keras dtype policy that computes in `dtype` and keeps float32 variables."""
    return dtype if dtype == "float32" else f"mixed_{dtype}"


def torch_dtype(dtype):
    """Returns the torch dtype of a name."""
    import torch

    return getattr(torch, dtype)


def huggingface_config(layers, hidden, heads, **overrides):
    """Returns a transformers `BertConfig` of the given size."""
    import transformers

    return transformers.BertConfig(
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        **overrides,
    )
