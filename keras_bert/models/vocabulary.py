"""Another vocabulary for a trained model: tokens added, or all of them exchanged."""

import collections
import logging
import re
from typing import NamedTuple

import numpy as np

from keras_bert.checkpoints.preset import check_vocabulary
from keras_bert.layers.masked_lm_head import MaskedLMHead
from keras_bert.models.rebuilding import backbone_of, rebuilt

_UNUSED = re.compile(r"\[unused\d+\]")
# A letter that no normalization changes; a few of them start no token of any vocabulary.
_RUNE = "\u16a0"

_logger = logging.getLogger(__name__)


def extend_vocabulary(model, tokenizer, tokens, reuse_unused=False):
    """Adds tokens to a trained model and its tokenizer, so that words of a field stay whole.

    A new token's embedding is the mean of those of the pieces that the tokenizer made of it
    before, and so is its bias in a masked-LM head. Where it made nothing but [UNK] of it, the mean
    over all ordinary tokens is taken, and a warning names the token. This is a start: the new rows
    learn their meaning by training on.

    Source: Gee et al. 2022, https://arxiv.org/abs/2402.09977, section 3 (mean of the pieces);
    Hewitt 2021, https://nlp.stanford.edu/~johnhew/vocab-expansion.html (mean over all tokens);
    google-research/bert issue 9 (places of `[unusedN]`).

    Args:
        model: `BertBackbone` or a task model; it stays as it is.
        tokenizer: the `BertTokenizer` that it was trained with; it stays as it is.
        tokens: list of str, words as the tokenizer normalizes them (lower case where it
            lower-cases), or `"##..."` for pieces inside a word.
        reuse_unused: bool, whether the tokens take the places of the `[unusedN]` of the
            vocabulary first, in order, so that it grows by the others only. Default False: all
            are appended.

    Returns:
        model: of the same class and arguments, not compiled. All weights but these rows are equal
            bit for bit.
        tokenizer: of the same options.

    Raises:
        ValueError: a token is there already, comes twice, or is none that the tokenizer could
            make of any text; tokenizer and model do not belong together.
        TypeError: a token is not str.

    Example:
        >>> import keras_bert as kb
        >>> tokenizer = kb.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "co", "##vid"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=7))
        >>> backbone, tokenizer = kb.extend_vocabulary(backbone, tokenizer, ["covid"])
        >>> tokenizer.tokenize_to_strings("Covid"), backbone.config.vocabulary_size
        (['covid'], 8)
    """
    backbone_of(model)
    check_vocabulary(model, tokenizer)
    tokens = _checked_tokens(tokens, tokenizer)
    vocabulary, waiting = list(tokenizer.vocabulary), list(tokens)
    if reuse_unused:
        places = [i for i, token in enumerate(vocabulary) if _UNUSED.fullmatch(token)]
        for place in places[: len(waiting)]:
            vocabulary[place] = waiting.pop(0)
    vocabulary += waiting
    _check_reachable(tokens, tokenizer, vocabulary)
    new_tokenizer = tokenizer.with_vocabulary(vocabulary)
    return replace_vocabulary(model, tokenizer, new_tokenizer), new_tokenizer


def replace_vocabulary(model, tokenizer, new_tokenizer):
    """Gives a trained model the vocabulary of another tokenizer, keeping what it knows of tokens.

    Rows of tokens that both vocabularies hold, the special ones among them, move to their new ids;
    those of others are made of pieces as in `extend_vocabulary`. The counts are logged at INFO,
    the tokens that had no pieces with a warning.

    Source: as `extend_vocabulary`.

    Args:
        model: `BertBackbone` or a task model; it stays as it is.
        tokenizer: the `BertTokenizer` that it was trained with.
        new_tokenizer: the `BertTokenizer` that it is to be used with.

    Returns:
        A model of the same class and arguments, not compiled. All weights but the tokens' rows are
        equal bit for bit.

    Raises:
        ValueError: tokenizer and model do not belong together.

    Example:
        >>> import keras_bert as kb
        >>> special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        >>> old = kb.BertTokenizer([*special, "co", "##vid", "is"])
        >>> new = kb.BertTokenizer([*special, "is", "covid"])
        >>> backbone = kb.BertBackbone(kb.BertConfig.named("tiny", vocabulary_size=8))
        >>> table = kb.replace_vocabulary(backbone, old, new).embeddings.token_table
        >>> bool((table[5] == backbone.embeddings.token_table[7]).numpy().all())
        True
    """
    backbone = backbone_of(model)
    check_vocabulary(model, tokenizer)
    origin = _origin(tokenizer, new_tokenizer.vocabulary)
    _logger.info(
        "vocabulary of %d tokens: %d were there before, %d are the mean of their pieces, %d that "
        "of all ordinary tokens",
        len(origin.rows),
        len(origin.rows) - len(origin.pieces) - len(origin.unknown),
        len(origin.pieces),
        len(origin.unknown),
    )
    if origin.unknown:
        names = [new_tokenizer.vocabulary[row] for row in origin.unknown]
        _logger.warning(
            "%d tokens are [UNK] to the present tokenizer and start as the mean of all ordinary "
            "tokens: %s",
            len(names),
            _listed(names),
        )
    per_token = [backbone.embeddings.token_table]
    per_token += [layer.bias for layer in model.layers if isinstance(layer, MaskedLMHead)]
    return rebuilt(
        model,
        [(weight, origin.values) for weight in per_token],
        vocabulary_size=len(origin.rows),
    )


