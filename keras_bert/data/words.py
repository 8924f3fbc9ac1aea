"""Chinese words, for masking whole ones: which tokens continue the word of the token before."""

import itertools

import numpy as np


def jieba_continuations(tokenizer):
    """A function that tokenizes sentences and marks the tokens inside a word, with jieba.

    BERT splits Chinese into characters, so "##" does not show its words. Source: whole word
    masking of ymcui/Chinese-BERT-wwm (arXiv 1906.08101), which segments with LTP; jieba
    (MIT) is the segmenter that installs everywhere. It is pure Python, and slower than all the
    rest of the stream.

    Args:
        tokenizer: a `BertTokenizer`; its `tokenize_with_offsets` is used.

    Returns:
        Callable from a list of str to `(token ids, tokens of each sentence, continues)`: int32
        `(tokens,)`, int64 `(sentences,)`, and bool `(tokens,)`, True where a token is a "##" piece
        or begins inside a word.

    Raises:
        ModuleNotFoundError: jieba is not installed; the message says how to.
    """
    try:
        import jieba
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "word_segmenter='jieba' needs the jieba package: pip install 'keras_bert[zh]'"
        ) from error
    jieba.setLogLevel("WARNING")
    jieba.initialize()
    is_piece = np.asarray(tokenizer.is_continuation)

    def continuations(sentences):
        ids, starts, _ = tokenizer.tokenize_with_offsets(sentences)
        lengths = ids.row_lengths().numpy()
        ids, starts = ids.flat_values.numpy(), starts.flat_values.numpy().astype(np.int64)
        # Characters of all sentences in one row: a token's place is its own plus its sentence's.
        characters = np.cumsum([0, *map(len, sentences)])
        begins_word = np.zeros(characters[-1] + 1, bool)
        begins_word[characters] = True
        for begin, sentence in zip(characters.tolist(), sentences, strict=False):
            ends = itertools.accumulate(map(len, jieba.cut(sentence)), initial=begin)
            begins_word[list(ends)] = True
        starts = starts + np.repeat(characters[:-1], lengths)
        return ids, lengths, is_piece[ids] | ~begins_word[starts]

    return continuations
