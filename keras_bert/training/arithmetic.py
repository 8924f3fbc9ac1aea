"""How much arithmetic a training step is worth, whatever it really spends."""


def useful_flops(config, real_tokens, masked_tokens=0):
    """Counts the floating-point operations that training on some tokens needs.

    Source: Kaplan et al. 2020, https://arxiv.org/abs/2001.08361, section 2.1: 6 for each parameter
    of a matrix product and token, 2 forward and 4 backward. Padding, recomputation and scores of
    the vocabulary where nothing is masked count for nothing. Left out are the products between
    queries, keys and values (sequence / (6 x hidden_dim) of the encoder's: 3% for base at 128)
    and what is done once a sequence, such as the pooler.

    Args:
        config: `BertConfig`.
        real_tokens: number of tokens that are not padding.
        masked_tokens: number of masked positions. Default 0: the model has no masked-LM head.

    Returns:
        float, multiplications and additions.

    Example:
        >>> from keras_bert.config import BertConfig
        >>> useful_flops(BertConfig(), real_tokens=1)
        509607936.0
    """
    hidden, embedding = config.hidden_dim, config.embedding_dim
    encoder = config.num_layers * (4 * hidden**2 + 2 * hidden * config.intermediate_dim)
    if embedding != hidden:
        encoder += embedding * hidden
    head = hidden * embedding + embedding * config.vocabulary_size
    return 6.0 * (encoder * real_tokens + head * masked_tokens)