class _Origin(NamedTuple):
    """Where the rows of a new vocabulary come from."""

    rows: np.ndarray  # int (new size,): the old row of each token; of no meaning for those below
    pieces: dict  # row: old rows whose mean it is
    unknown: list  # rows that are the mean of the ordinary ones
    ordinary: np.ndarray  # int, those

    def values(self, old):
        """Makes the value `(new size, ...)` of a weight from that `(old size, ...)` of before."""
        new = old[self.rows]
        for row, pieces in self.pieces.items():
            new[row] = old[pieces].mean(axis=0, dtype="float64")
        if self.unknown:
            new[self.unknown] = old[self.ordinary].mean(axis=0, dtype="float64")
        return new


def _origin(tokenizer, vocabulary):
    ids = {token: index for index, token in enumerate(tokenizer.vocabulary)}
    rows = np.array([ids.get(token, 0) for token in vocabulary], "int64")
    added = [row for row, token in enumerate(vocabulary) if token not in ids]
    found = _split([vocabulary[row] for row in added], tokenizer, tokenizer.vocabulary)
    known = [[piece for piece in pieces if piece != tokenizer.unk_id] for pieces in found]
    pieces = {row: pieces for row, pieces in zip(added, known, strict=True) if pieces}
    unknown = [row for row in added if row not in pieces]
    return _Origin(rows, pieces, unknown, tokenizer.ordinary_ids)


def _split(tokens, tokenizer, vocabulary):
    """The ids that a tokenizer of this vocabulary makes of each token, `##...` inside a word."""
    # A word's continuation is what follows a beginning that is a token of no longer one.
    beginning = _RUNE
    while any(token.startswith(beginning) for token in vocabulary):
        beginning += _RUNE
    texts = [
        beginning + token.removeprefix("##") if token.startswith("##") else token
        for token in tokens
    ]
    with_beginning = tokenizer.with_vocabulary([*vocabulary, beginning])
    found = with_beginning.tokenize(texts).to_list() if texts else []
    return [[piece for piece in pieces if piece != len(vocabulary)] for pieces in found]


def _checked_tokens(tokens, tokenizer):
    if isinstance(tokens, str):
        raise TypeError(f"extend_vocabulary: tokens must be a list of str; received {tokens!r}")
    tokens = list(tokens)
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(f"extend_vocabulary: tokens must be str; received {token!r}")
    present = set(tokenizer.vocabulary)
    there = [token for token in tokens if token in present]
    if there:
        raise ValueError(
            f"extend_vocabulary: {_listed(there)}: in the vocabulary already; leave them out"
        )
    twice = [token for token, count in collections.Counter(tokens).items() if count > 1]
    if twice:
        raise ValueError(f"extend_vocabulary: {_listed(twice)}: given twice; leave one out")
    return tokens


def _check_reachable(tokens, tokenizer, vocabulary):
    ids = {token: index for index, token in enumerate(vocabulary)}
    found = _split(tokens, tokenizer, vocabulary)
    wrong = [
        f"{token!r} (it makes {' '.join(vocabulary[piece] for piece in pieces) or 'nothing'!r})"
        for token, pieces in zip(tokens, found, strict=True)
        if pieces != [ids[token]]
    ]
    if wrong:
        raise ValueError(
            "extend_vocabulary: no text gives the tokenizer these tokens, for it normalizes words "
            f"and splits them at punctuation first: {'; '.join(wrong[:10])}. Expected words as it "
            f"leaves them (lowercase={tokenizer.lowercase}, "
            f"strip_accents={tokenizer.strip_accents})"
        )


def _listed(tokens, limit=10):
    rest = len(tokens) - limit
    return ", ".join(map(repr, tokens[:limit])) + (f" and {rest} more" if rest > 0 else "")
